"""What blending and its adjoint share: a tile's box, and how a Gaussian's alpha falls off in it.

Loops over a tile's columns run to ``size``, an argument that always equals TILE: a loop of constant
length is unrolled before the compiler looks for vector instructions, and then gets none.  For the
same reason what is known of a tile's pixels lies in the planes of one array, at constant distances.

No ``fastmath`` here: it lets the compiler reorder sums differently in a process that compiles and
in one that loads the cached kernel, and then two runs of one training drift apart.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numba
import numpy as np
from numba.extending import overload

from semsplat.splat.cpu.bins import TILE
from semsplat.splat.cpu.project import ALPHA_MIN

ALPHA_MAX = 0.999
SIGMA_MAX = 6.0  # beyond ln 255 even an opaque Gaussian is below ALPHA_MIN


class Splats(NamedTuple):
    """What blending takes of N projected Gaussians."""

    means2d: np.ndarray  # [N, 2] pixels
    ellipses: np.ndarray  # [N, 3] along, lean, down; see `project`
    extents: np.ndarray  # [N, 2] pixels, along x and y
    opacities: np.ndarray  # [N]
    reaches: np.ndarray  # [N] sigma from which on alpha is below ALPHA_MIN


def reaches_of(opacities):
    """Return the ``reaches`` of `Splats`: once for a Gaussian, not for every tile it is in."""
    return np.log(np.maximum(opacities, ALPHA_MIN) / ALPHA_MIN)


class Bins(NamedTuple):
    """The Gaussians of each tile, front to back."""

    offsets: np.ndarray  # [n_tiles + 1] int64
    ids: np.ndarray  # [P] int32


@numba.njit(cache=True, error_model="numpy")
def tile_box(tile, width, height):
    """Return (x_min, x_max, y_min, y_max), the half-open pixel box of a tile."""
    cols = (width + TILE - 1) // TILE
    x, y = (tile % cols) * TILE, (tile // cols) * TILE
    return x, min(width, x + TILE), y, min(height, y + TILE)


@numba.njit(cache=True, error_model="numpy")
def rows_within(g, splats, box):
    """Return the half-open range of the tile's own rows that Gaussian g may reach."""
    n_rows, centre, extent = box[3] - box[2], splats.means2d[g, 1], splats.extents[g, 1]
    first = math.floor(centre - extent - 0.5) - box[2]
    past = math.ceil(centre + extent - 0.5) + 1 - box[2]
    first = min(max(first, 0), n_rows)
    return first, max(first, min(past, n_rows))


@numba.njit(cache=True, error_model="numpy")
def ellipse_within(g, splats, box):
    """Return (x, y, along, lean, down, reach) of Gaussian g as a tile sees it.

    x, y: from the centre of the tile's first pixel to the Gaussian's.  At a distance (dx, dy)
    sigma is along (dx + lean dy)^2 + down dy^2, and a row has no alpha of 1/255 if
    down dy^2 > reach.
    """
    means2d, ellipses = splats.means2d, splats.ellipses
    f = means2d.dtype.type
    x, y = means2d[g, 0] - f(box[0]) - f(0.5), means2d[g, 1] - f(box[2]) - f(0.5)
    return x, y, ellipses[g, 0], ellipses[g, 1], ellipses[g, 2], splats.reaches[g]


@numba.njit(cache=True, error_model="numpy")
def falloff(sigma):
    """Return exp(-sigma); 0 where alpha cannot count."""
    f = type(sigma)
    return _exp_of_minus(sigma) if sigma <= f(SIGMA_MAX) else f(0)


def _exp_of_minus(sigma):
    """Return exp(-sigma) for 0 <= sigma <= SIGMA_MAX."""
    raise NotImplementedError  # compiled code gets one of the two below


@overload(_exp_of_minus)
def _typed_exp(sigma):
    """Choose by type: a polynomial that fits the vector units, or libm in double precision."""
    if sigma == numba.types.float32:
        return _exp_polynomial
    return lambda sigma: math.exp(-sigma)


def _exp_polynomial(sigma):
    """Return exp(-sigma) in single precision: exp(c - sigma / 8) by Taylor, to the eighth power.

    With c = 0.35 the argument stays within 0.35 for every sigma that counts (up to ln 255), which
    leaves a relative error below 2e-6, that of the GPU's own fast exponential.
    """
    one = np.float32(1)
    t = np.float32(0.35) - np.float32(0.125) * sigma
    p = one + t * np.float32(1 / 6)
    p = one + t * np.float32(1 / 5) * p
    p = one + t * np.float32(1 / 4) * p
    p = one + t * np.float32(1 / 3) * p
    p = one + t * np.float32(1 / 2) * p
    p = np.float32(math.exp(-0.35)) * (one + t * p)
    p = p * p
    p = p * p
    return p * p
