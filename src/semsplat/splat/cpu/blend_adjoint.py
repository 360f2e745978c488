"""The adjoint of `blend`: back to front, the transmittance is recovered by division.

One number per pixel holds ``sum_{j behind} w_j <shaped_j, vimage>``: the blended colour behind,
seen through the gradient.  A batch of Gaussians leaves its weights, which each channel's gradient
then sums: no channel's bits depend on the others.
"""

from __future__ import annotations

import numba
import numpy as np

from semsplat.splat.cpu.bins import TILE
from semsplat.splat.cpu.project import ALPHA_MIN
from semsplat.splat.cpu.row import choose, load, spread, store, times_plus, total
from semsplat.splat.cpu.tile import (
    ALONG,
    ALPHA_MAX,
    DOWN,
    LEAN,
    OPACITY,
    distances,
    falloff,
    gather,
    rows_within,
    tile_box,
)

BATCH = 16  # Gaussians whose weights the channels' gradients sum at once
SHAPE = 6  # gradients of means2d (2), conics (3), opacity (1)
LEFT, BEHIND, END = range(0, 3 * TILE, TILE)
"""First rows of a tile's state: transmittance; the colour behind; and one past the last pair."""


@numba.njit(cache=True, error_model="numpy")
def _clear(weights, m):
    """Set the weights of the batch's m-th Gaussian to 0."""
    for i in range(m * TILE, (m + 1) * TILE):
        store(weights, i, spread(weights.dtype.type(0)))


@numba.njit(cache=True, error_model="numpy")
def _weigh(splats, m, fall, number, i, state):
    """Return a row's weights, transmittance, 1 / (1 - alpha) and dalpha / dopacity.

    ``fall`` is exp(-sigma); the transmittance of the row is put back to what it was before.  Where
    nothing counts it is multiplied by 1, not kept: the compiler makes that a masked store.
    """
    f = state.dtype.type
    nothing, one, full = spread(f(0)), spread(f(1)), spread(f(ALPHA_MAX))
    free = splats[m, OPACITY] * fall
    a = choose(free < full, free, full)
    counts = (a >= spread(f(ALPHA_MIN))) & (load(state, END + i) > spread(f(number)))
    opening = choose(counts, one / (one - a), one)
    left = load(state, LEFT + i) * opening
    store(state, LEFT + i, left)
    slope = choose(counts & (free <= full), fall, nothing)
    return choose(counts, a * left, nothing), left, opening, slope


@numba.njit(cache=True, error_model="numpy")
def _weigh_frozen(splats, m, number, box, state, weights):
    """Fill the weights of the batch's m-th splat, the tile's number-th."""
    _clear(weights, m)
    dx, y = distances(splats, m, box)
    first, past = rows_within(splats, m, box)
    for i in range(first, past):
        fall = falloff(splats, m, dx, y - state.dtype.type(i))
        store(weights, m * TILE + i, _weigh(splats, m, fall, number, i, state)[0])


@numba.njit(cache=True, error_model="numpy")
def _weigh_moving(splats, m, shaped, g, number, box, state, vimage, weights):
    """`_weigh_frozen`, and return dL/dalpha times exp(-sigma) and its moments, six rows.

    The splat is the g-th of ``shaped`` [N, S].  The moments, by column, are those
    of 1, dx, dy, dx^2, dx dy and dy^2.
    """
    f = state.dtype.type
    _clear(weights, m)
    dx, y = distances(splats, m, box)
    nothing = spread(f(0))
    s0, s1, s2, s3, s4, s5 = nothing, nothing, nothing, nothing, nothing, nothing
    first, past = rows_within(splats, m, box)
    for i in range(first, past):
        dy = y - f(i)
        fall = falloff(splats, m, dx, dy)
        weight, left, opening, slope = _weigh(splats, m, fall, number, i, state)
        store(weights, m * TILE + i, weight)
        seen = nothing
        for c in range(shaped.shape[1]):
            seen = times_plus(load(vimage, c * TILE + i), spread(shaped[g, c]), seen)
        behind = load(state, BEHIND + i)
        store(state, BEHIND + i, times_plus(weight, seen, behind))
        va = (left * seen - behind * opening) * slope
        across, down = va * dx, va * dy
        s0, s1, s2 = s0 + va, s1 + across, s2 + down
        s3, s4 = times_plus(across, dx, s3), times_plus(down, dx, s4)
        s5 = times_plus(down, spread(dy), s5)
    return s0, s1, s2, s3, s4, s5


@numba.njit(cache=True, error_model="numpy")
def _shape_gradient(splats, m, moments, grads):
    """Fill a pair's gradients of means2d (2), conics (3) and opacity (1)."""
    f, (s0, s1, s2, s3, s4, s5) = grads.dtype.type, moments
    vsigma, along, lean = -splats[m, OPACITY], splats[m, ALONG], splats[m, LEAN]
    dx, dy = vsigma * total(s1), vsigma * total(s2)
    grads[m, 0] = f(2) * along * (dx + lean * dy)
    grads[m, 1] = lean * grads[m, 0] + f(2) * splats[m, DOWN] * dy
    grads[m, 2] = f(0.5) * vsigma * total(s3)
    grads[m, 3] = vsigma * total(s4)
    grads[m, 4] = f(0.5) * vsigma * total(s5)
    grads[m, 5] = total(s0)


