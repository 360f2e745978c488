"""What blending and its adjoint share: a tile's box, and how a Gaussian's alpha falls off in it.

No ``fastmath`` here: it lets the compiler reorder sums differently in a process that compiles and
in one that loads the cached kernel, and then two runs of one training drift apart.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numba
import numpy as np
from numba.extending import overload

from semsplat.splat.cpu.bins import TILE
from semsplat.splat.cpu.row import choose, each_exp, load, numbered, spread, store, times_plus

ALPHA_MAX = 0.999
SIGMA_MAX = 6.0  # beyond ln 255 even an opaque Gaussian is below ALPHA_MIN
X, Y, ALONG, LEAN, DOWN, OPACITY, EXTENT = range(7)  # columns of `splat_table`
FALL = (1.0, -0.12499908, 0.0078104592, -3.2400778e-4, 9.6697989e-6, -1.7514496e-7)
"""Of exp(-sigma / 8), balanced over 0 to SIGMA_MAX; 1 at 0."""


class Bins(NamedTuple):
    """The Gaussians of each tile, front to back."""

    offsets: np.ndarray  # [n_tiles + 1] int64
    ids: np.ndarray  # [P] int32


def splat_table(means2d: Any, ellipses: Any, opacities: Any, extents: Any) -> np.ndarray:
    """Return what blending takes of N projected Gaussians, each in one piece of memory: [N, 8].

    Args:
        means2d: [N, 2] pixels.
        ellipses: [N, 3] along, lean, down; see `project`.
        opacities: [N].
        extents: [N, 2] pixels, along x and y.
    """
    table = np.zeros((len(means2d), 8), means2d.dtype)
    table[:, X : Y + 1], table[:, ALONG : DOWN + 1] = means2d, ellipses
    table[:, OPACITY], table[:, EXTENT] = opacities, extents[:, 1]
    return table


@numba.njit(cache=True, error_model="numpy")
def gather(table, ids, splats):
    """Copy a batch's Gaussians to ``splats`` [BATCH, 8]: so memory is asked for all at once.

    Kernels are given ``splats`` and m: a view of row m costs each a counted reference.
    """
    for m in range(len(ids)):
        store(splats, m, load(table, ids[m]))


@numba.njit(cache=True, error_model="numpy")
def tile_box(tile, width, height):
    """Return (x_min, x_max, y_min, y_max), the half-open pixel box of a tile."""
    cols = (width + TILE - 1) // TILE
    x, y = (tile % cols) * TILE, (tile // cols) * TILE
    return x, min(width, x + TILE), y, min(height, y + TILE)


@numba.njit(cache=True, error_model="numpy")
def rows_within(splats, m, box):
    """Return the half-open range of the tile's own rows that a Gaussian may reach."""
    n_rows, centre, extent = box[3] - box[2], splats[m, Y], splats[m, EXTENT]
    first = math.floor(centre - extent - 0.5) - box[2]
    past = math.ceil(centre + extent - 0.5) + 1 - box[2]
    first = min(max(first, 0), n_rows)
    return first, max(first, min(past, n_rows))


@numba.njit(cache=True, error_model="numpy")
def distances(splats, m, box):
    """Return how far right of a tile's columns (a row) and below its first row a Gaussian is."""
    f = splats.dtype.type
    x, y = splats[m, X] - f(box[0]) - f(0.5), splats[m, Y] - f(box[2]) - f(0.5)
    return x - numbered(x), y


@numba.njit(cache=True, error_model="numpy")
def falloff(splats, m, dx, dy):
    """Return exp(-sigma) of a row of pixels at the distances dx (a row) and dy (a number).

    sigma is along (dx + lean dy)^2 + down dy^2; beyond SIGMA_MAX it counts as that.
    """
    f = splats.dtype.type
    leaning, rest = dx + splats[m, LEAN] * dy, splats[m, DOWN] * dy * dy
    sigma, most = (
        times_plus(splats[m, ALONG] * leaning, leaning, spread(rest)),
        spread(f(SIGMA_MAX)),
    )
    return _exp_of_minus(choose(sigma < most, sigma, most))


def _exp_of_minus(sigma):
    """Return exp(-sigma) for 0 <= sigma <= SIGMA_MAX."""
    raise NotImplementedError  # compiled code gets one of the two below


@overload(_exp_of_minus)
def _typed_exp(sigma):
    """Choose by type: a polynomial in single precision, or the library in double."""
    if sigma.dtype == numba.types.float32:
        return _exp_polynomial
    return lambda sigma: each_exp(spread(0.0) - sigma)


def _exp_polynomial(sigma):
    """Return exp(-sigma) in single precision: that of an eighth, to the eighth power.

    The relative error stays below 3e-6 up to ln 255, that of the GPU's own fast exponential.
    """
    p = spread(np.float32(FALL[5]))
    p = times_plus(p, sigma, spread(np.float32(FALL[4])))
    p = times_plus(p, sigma, spread(np.float32(FALL[3])))
    p = times_plus(p, sigma, spread(np.float32(FALL[2])))
    p = times_plus(p, sigma, spread(np.float32(FALL[1])))
    p = times_plus(p, sigma, spread(np.float32(FALL[0])))
    p = p * p
    p = p * p
    return p * p
