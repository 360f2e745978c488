"""The things in a picture, with their true masks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semsplat.data.world.primitives import CLASSES
from semsplat.networks.pictures import MAX_PRIMITIVES, NOTHING, PictureSet

LEVELS = ("primitive", "part", "instance")
BACKGROUND = ("floor", "wall")
Masks = NDArray[np.bool_]


@dataclass(frozen=True)
class Thing:
    """One primitive, part or instance of a picture.

    ``mask`` bool [H, W]; ``class_id`` and ``color`` are positions in CLASSES and COLORS.
    """

    mask: Masks
    class_id: int
    color: int

    @property
    def is_object(self) -> bool:
        """Whether it is neither floor nor wall."""
        return CLASSES[self.class_id] not in BACKGROUND


def things(pictures: PictureSet, index: int, level: str, smallest_px: int) -> list[Thing]:
    """Return the things of a level of at least ``smallest_px`` pixels in picture ``index``."""
    seen, ids = pictures.primitives[index], level_map(pictures, index, level)
    values, sizes = np.unique(ids, return_counts=True)
    large = values[(sizes >= smallest_px) & (values >= 0)]
    masks = [ids == one for one in large]
    tables = pictures.tables[index][:, [int(seen[mask][0]) for mask in masks]]
    return [Thing(m, int(c), int(k)) for m, c, k in zip(masks, tables[2], tables[3], strict=True)]


def level_map(pictures: PictureSet, index: int, level: str) -> NDArray[np.int64]:
    """Return the thing of a level at every pixel of picture ``index``: int64 [H, W], -1: none."""
    ids = pictures.levels(index)[LEVELS.index(level)].astype(np.int64)
    return np.where(pictures.primitives[index] == NOTHING, -1, ids)


def class_map(pictures: PictureSet, index: int) -> NDArray[np.int64]:
    """Return the class of every pixel of picture ``index``: int64 [H, W], -1 for none."""
    seen = pictures.primitives[index]
    classes = pictures.tables[index, 2].astype(np.int64)
    return np.where(seen == NOTHING, -1, classes[seen % MAX_PRIMITIVES])


def overlaps(masks: Masks, truths: Masks) -> NDArray[np.float64]:
    """Return the IoU of every pair: float64 [N, T] of bool [N, H, W] and [T, H, W]."""
    own, true = (m.reshape(len(m), -1).astype(np.float32) for m in (masks, truths))
    common = own @ true.T  # exact: fewer than 2^24 pixels
    union = own.sum(1)[:, None] + true.sum(1) - common
    return (common / np.maximum(union, 1)).astype(np.float64)
