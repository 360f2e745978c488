"""Progress that suits where it goes: a bar on a terminal, a line now and then in a log file."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")

LOG_EVERY_S = 30.0
LOG_SHARE = 0.05  # of the total: a log gets a line every 5 % or every 30 s, whichever is later


def progress(
    items: Iterable[T], label: str, *, total: int | None = None, initial: int = 0
) -> Iterator[T]:
    """Yield the items, reporting progress on stderr; ``total`` tells of items without a length."""
    if total is None and isinstance(items, Sized):
        total = len(items)
    if sys.stderr.isatty():
        yield from tqdm(items, label, total=total, initial=initial)
        return
    yield from tqdm(
        items,
        label,
        total=total,
        initial=initial,
        mininterval=LOG_EVERY_S,
        maxinterval=float("inf"),
        miniters=max(1, int(LOG_SHARE * total)) if total else 1,
        bar_format="{desc}: {n_fmt}/{total_fmt} after {elapsed}, {rate_fmt}, {remaining} left\n",
    )
