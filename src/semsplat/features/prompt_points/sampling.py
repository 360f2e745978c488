"""How many points each patch of a view gets, and where: GAGS's Eq. 1 and appendix 6.1.

A view has 8 x 8 patches of 10 x 10 cells each; every pixel belongs to one of each, and where a view
has fewer than 80 pixels a side, some cells are empty.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from semsplat.features.prompt_points import PointOptions

PATCHES, CELLS = 8, 10  # per side of a view, and of a patch (GAGS's code)
LEAST = 1  # point per patch (GAGS's code)

Depth = NDArray[np.float32]


def points_per_patch(depth: Depth, least: Depth, options: PointOptions) -> NDArray[np.int64]:
    """Return how many points each patch gets, int64 [8, 8] in 1 to ``most_points``.

    Args:
        depth: float32 [H, W], 0 = unknown.
        least: float32 [H, W], the least visible depth, 0 = unknown.
        options: the rule, its base and its limit.
    """
    rule = {"paper": _mean_of_squares, "code": _square_of_means}[options.rule]
    patch = blocks(depth.shape, PATCHES).ravel()
    counts = rule(depth.ravel(), least.ravel(), patch, options)
    return counts.reshape(PATCHES, PATCHES)


def blocks(size: tuple[int, ...], per_side: int) -> NDArray[np.int64]:
    """Return the number of each pixel's block, int64 [H, W], row by row; ``size`` is (H, W)."""
    rows, columns = (np.arange(side) * per_side // side for side in size)
    return rows[:, None] * per_side + columns


def sampled_points(
    counts: NDArray[np.int64], centres: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return points float32 [P, 2], pixels (x, y) counted from 0, patch by patch.

    A point's cell is drawn by the share of the patch's pixels with a Gaussian's centre that it
    holds, or evenly where the patch has none; its pixel evenly from the cell.  A pixel drawn again
    is left out: SAM would answer the same again.

    Args:
        counts: int64 [8, 8], draws in each patch.
        centres: bool [H, W], where Gaussians' centres fall.
        rng: of the draws.
    """
    patch = blocks(centres.shape, PATCHES).ravel()
    cell = blocks(centres.shape, PATCHES * CELLS).ravel()
    evenly = 1 / np.bincount(cell)[cell]  # of a pixel if all cells weigh 1
    density = evenly * np.bincount(cell, centres.ravel())[cell]
    chosen = []
    for number, count in enumerate(counts.ravel()):
        pixels = np.flatnonzero(patch == number)
        if len(pixels) == 0:
            continue  # a view of fewer than 8 pixels
        weights = density[pixels] if density[pixels].any() else evenly[pixels]
        chosen.append(np.unique(rng.choice(pixels, count, p=weights / weights.sum())))
    rows, columns = np.divmod(np.concatenate(chosen), centres.shape[1])
    return np.stack([columns, rows], axis=1).astype(np.float32)


def _mean_of_squares(
    depth: Depth, least: Depth, patch: NDArray[np.int64], options: PointOptions
) -> NDArray[np.int64]:
    """Return Eq. 1 of every patch over the pixels with both depths, rounded."""
    valid = (depth > 0) & (least > 0)
    squares = np.square(depth[valid].astype(np.float64) / least[valid])
    ratio = _means(squares, patch[valid])
    wanted = np.rint(options.base_points * np.nan_to_num(ratio, nan=0.0))
    return np.clip(wanted, LEAST, options.most_points).astype(np.int64)


def _square_of_means(
    depth: Depth, least: Depth, patch: NDArray[np.int64], options: PointOptions
) -> NDArray[np.int64]:
    """Return what the official code makes of Eq. 1: m^2 points, m rounded down."""
    seen = least > 0
    ratio = _means(depth.astype(np.float64), patch) / _means(least[seen], patch[seen])
    ratio = np.where(ratio >= 1, ratio, 0.0)  # below 1, and where no centre falls: the minimum
    side = (math.sqrt(options.base_points) * ratio).astype(np.int64)
    return np.square(np.clip(side, LEAST, math.isqrt(options.most_points)))


def _means(values: NDArray, patch: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the mean of each patch's values, NaN for patches without any."""
    total = np.bincount(patch, values, PATCHES**2)
    count = np.bincount(patch, minlength=PATCHES**2)
    return np.divide(total, count, out=np.full(PATCHES**2, np.nan), where=count > 0)