@numba.njit(cache=True, error_model="numpy")
def _channel_gradients(weights, vchannels, grads):
    """Fill ``grads`` [n, 6 + D] from column 6 on: weights times ``vchannels`` [D TILE, TILE]."""
    for c in range(grads.shape[1] - SHAPE):
        v = c * TILE
        v0, v1 = load(vchannels, v), load(vchannels, v + 1)
        v2, v3 = load(vchannels, v + 2), load(vchannels, v + 3)
        v4, v5 = load(vchannels, v + 4), load(vchannels, v + 5)
        v6, v7 = load(vchannels, v + 6), load(vchannels, v + 7)
        for m in range(len(grads)):
            w = m * TILE
            a, b = load(weights, w) * v0, load(weights, w + 1) * v1
            a, b = times_plus(load(weights, w + 2), v2, a), times_plus(load(weights, w + 3), v3, b)
            a, b = times_plus(load(weights, w + 4), v4, a), times_plus(load(weights, w + 5), v5, b)
            a, b = times_plus(load(weights, w + 6), v6, a), times_plus(load(weights, w + 7), v7, b)
            grads[m, SHAPE + c] = total(a + b)


@numba.njit(cache=True, error_model="numpy")
def _start_behind(box, alpha, counts, vimage, valpha, state, vchannels):
    """Fill a tile's state behind its last Gaussian and return the number of pairs that count.

    ``vchannels`` [D TILE, TILE] gets the gradient of the tile's image.
    """
    f, n_pairs = state.dtype.type, 0
    for y in range(box[2], box[3]):
        for x in range(box[0], box[1]):
            i, j = y - box[2], x - box[0]
            state[LEFT + i, j] = f(1) - alpha[y, x]
            state[BEHIND + i, j] = -valpha[y, x] * (f(1) - alpha[y, x])
            state[END + i, j] = f(counts[y, x])
            for c in range(vimage.shape[2]):
                vchannels[c * TILE + i, j] = vimage[y, x, c]
            n_pairs = max(n_pairs, counts[y, x])
    return n_pairs


@numba.njit(cache=True, error_model="numpy")
def _blend_tile_adjoint(tile, table, shaped, bins, alpha, counts, vimage, valpha, moves, grads):
    """Fill the rows of ``grads`` [P, 6 + D] that belong to one tile."""
    dtype, offset = vimage.dtype, bins.offsets[tile]
    box = tile_box(tile, vimage.shape[1], vimage.shape[0])
    state = np.zeros((3 * TILE, TILE), dtype)
    state[LEFT : LEFT + TILE] = 1
    vchannels = np.zeros((vimage.shape[2] * TILE, TILE), dtype)
    splats, weights = np.empty((BATCH, TILE), dtype), np.empty((BATCH * TILE, TILE), dtype)
    n_pairs = _start_behind(box, alpha, counts, vimage, valpha, state, vchannels)
    for stop in range(n_pairs, 0, -BATCH):
        start = max(0, stop - BATCH)
        ids, rows = bins.ids[offset + start : offset + stop], grads[offset + start : offset + stop]
        gather(table, ids, splats)
        for m in range(stop - start - 1, -1, -1):
            number = start + m
            if moves:
                moments = _weigh_moving(
                    splats, m, shaped, ids[m], number, box, state, vchannels, weights
                )
                _shape_gradient(splats, m, moments, rows)
            else:
                _weigh_frozen(splats, m, number, box, state, weights)
        _channel_gradients(weights, vchannels, rows)


@numba.njit(parallel=True, cache=True)
def blend_adjoint(table, shaped, bins, alpha, counts, vimage, valpha, moves):
    """Return the gradients of every (tile, Gaussian) pair: [P, 6 + D].

    Columns: means2d (2), conics (3), opacity (1), colors (D).  ``shaped`` [N, S] holds the first S
    ``colors``: up to the last channel that may move the geometry, zero in those among them that may
    not (colour-only gradients).  ``alpha`` and ``counts`` [H, W] are those of `blend`, ``vimage``
    [H, W, D] and ``valpha`` [H, W] the gradients of its image and alpha.  Without ``moves`` the
    first six columns stay zero: frozen Gaussians do not pay for what nobody reads.
    """
    grads = np.zeros((bins.ids.shape[0], SHAPE + vimage.shape[2]), vimage.dtype)
    for tile in numba.prange(bins.offsets.shape[0] - 1):
        _blend_tile_adjoint(
            np.int64(tile), table, shaped, bins, alpha, counts, vimage, valpha, moves, grads
        )
    return grads
