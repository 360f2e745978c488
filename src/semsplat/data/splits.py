"""The split of the field: every n-th frame is held out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeVar

HELD_OUT_EVERY = 8  # 3DGS (llffhold) and nerfstudio, where a data set states no split

Split = Literal["train", "test"]
T = TypeVar("T")


def split_every(items: Sequence[T], every: int) -> tuple[list[T], list[T]]:
    """Return (train, test): test holds indices 0, ``every``, 2 ``every`` ... of ``items``."""
    train = [item for index, item in enumerate(items) if index % every]
    return train, list(items[::every])
