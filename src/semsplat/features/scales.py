"""Dense CLIP maps of several sizes of crops, kept apart: for methods that choose among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from semsplat.features.pyramid import Level, pyramid_levels, tiles
from semsplat.params.features import PyramidMaps, WindowMaps

if TYPE_CHECKING:
    from semsplat.features.clip import Clip
    from semsplat.features.store import Half


def scale_maps(
    clip: Clip, image: NDArray[np.uint8], options: PyramidMaps | WindowMaps, batch: int
) -> Half:
    """Return float16 [S, D, h, w] of length 1 per cell, a map for every size in the options' order.

    The cells are those of the mixed map, all over the view.  Windows of a size are averaged over
    each cell; between the middles of tiles is interpolated linearly.

    Args:
        clip: what encodes.
        image: uint8 [H, W, 3].
        options: which sizes.
        batch: crops per forward pass.
    """
    if isinstance(options, WindowMaps):
        alone = [
            options.model_copy(update={"short_side_shares": [share]})
            for share in options.short_side_shares
        ]
        return np.stack([clip.encode_dense(image, size, batch) for size in alone])
    height, width = image.shape[:2]
    levels = pyramid_levels(height, width, options.height_shares)
    cells = levels[0].rows, levels[0].columns
    return np.stack([_tile_map(clip, image, level, cells, batch) for level in levels])


def _tile_map(
    clip: Clip, image: NDArray[np.uint8], level: Level, cells: tuple[int, int], batch: int
) -> Half:
    """Return a level's map float16 [D, h, w] on cells all over the view."""
    vectors = clip.encode_crops(tiles(image, level, clip.crop_px), batch).astype(np.float32)
    grid = vectors.reshape(level.rows, level.columns, -1)
    return on_cells(grid, level.stride, image.shape[:2], cells)


def on_cells(
    grid: NDArray[np.float32], stride: int, size: tuple[int, ...], cells: tuple[int, int]
) -> Half:
    """Return vectors float16 [D, h, w] of length 1 at the middles of cells all over a view.

    Args:
        grid: float32 [rows, columns, D], vectors at every ``stride`` pixels from the view's corner.
        stride: px.
        size: H, W of the view, px.
        cells: h, w.
    """
    y, x = ((np.arange(n) + 0.5) * side / n / stride for n, side in zip(cells, size, strict=True))
    xs, ys = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
    channels = [
        cv2.remap(grid[..., d], xs, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for d in range(grid.shape[2])
    ]
    found = np.stack(channels)
    return (found / np.linalg.norm(found, axis=0).clip(min=1e-12)).astype(np.float16)
