"""One picture among many, found by what it shows where its name says nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semsplat.data.images import image_size, read_rgb, resize_rgb
from semsplat.errors import SemsplatError

SIZE = (32, 24)  # small enough that compression and resizing leave no trace
SAME_LEVELS = 4.0  # a copy is nearer than this, of 255, on average
CLEARLY = 2.0  # the next picture must be farther by this factor

Thumbnail = NDArray[np.float32]


def thumbnail(path: Path) -> Thumbnail:
    """Return the picture at ``SIZE`` as float32 [24, 32, 3], 0 to 255."""
    return resize_rgb(read_rgb(path, image_size(path)), SIZE).astype(np.float32)


def name_of_copy(path: Path, pictures: Mapping[str, Thumbnail]) -> str:
    """Return the name of the one picture that ``path`` shows, perhaps at another scale.

    Raises a `SemsplatError` when none is alike, and when a second one is nearly as much alike.
    """
    copy = thumbnail(path)
    away = {name: float(np.abs(other - copy).mean()) for name, other in pictures.items()}
    nearest = sorted(away, key=lambda name: (away[name], name))[:2]
    best, *others = nearest
    if away[best] > SAME_LEVELS:
        raise SemsplatError(f"{path}: shows none of the images; use the images that were labelled")
    if others and away[others[0]] <= CLEARLY * away[best]:
        raise SemsplatError(
            f"{path}: shows '{best}' or '{others[0]}'; rename it and its label as the right one"
        )
    return best
