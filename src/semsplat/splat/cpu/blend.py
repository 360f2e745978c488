"""Front-to-back alpha blending of D channels, tile by tile.

A Gaussian visits the rows of a tile where its alpha may reach 1/255, all columns at once; when a
batch of Gaussians has its weights, each channel adds them up.  Channels do not touch each other:
what one blends to is the same to the last bit beside any others.  Thresholds equal gsplat's: alpha
is at most 0.999, and a pixel ends before its transmittance would fall to 1e-4.
"""

from __future__ import annotations

import numba
import numpy as np

from semsplat.splat.cpu.bins import TILE
from semsplat.splat.cpu.project import ALPHA_MIN
from semsplat.splat.cpu.row import choose, load, numbered, spread, store, times_plus
from semsplat.splat.cpu.tile import (
    ALPHA_MAX,
    OPACITY,
    distances,
    falloff,
    gather,
    rows_within,
    tile_box,
)

TRANSMITTANCE_MIN = 1e-4
BATCH = 32  # Gaussians whose weights the channels add up at once
LEFT, FLOOR, END = range(0, 3 * TILE, TILE)
"""First rows of a tile's state: transmittance; the least alpha that counts, 2 once a pixel has
ended; and one past its last pair."""


@numba.njit(cache=True, error_model="numpy")
def _weigh(splats, m, number, box, state, weights):
    """Fill the weights of the batch's m-th splat, the tile's number-th."""
    f = state.dtype.type
    dx, y = distances(splats, m, box)
    nothing, one, full = spread(f(0)), spread(f(1)), spread(f(ALPHA_MAX))
    for i in range(TILE):
        store(weights, m * TILE + i, nothing)
    first, past = rows_within(splats, m, box)
    for i in range(first, past):
        a = splats[m, OPACITY] * falloff(splats, m, dx, y - f(i))
        a = choose(a < full, a, full)
        left, floor, end = load(state, LEFT + i), load(state, FLOOR + i), load(state, END + i)
        after, seen = left * (one - a), a >= floor
        lives = after > spread(f(TRANSMITTANCE_MIN))
        counts = seen & lives
        store(weights, m * TILE + i, choose(counts, a * left, nothing))
        store(state, LEFT + i, choose(counts, after, left))
        store(state, FLOOR + i, choose(seen, choose(lives, floor, spread(f(2))), floor))
        store(state, END + i, choose(counts, spread(f(number + 1)), end))


@numba.njit(cache=True, error_model="numpy")
def _start(box, state):
    """Fill the state of a tile's pixels before its first Gaussian; those outside have ended."""
    f = state.dtype.type
    ended, columns = spread(f(2)), numbered(f(0))
    inside = choose(columns < f(box[1] - box[0]), spread(f(ALPHA_MIN)), ended)
    for i in range(TILE):
        store(state, LEFT + i, spread(f(1)))
        store(state, FLOOR + i, inside if i < box[3] - box[2] else ended)
        store(state, END + i, spread(f(0)))


@numba.njit(cache=True, error_model="numpy")
def _all_ended(state):
    """Return whether no pixel of a tile takes more light."""
    for i in range(FLOOR, FLOOR + TILE):
        for j in range(TILE):
            if state[i, j] < 1:
                return False
    return True


@numba.njit(cache=True, error_model="numpy")
def _add(weights, colors, ids, sums):
    """Add to ``sums`` [D TILE, TILE] a batch's colours times its weights, in the batch's order.

    Four rows of a channel wait in registers while all Gaussians of the batch add to them.
    """
    for s in range(0, len(sums), 4):
        c, w = s // TILE, s % TILE
        r0, r1, r2, r3 = load(sums, s), load(sums, s + 1), load(sums, s + 2), load(sums, s + 3)
        for m in range(len(ids)):
            value = spread(colors[ids[m], c])
            r0 = times_plus(load(weights, w), value, r0)
            r1 = times_plus(load(weights, w + 1), value, r1)
            r2 = times_plus(load(weights, w + 2), value, r2)
            r3 = times_plus(load(weights, w + 3), value, r3)
            w += TILE
        store(sums, s, r0)
        store(sums, s + 1, r1)
        store(sums, s + 2, r2)
        store(sums, s + 3, r3)


@numba.njit(cache=True, error_model="numpy")
def _write(box, sums, state, image, alpha, counts):
    """Write a tile's sums [D TILE, TILE] and state where they belong."""
    f = image.dtype.type
    for i in range(box[3] - box[2]):
        y = box[2] + i
        for j in range(box[1] - box[0]):
            x = box[0] + j
            alpha[y, x] = f(1) - state[LEFT + i, j]
            counts[y, x] = np.int32(state[END + i, j])
            for c in range(image.shape[2]):
                image[y, x, c] = sums[c * TILE + i, j]


@numba.njit(cache=True, error_model="numpy")
def _blend_tile(tile, table, colors, bins, image, alpha, counts):
    """Blend one tile into ``image``, ``alpha`` and ``counts``."""
    box, dtype = tile_box(tile, image.shape[1], image.shape[0]), image.dtype
    state, weights = np.empty((3 * TILE, TILE), dtype), np.empty((BATCH * TILE, TILE), dtype)
    splats = np.empty((BATCH, TILE), dtype)
    _start(box, state)
    sums = np.zeros((colors.shape[1] * TILE, TILE), dtype)
    first, past = bins.offsets[tile], bins.offsets[tile + 1]
    for start in range(first, past, BATCH):
        if _all_ended(state):
            break
        ids = bins.ids[start : min(start + BATCH, past)]
        gather(table, ids, splats)
        for m in range(len(ids)):
            _weigh(splats, m, start + m - first, box, state, weights)
        _add(weights, colors, ids, sums)
    _write(box, sums, state, image, alpha, counts)


@numba.njit(parallel=True, cache=True)
def blend(table, colors, bins, width, height):
    """Blend the binned Gaussians.

    Args:
        table: [N, 8], see `semsplat.splat.cpu.tile.splat_table`.
        colors: [N, D].
        bins: `semsplat.splat.cpu.tile.Bins`.
        width, height: of the image in pixels.

    Returns:
        image [H, W, D], alpha [H, W], and counts [H, W] int32: how many of its tile's pairs lie
        before the end of a pixel, that is one past the last that counts.
    """
    image = np.empty((height, width, colors.shape[1]), colors.dtype)
    alpha = np.empty((height, width), colors.dtype)
    counts = np.empty((height, width), np.int32)
    for tile in numba.prange(bins.offsets.shape[0] - 1):
        _blend_tile(np.int64(tile), table, colors, bins, image, alpha, counts)
    return image, alpha, counts
