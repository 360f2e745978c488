"""Which Gaussians touch which image tile, front to back, by counting sorts."""

from __future__ import annotations

import numba
import numpy as np

TILE = 8
"""Pixels along a tile's side: one vector of single precision, and most Gaussians are small."""


@numba.njit(cache=True)
def _tile_range(mean, extent, n_tiles):
    """Return the half-open range of tiles that [mean - extent, mean + extent] touches."""
    first = max(0, int(np.floor((mean - extent) / TILE)))
    last = min(n_tiles, int(np.floor((mean + extent) / TILE)) + 1)
    return first, last


@numba.njit(cache=True)
def bin_gaussians(order, means2d, extents, width, height):
    """List the Gaussians of every tile in the given order.

    Args:
        order: [V] ids of the visible Gaussians, front to back.
        means2d, extents: [N, 2] centres and half sizes in pixels.
        width, height: of the image in pixels.

    Returns:
        offsets [n_tiles + 1] into ids, and ids [P] int32: the Gaussian of each (tile, Gaussian)
        pair, by tile (row-major), then front to back.
    """
    cols, rows = (width + TILE - 1) // TILE, (height + TILE - 1) // TILE
    offsets = np.zeros(cols * rows + 1, np.int64)
    for g in order:
        x0, x1 = _tile_range(means2d[g, 0], extents[g, 0], cols)
        y0, y1 = _tile_range(means2d[g, 1], extents[g, 1], rows)
        for y in range(y0, y1):
            for x in range(x0, x1):
                offsets[y * cols + x + 1] += 1
    offsets = np.cumsum(offsets)
    place = offsets.copy()
    ids = np.empty(offsets[-1], np.int32)
    for g in order:
        x0, x1 = _tile_range(means2d[g, 0], extents[g, 0], cols)
        y0, y1 = _tile_range(means2d[g, 1], extents[g, 1], rows)
        for y in range(y0, y1):
            for x in range(x0, x1):
                ids[place[y * cols + x]] = g
                place[y * cols + x] += 1
    return offsets, ids


@numba.njit(cache=True)
def _pairs_of_gaussians(ids, n):
    """Return offsets [n + 1] and pairs [P]: the pair numbers of every Gaussian, ascending."""
    offsets = np.zeros(n + 1, np.int64)
    for g in ids:
        offsets[g + 1] += 1
    offsets = np.cumsum(offsets)
    place = offsets[:-1].copy()
    pairs = np.empty(ids.shape[0], np.int64)
    for k in range(ids.shape[0]):
        pairs[place[ids[k]]] = k
        place[ids[k]] += 1
    return offsets, pairs


@numba.njit(parallel=True, cache=True)
def sum_pairs(ids, values, n):
    """Sum values [P, D] over the pairs of each Gaussian: [n, D], always in the same order."""
    offsets, pairs = _pairs_of_gaussians(ids, n)
    total = np.zeros((n, values.shape[1]), values.dtype)
    for g in numba.prange(n):
        for i in range(offsets[g], offsets[g + 1]):
            for d in range(values.shape[1]):
                total[g, d] += values[pairs[i], d]
    return total
