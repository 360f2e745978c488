"""The adjoint of `blend`: back to front, the transmittance is recovered by division.

Sums over a batch of Gaussians are matrix products, one for the channels that shape the geometry and
one for the others: a product's last bits depend on how many columns it has, and what is attached
without shaping must change nothing.

One number per pixel holds ``sum_{j behind} w_j <shaped_j, vimage>``: the blended colour behind,
seen through the gradient.
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

LEFT, BEHIND, END = range(3)  # planes: transmittance; the colour behind; one past the last pair
BATCH = 32  # Gaussians whose channels are summed by one matrix product, at most
PRODUCT = 2**18  # multiplications from which on OpenBLAS starts threads of its own, inside ours
HALVES = tuple(2**k for k in range(TILE.bit_length() - 2, -1, -1))  # of a row, down to 1
SHAPE = 6  # gradients of means2d (2), conics (3), opacity (1)


@numba.njit(cache=True, error_model="numpy")
def _clear_rows(weights, m, first, past):
    """Set the weights [BATCH, TILE, TILE] of Gaussian m outside its rows to 0."""
    for i in range(TILE):
        if i < first or i >= past:
            weights[m, i] = 0


@numba.njit(cache=True, error_model="numpy", inline="always")
def _weigh(g, m, number, splats, box, size, pixels, weights):
    """Fill the weights [BATCH, TILE, TILE] of Gaussian g, the batch's m-th and tile's number-th."""
    f = weights.dtype.type
    first, past = rows_within(g, splats, box)
    _clear_rows(weights, m, first, past)
    x, y, along, lean, down, reach = ellipse_within(g, splats, box)
    opacity = splats.opacities[g]
    for i in range(first, past):
        dy = y - f(i)
        rest, shift = down * dy * dy, lean * dy
        if rest > reach:
            weights[m, i] = 0
            continue
        for j in range(size):
            dx = x - f(np.int32(j))
            leaning = dx + shift
            a = opacity * falloff(along * leaning * leaning + rest)
            a = a if a < f(ALPHA_MAX) else f(ALPHA_MAX)
            counts = (a >= f(ALPHA_MIN)) & (pixels[END, i, j] > number)
            left = pixels[LEFT, i, j] * (f(1) / (f(1) - a))
            weights[m, i, j] = a * left if counts else f(0)
            pixels[LEFT, i, j] = left if counts else pixels[LEFT, i, j]


@numba.njit(cache=True, error_model="numpy", inline="always")
def _weigh_and_move(g, m, number, splats, box, size, pixels, weights, seen, lanes):
    """`_weigh`, and add dL/dalpha times exp(-sigma) and its moments to ``lanes`` [6, TILE].

    ``seen`` [BATCH, TILE, TILE] is <shaped_g, vimage>.  The moments, by column, are those of
    1, dx, dy, dx^2, dx dy and dy^2.
    """
    f = weights.dtype.type
    first, past = rows_within(g, splats, box)
    _clear_rows(weights, m, first, past)
    x, y, along, lean, down, reach = ellipse_within(g, splats, box)
    opacity = splats.opacities[g]
    lanes[:] = 0
    for i in range(first, past):
        dy = y - f(i)
        rest, shift = down * dy * dy, lean * dy
        if rest > reach:
            weights[m, i] = 0
            continue
        for j in range(size):
            dx = x - f(np.int32(j))
            leaning = dx + shift
            fall = falloff(along * leaning * leaning + rest)
            a = opacity * fall if opacity * fall < f(ALPHA_MAX) else f(ALPHA_MAX)
            counts = (a >= f(ALPHA_MIN)) & (pixels[END, i, j] > number)
            opening = f(1) / (f(1) - a)
            left = pixels[LEFT, i, j] * opening
            weight = a * left if counts else f(0)
            weights[m, i, j] = weight
            pixels[LEFT, i, j] = left if counts else pixels[LEFT, i, j]
            va = left * seen[m, i, j] - pixels[BEHIND, i, j] * opening
            pixels[BEHIND, i, j] += weight * seen[m, i, j]
            va = va * fall if counts & (opacity * fall <= f(ALPHA_MAX)) else f(0)
            lanes[0, j] += va
            lanes[1, j] += va * dx
            lanes[2, j] += va * dy
            lanes[3, j] += va * dx * dx
            lanes[4, j] += va * dx * dy
            lanes[5, j] += va * dy * dy


@numba.njit(cache=True, error_model="numpy")
def _shape_gradient(g, splats, lanes, row):
    """Fill a pair's gradients of means2d (2), conics (3) and opacity (1); ``lanes`` are used up."""
    f, ellipses = lanes.dtype.type, splats.ellipses
    for half in HALVES:
        for r in range(SHAPE):
            for j in range(half):
                lanes[r, j] += lanes[r, j + half]
    vsigma = -splats.opacities[g]
    dx, dy = vsigma * lanes[1, 0], vsigma * lanes[2, 0]
    row[0] = f(2) * ellipses[g, 0] * (dx + ellipses[g, 1] * dy)
    row[1] = ellipses[g, 1] * row[0] + f(2) * ellipses[g, 2] * dy
    row[2] = f(0.5) * vsigma * lanes[3, 0]
    row[3] = vsigma * lanes[4, 0]
    row[4] = f(0.5) * vsigma * lanes[5, 0]
    row[5] = lanes[0, 0]


