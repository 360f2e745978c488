"""Front-to-back alpha blending of D channels, tile by tile.

A Gaussian visits the rows of a tile where its alpha may reach 1/255, all columns at once in vector
units; then each of its channels is added.  Channels do not touch each other: what one blends to is
the same to the last bit beside any others.  Thresholds equal gsplat's: alpha is at most 0.999, and
a pixel ends before its transmittance would fall to 1e-4.
"""

from __future__ import annotations

import numba
import numpy as np

from semsplat.splat.cpu.bins import TILE
from semsplat.splat.cpu.project import ALPHA_MIN
from semsplat.splat.cpu.tile import (
    ALPHA_MAX,
    ellipse_within,
    falloff,
    rows_within,
    tile_box,
)

TRANSMITTANCE_MIN = 1e-4
LOOKS_EVERY = 32  # Gaussians after which a tile is asked whether all its pixels have ended
LEFT, LIVE, END = range(3)  # planes: transmittance; 1 until a pixel ends; one past its last pair


@numba.njit(cache=True, error_model="numpy", inline="always")
def _weigh(g, end, first, past, splats, box, size, pixels, weights):
    """Fill the rows of weights [TILE, TILE] from first to past with those of Gaussian g."""
    f = weights.dtype.type
    x, y, along, lean, down, reach = ellipse_within(g, splats, box)
    opacity = splats.opacities[g]
    for i in range(first, past):
        dy = y - f(i)
        rest, shift = down * dy * dy, lean * dy
        if rest > reach:
            weights[i] = 0
            continue
        for j in range(size):
            dx = x - f(np.int32(j))
            leaning = dx + shift
            a = opacity * falloff(along * leaning * leaning + rest)
            a = a if a < f(ALPHA_MAX) else f(ALPHA_MAX)
            left, live = pixels[LEFT, i, j], pixels[LIVE, i, j]
            after = left * (f(1) - a)
            seen = (a >= f(ALPHA_MIN)) & (live > f(0))
            counts = seen & (after > f(TRANSMITTANCE_MIN))
            ends = seen & (after <= f(TRANSMITTANCE_MIN))
            weights[i, j] = a * left if counts else f(0)
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
    """Write a tile's sums [D, TILE^2] and state where they belong."""
    f = image.dtype.type
    for y in range(box[2], box[3]):
        for x in range(box[0], box[1]):
            i, j = y - box[2], x - box[0]
            alpha[y, x] = f(1) - pixels[LEFT, i, j]
            last[y, x] = first + np.int64(pixels[END, i, j])
            for c in range(image.shape[2]):
                image[y, x, c] = sums[c, i * TILE + j]


@numba.njit(cache=True, error_model="numpy")
def _blend_tile(tile, splats, colors, bins, size, image, alpha, last):
    """Blend one tile into ``image``, ``alpha`` and ``last``."""
    f = image.dtype.type
    box = tile_box(tile, image.shape[1], image.shape[0])
    pixels = np.empty((3, TILE, TILE), image.dtype)
    _start(box, pixels)
    flat_weights = np.empty(TILE * TILE, image.dtype)
    weights = flat_weights.reshape((TILE, TILE))
    sums = np.zeros((colors.shape[1], TILE * TILE), image.dtype)
    first = bins.offsets[tile]
    for k in range(first, bins.offsets[tile + 1]):
        if (k - first) % LOOKS_EVERY == 0 and _all_ended(pixels):
            break
        g, end = bins.ids[k], f(k + 1 - first)
        y0, y1 = rows_within(g, splats, box)
        _weigh(g, end, y0, y1, splats, box, size, pixels, weights)
        # Unsigned: a place that might be negative keeps the loop out of the vector units.
        start, stop = np.uint32(y0 * TILE), np.uint32(y1 * TILE)
        for c in range(colors.shape[1]):
            value = colors[g, c]
            for p in range(start, stop):
                sums[c, p] += flat_weights[p] * value
    _write(box, first, sums, pixels, image, alpha, last)


@numba.njit(parallel=True, cache=True)
def blend(splats, colors, bins, width, height, size):
    """Blend the binned Gaussians.

    Args:
        splats: `semsplat.splat.cpu.tile.Splats`.
        colors: [N, D].
        bins: `semsplat.splat.cpu.tile.Bins`.
        width, height: of the image in pixels.
        size: TILE; see `semsplat.splat.cpu.tile`.

    Returns:
        image [H, W, D], alpha [H, W], and last [H, W] int64: one past the last pair that counts.
    """
    image = np.zeros((height, width, colors.shape[1]), colors.dtype)
    alpha = np.zeros((height, width), colors.dtype)
    last = np.zeros((height, width), np.int64)
    for tile in numba.prange(bins.offsets.shape[0] - 1):
        _blend_tile(np.int64(tile), splats, colors, bins, size, image, alpha, last)
    return image, alpha, last
