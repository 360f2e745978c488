"""Front-to-back alpha blending of D channels, tile by tile.

A Gaussian visits the rows of a tile where its alpha may reach 1/255, all columns at once in vector
units; the values of a batch of Gaussians are then summed by one matrix product.  Thresholds equal
gsplat's: alpha is at most 0.999, and a pixel ends before its transmittance would fall to 1e-4.
"""

from __future__ import annotations

import numba
import numpy as np

from semsplat.splat.cpu.bins import TILE
from semsplat.splat.cpu.project import ALPHA_MIN
from semsplat.splat.cpu.tile import (
    ALPHA_MAX,
    BATCH,
    clear_rows,
    falloff,
    reach_of,
    rows_within,
    tile_box,
)

TRANSMITTANCE_MIN = 1e-4
LEFT, LIVE, END = range(3)  # planes: transmittance; 1 until a pixel ends; one past its last pair


@numba.njit(cache=True, error_model="numpy", inline="always")
def _weigh(g, m, end, means2d, conics, extents, opacities, box, size, pixels, weights):
    """Fill the weights [BATCH, TILE, TILE] of Gaussian g, the batch's m-th."""
    f = means2d.dtype.type
    first, past = rows_within(means2d[g, 1], extents[g, 1], box)
    clear_rows(weights, m, first, past)
    x, y = means2d[g, 0] - f(box[0]) - f(0.5), means2d[g, 1] - f(box[2]) - f(0.5)
    opacity, along, across = opacities[g], f(0.5) * conics[g, 0], conics[g, 1]
    narrow, reach = reach_of(conics[g, 0], conics[g, 1], conics[g, 2], opacity)
    for i in range(first, past):
        dy = y - f(i)
        if narrow * dy * dy > reach:
            weights[m, i] = 0
            continue
        slope, rest = across * dy, f(0.5) * conics[g, 2] * dy * dy
        for j in range(size):
            dx = x - f(np.int32(j))
            a = opacity * falloff((along * dx + slope) * dx + rest)
            a = a if a < f(ALPHA_MAX) else f(ALPHA_MAX)
            left, live = pixels[LEFT, i, j], pixels[LIVE, i, j]
            after = left * (f(1) - a)
            seen = (a >= f(ALPHA_MIN)) & (live > f(0))
            counts = seen & (after > f(TRANSMITTANCE_MIN))
            ends = seen & (after <= f(TRANSMITTANCE_MIN))
            weights[m, i, j] = a * left if counts else f(0)
            pixels[LEFT, i, j] = after if counts else left
            pixels[LIVE, i, j] = f(0) if ends else live
            pixels[END, i, j] = end if counts else pixels[END, i, j]


@numba.njit(cache=True, error_model="numpy")
def _start(box, pixels):
    """Fill the state of a tile's pixels before its first Gaussian; those outside have ended."""
    for i in range(TILE):
        for j in range(TILE):
            pixels[LEFT, i, j] = 1
            pixels[LIVE, i, j] = i < box[3] - box[2] and j < box[1] - box[0]
            pixels[END, i, j] = 0


@numba.njit(cache=True, error_model="numpy")
def _all_ended(pixels):
    """Return whether no pixel of a tile takes more light."""
    n_live = 0
    for i in range(TILE):
        for j in range(TILE):
            n_live += pixels[LIVE, i, j] > 0
    return n_live == 0


@numba.njit(cache=True, error_model="numpy")
def _write(box, first, sums, pixels, image, alpha, last):
    """Write a tile's sums [TILE^2, D] and state where they belong."""
    f = image.dtype.type
    for y in range(box[2], box[3]):
        for x in range(box[0], box[1]):
            i, j = y - box[2], x - box[0]
            alpha[y, x] = f(1) - pixels[LEFT, i, j]
            last[y, x] = first + np.int64(pixels[END, i, j])
            for c in range(image.shape[2]):
                image[y, x, c] = sums[i * TILE + j, c]


@numba.njit(cache=True, error_model="numpy")
def _blend_tile(
    tile, means2d, conics, extents, colors, opacities, offsets, ids, size, image, alpha, last
):
    """Blend one tile into ``image``, ``alpha`` and ``last``."""
    f = means2d.dtype.type
    box = tile_box(tile, image.shape[1], image.shape[0])
    pixels = np.empty((3, TILE, TILE), means2d.dtype)
    _start(box, pixels)
    flat_weights = np.empty((BATCH, TILE * TILE), means2d.dtype)
    weights = flat_weights.reshape((BATCH, TILE, TILE))
    values = np.empty((BATCH, colors.shape[1]), means2d.dtype)
    sums = np.zeros((TILE * TILE, colors.shape[1]), means2d.dtype)
    of_batch = np.empty((TILE * TILE, colors.shape[1]), means2d.dtype)
    first, past = offsets[tile], offsets[tile + 1]
    for start in range(first, past, BATCH):
        if _all_ended(pixels):
            break
        n = min(BATCH, past - start)
        for m in range(n):
            g, end = ids[start + m], f(start + m + 1 - first)
            for c in range(colors.shape[1]):
                values[m, c] = colors[g, c]
            _weigh(g, m, end, means2d, conics, extents, opacities, box, size, pixels, weights)
        np.dot(flat_weights[:n].T, values[:n], of_batch)
        for p in range(TILE * TILE):
            for c in range(colors.shape[1]):
                sums[p, c] += of_batch[p, c]
    _write(box, first, sums, pixels, image, alpha, last)


@numba.njit(parallel=True, cache=True, nogil=True)
def blend(means2d, conics, extents, colors, opacities, offsets, ids, width, height, size):
    """Blend the binned Gaussians.

    Args:
        means2d, conics, extents, opacities: of all N Gaussians, from `project`.
        colors: [N, D], D at least 1.
        offsets, ids: from `bin_gaussians`.
        width, height: of the image in pixels.
        size: TILE; see `semsplat.splat.cpu.tile`.

    Returns:
        image [H, W, D], alpha [H, W], and last [H, W] int64: one past the last pair that counts.
    """
    image = np.zeros((height, width, colors.shape[1]), means2d.dtype)
    alpha = np.zeros((height, width), means2d.dtype)
    last = np.zeros((height, width), np.int64)
    for tile in numba.prange(offsets.shape[0] - 1):
        _blend_tile(
            np.int64(tile),
            means2d,
            conics,
            extents,
            colors,
            opacities,
            offsets,
            ids,
            size,
            image,
            alpha,
            last,
        )
    return image, alpha, last