@numba.njit(cache=True, error_model="numpy")
def _start_behind(box, first, alpha, last, vimage, valpha, pixels, vshaped, vothers):
    """Fill a tile's state behind its last Gaussian and return the number of pairs that count.

    ``vshaped`` [S, TILE^2] and ``vothers`` [TILE^2, D - S] get the gradient of the tile's image.
    """
    f = pixels.dtype.type
    pixels[LEFT] = 1
    n_pairs, n_shaping = 0, vshaped.shape[0]
    for y in range(box[2], box[3]):
        for x in range(box[0], box[1]):
            i, j = y - box[2], x - box[0]
            pixels[LEFT, i, j] = f(1) - alpha[y, x]
            pixels[BEHIND, i, j] = -valpha[y, x] * (f(1) - alpha[y, x])
            pixels[END, i, j] = f(last[y, x] - first)
            for c in range(n_shaping):
                vshaped[c, i * TILE + j] = vimage[y, x, c]
            for c in range(vothers.shape[1]):
                vothers[i * TILE + j, c] = vimage[y, x, n_shaping + c]
            n_pairs = max(n_pairs, last[y, x] - first)
    return n_pairs


@numba.njit(cache=True, error_model="numpy")
def _seen(shaped, ids, vshaped, seen):
    """Fill ``seen`` [n, TILE^2] with <shaped_g, vimage> for the n Gaussians of a batch."""
    values = np.empty((len(ids), shaped.shape[1]), shaped.dtype)
    for m in range(len(ids)):
        for c in range(shaped.shape[1]):
            values[m, c] = shaped[ids[m], c]
    np.dot(values, vshaped, seen)


@numba.njit(cache=True, error_model="numpy")
def _add_columns(weights, vchannels, rows, first_column):
    """Fill columns of ``rows`` [n, 6 + D]: weights [n, TILE^2] times vchannels [TILE^2, C]."""
    if vchannels.shape[1] > 0:
        product = np.dot(weights, vchannels)
        for m in range(product.shape[0]):
            for c in range(product.shape[1]):
                rows[m, first_column + c] = product[m, c]


@numba.njit(cache=True, error_model="numpy")
def _blend_tile_adjoint(
    tile, splats, shaped, bins, alpha, last, vimage, valpha, moves, size, grads
):
    """Fill the rows of ``grads`` [P, 6 + D] that belong to one tile."""
    dtype, n_shaping = vimage.dtype, shaped.shape[1]
    f, n_others, n_pixels = dtype.type, vimage.shape[2] - n_shaping, TILE * TILE
    box, offset = tile_box(tile, vimage.shape[1], vimage.shape[0]), bins.offsets[tile]
    pixels = np.zeros((3, TILE, TILE), dtype)
    vshaped, vothers = np.zeros((n_shaping, n_pixels), dtype), np.zeros((n_pixels, n_others), dtype)
    n_pairs = _start_behind(box, offset, alpha, last, vimage, valpha, pixels, vshaped, vothers)
    flat_weights, flat_seen = np.empty((BATCH, n_pixels), dtype), np.zeros((BATCH, n_pixels), dtype)
    weights = flat_weights.reshape((BATCH, TILE, TILE))
    seen = flat_seen.reshape((BATCH, TILE, TILE))
    lanes = np.empty((SHAPE, TILE), dtype)
    batch = max(1, min(BATCH, PRODUCT // (n_pixels * max(1, n_shaping, n_others))))
    for stop in range(n_pairs, 0, -batch):
        start = max(0, stop - batch)
        n, rows = stop - start, grads[offset + start : offset + stop]
        ids = bins.ids[offset + start : offset + stop]
        if moves and n_shaping > 0:
            _seen(shaped, ids, vshaped, flat_seen[:n])
        for m in range(n - 1, -1, -1):
            number = f(start + m)
            if moves:
                _weigh_and_move(ids[m], m, number, splats, box, size, pixels, weights, seen, lanes)
                _shape_gradient(ids[m], splats, lanes, rows[m])
            else:
                _weigh(ids[m], m, number, splats, box, size, pixels, weights)
        _add_columns(flat_weights[:n], vshaped.T, rows, SHAPE)
        _add_columns(flat_weights[:n], vothers, rows, SHAPE + n_shaping)


# nogil: a thread's first np.dot takes the lock to load BLAS, while this one waits for the threads.
@numba.njit(parallel=True, cache=True, nogil=True)
def blend_adjoint(splats, shaped, bins, alpha, last, vimage, valpha, moves, size):
    """Return the gradients of every (tile, Gaussian) pair: [P, 6 + D].

    Columns: means2d (2), conics (3), opacity (1), colors (D).  ``shaped`` [N, S] holds the first S
    ``colors``: up to the last channel that may move the geometry, zero in those among them that may
    not (colour-only gradients).  ``vimage`` [H, W, D] and ``valpha`` [H, W] are the gradients of
    `blend`'s outputs.  Without ``moves`` the first six columns stay zero: frozen Gaussians do not
    pay for what nobody reads.
    """
    grads = np.zeros((bins.ids.shape[0], SHAPE + vimage.shape[2]), vimage.dtype)
    for tile in numba.prange(bins.offsets.shape[0] - 1):
        _blend_tile_adjoint(
            np.int64(tile), splats, shaped, bins, alpha, last, vimage, valpha, moves, size, grads
        )
    return grads
