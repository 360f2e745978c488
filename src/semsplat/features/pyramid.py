"""Dense CLIP maps from a pyramid of tiles (LERF, Kerr et al. 2023, section 3.1; LEGaussians).

Sides and strides are those of LERF's code, which LEGaussians took over: shares of the image's
height, tiles that overlap the more the larger they are, black around the image.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from semsplat.data.images import resize_ids

APART, HALF_OVER = 0.05, 0.15
"""Shares of the height at which tiles touch, and from which on they overlap by half."""


class Level(NamedTuple):
    """One size of tiles on an image."""

    side: int  # px
    stride: int  # px
    rows: int
    columns: int


def pyramid_levels(height: int, width: int, height_shares: Sequence[float]) -> list[Level]:
    """Return the levels of an image: a tile's middle is at every ``stride`` pixels from its corner.

    The image is padded by half a side all around, so that tiles reach over its border.

    Args:
        height: of the image, px.
        width: of the image, px.
        height_shares: sides of tiles, in heights of the image.
    """
    levels = []
    for share in height_shares:
        side = max(1, int(height * share))
        stride = max(1, int(side * np.interp(share, (APART, HALF_OVER), (1.0, 0.5))))
        rows, columns = (1 + (n + 2 * (side // 2) - side) // stride for n in (height, width))
        levels.append(Level(side, stride, rows, columns))
    return levels


def tiles(image: NDArray[np.uint8], level: Level, size: int) -> NDArray[np.uint8]:
    """Return a level's tiles of an image uint8 [H, W, 3], row by row, uint8 [N, size, size, 3].

    Black is what lies outside the image; tiles are resized bilinearly.
    """
    half = level.side // 2
    padded = np.pad(image, ((half, half), (half, half), (0, 0)))
    corners = [
        (row * level.stride, column * level.stride)
        for row in range(level.rows)
        for column in range(level.columns)
    ]
    cut = (padded[y : y + level.side, x : x + level.side] for y, x in corners)
    return np.stack(
        [cv2.resize(tile, (size, size), interpolation=cv2.INTER_LINEAR) for tile in cut]
    )


def mixture(maps: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return the sum [h, w, D] of maps [h_i, w_i, D] on the grid of the first, by nearest cells.

    LEGaussians divides by the number of levels; whoever brings vectors to length 1 sees no
    difference.
    """
    rows, columns = maps[0].shape[:2]
    grid = np.zeros_like(maps[0])
    for level in maps:
        cells = np.arange(level.shape[0] * level.shape[1], dtype=np.float32)
        nearest = resize_ids(cells.reshape(level.shape[:2]), (columns, rows)).astype(int)
        grid += level.reshape(-1, level.shape[2])[nearest]
    return grid
