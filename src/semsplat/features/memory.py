"""Batches that are too large for a GPU's memory are halved until they fit."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from typing import TypeVar

import torch
from tqdm import tqdm

from semsplat.errors import SemsplatError

T = TypeVar("T")


def halving(batch: int, work: Callable[[int], T], thing: str) -> T:
    """Return ``work(batch)``; where memory runs out, that of half the batch, and so on down to 1.

    The work is done anew with every batch, so all of a result comes from batches of one size.

    Args:
        batch: how many things are computed at once.
        work: what computes them; called with a batch.
        thing: what one of them is called in messages.

    Raises:
        SemsplatError: not even one fits.
    """
    while True:
        try:
            return work(batch)
        except torch.OutOfMemoryError:
            if batch == 1:
                raise SemsplatError(
                    f"the GPU's memory does not hold a single {thing}; use smaller images or"
                    " another GPU"
                ) from None
        # Not in the handler: there the error keeps what the work had allocated.
        torch.cuda.empty_cache()
        batch //= 2
        _warn_once(f"warning: {2 * batch} {thing}s exceed the GPU's memory; going on with {batch}")


@cache
def _warn_once(line: str) -> None:
    """Write a line to stderr, above a progress bar; every image may meet the same limit."""
    tqdm.write(line, file=sys.stderr)
