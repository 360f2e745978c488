"""Front-to-back alpha blending of N channels and its adjoint, tile by tile.

A Gaussian visits only the pixels inside the ellipse where its alpha reaches 1/255: for each row the
interval is solved from the conic, so small Gaussians cost a few pixels and not a whole tile.
Thresholds equal gsplat's: alpha is at most 0.999, and a pixel ends before its transmittance would
fall to 1e-4.

No ``fastmath`` here: it lets the compiler reorder sums differently in a process that compiles and
in one that loads the cached kernel, and then two runs of one training drift apart.
"""

from __future__ import annotations

import math

import numba
import numpy as np
from numba.extending import overload

from semsplat.splat.cpu.bins import TILE
from semsplat.splat.cpu.project import ALPHA_MIN

ALPHA_MAX = 0.999
TRANSMITTANCE_MIN = 1e-4
SIGMA_MAX = 6.0  # beyond ln 255 even an opaque Gaussian is below ALPHA_MIN


@numba.njit(cache=True, error_model="numpy")
def _tile_box(tile, width, height):
    """Return (x_min, x_max, y_min, y_max), the half-open pixel box of a tile."""
    cols = (width + TILE - 1) // TILE
    x, y = (tile % cols) * TILE, (tile // cols) * TILE
    return x, min(width, x + TILE), y, min(height, y + TILE)


@numba.njit(cache=True, error_model="numpy")
def _rows(centre, extent, box):
    """Return the half-open range of the box's rows that a Gaussian may reach."""
    half = 0.5
    low = max(box[2], math.floor(centre - extent - half))
    return low, min(box[3], math.ceil(centre + extent - half) + 1)


@numba.njit(cache=True, error_model="numpy")
def _row_interval(conic, mean_x, dy, reach, box):
    """Return the half-open pixel interval of one row where 2 sigma <= reach; empty if none.

    ``dy`` is the centre's offset from the row's pixel centres.  One pixel of slack absorbs
    rounding; the alpha threshold decides exactly.
    """
    half = conic[1] * dy
    disc = half * half - conic[0] * (conic[2] * dy * dy - reach)
    if not disc > 0:
        return 0, 0
    root = math.sqrt(disc) / conic[0]
    centre = mean_x + half / conic[0]
    low = max(box[0], math.floor(centre - root - 0.5))
    return low, min(box[1], math.ceil(centre + root - 0.5) + 1)


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


@numba.njit(cache=True, error_model="numpy")
def _fill_falloff(fall, conic, mean_x, x0, x1, dy):
    """Fill fall [x1 - x0] with exp(-sigma) along one row; 0 where rounding makes sigma negative."""
    f = conic.dtype.type
    along, across = f(0.5) * conic[0], conic[1] * dy
    rest = f(0.5) * conic[2] * dy * dy
    start = mean_x - f(x0) - f(0.5)
    for i in range(x1 - x0):
        dx = start - f(i)
        sigma = (along * dx + across) * dx + rest
        inside = sigma >= f(0) and sigma <= f(SIGMA_MAX)
        fall[i] = _exp_of_minus(sigma) if inside else f(0)


@numba.njit(cache=True, error_model="numpy")
def _blend_tile(
    tile, means2d, conics, extents, colors, opacities, offsets, ids, image, alpha, last
):
    """Blend one tile into ``image``, ``alpha`` and ``last``."""
    f = means2d.dtype.type
    box = _tile_box(tile, image.shape[1], image.shape[0])
    left = np.ones((TILE, TILE), means2d.dtype)
    live = np.ones((TILE, TILE), np.bool_)
    fall = np.empty(TILE, means2d.dtype)
    n_live = (box[1] - box[0]) * (box[3] - box[2])
    for k in range(offsets[tile], offsets[tile + 1]):
        if n_live == 0:
            break
        g = ids[k]
        reach = f(2) * math.log(opacities[g] / f(ALPHA_MIN))
        y0, y1 = _rows(means2d[g, 1], extents[g, 1], box)
        for y in range(y0, y1):
            dy = means2d[g, 1] - f(y) - f(0.5)
            x0, x1 = _row_interval(conics[g], means2d[g, 0], dy, reach, box)
            _fill_falloff(fall, conics[g], means2d[g, 0], x0, x1, dy)
            for x in range(x0, x1):
                i, j = y - box[2], x - box[0]
                a = min(f(ALPHA_MAX), opacities[g] * fall[x - x0])
                if a < f(ALPHA_MIN) or not live[i, j]:
                    continue
                after = left[i, j] * (f(1) - a)
                if after <= f(TRANSMITTANCE_MIN):
                    live[i, j] = False
                    n_live -= 1
                    continue
                weight = a * left[i, j]
                for c in range(colors.shape[1]):
                    image[y, x, c] += weight * colors[g, c]
                left[i, j] = after
                last[y, x] = k + 1
    for y in range(box[2], box[3]):
        for x in range(box[0], box[1]):
            alpha[y, x] = f(1) - left[y - box[2], x - box[0]]


@numba.njit(parallel=True, cache=True)
def blend(means2d, conics, extents, colors, opacities, offsets, ids, width, height):
    """Blend the binned Gaussians.

    Args:
        means2d, conics, extents, opacities: of all N Gaussians, from `project`.
        colors: [N, D].
        offsets, ids: from `bin_gaussians`.
        width, height: of the image in pixels.

    Returns:
        image [H, W, D], alpha [H, W], and last [H, W] int64: one past the last pair that counts.
    """
    image = np.zeros((height, width, colors.shape[1]), means2d.dtype)
    alpha = np.zeros((height, width), means2d.dtype)
    last = np.zeros((height, width), np.int64)
    for tile in numba.prange(offsets.shape[0] - 1):
        _blend_tile(
            tile, means2d, conics, extents, colors, opacities, offsets, ids, image, alpha, last
        )
    return image, alpha, last


@numba.njit(cache=True, error_model="numpy")
def _start_behind(box, alpha, valpha, last, end, left, behind):
    """Fill a tile's state behind its last Gaussian and return the end of its list.

    ``left`` [TILE, TILE] is the light that gets through; ``behind`` what the gradient of alpha
    sees there.
    """
    f = left.dtype.type
    for y in range(box[2], box[3]):
        for x in range(box[0], box[1]):
            left[y - box[2], x - box[0]] = f(1) - alpha[y, x]
            behind[y - box[2], x - box[0]] = -valpha[y, x] * (f(1) - alpha[y, x])
            end = max(end, last[y, x])
    return end


@numba.njit(cache=True, error_model="numpy")
def _blend_tile_adjoint(
    tile,
    means2d,
    conics,
    extents,
    shaped,
    opacities,
    offsets,
    ids,
    alpha,
    last,
    vimage,
    valpha,
    moves,
    grads,
):
    """Fill the rows of ``grads`` [P, 6 + D] that belong to one tile.

    Back to front, the transmittance is recovered by division, and one scalar per pixel holds
    ``sum_{j behind} w_j <shaped_j, vimage>``: the blended colour behind, seen through the gradient.
    """
    f = means2d.dtype.type
    box = _tile_box(tile, vimage.shape[1], vimage.shape[0])
    left = np.empty((TILE, TILE), means2d.dtype)
    behind = np.empty((TILE, TILE), means2d.dtype)
    fall = np.empty(TILE, means2d.dtype)
    end = _start_behind(box, alpha, valpha, last, offsets[tile], left, behind)
    for k in range(end - 1, offsets[tile] - 1, -1):
        g = ids[k]
        reach = f(2) * math.log(opacities[g] / f(ALPHA_MIN))
        y0, y1 = _rows(means2d[g, 1], extents[g, 1], box)
        for y in range(y0, y1):
            dy = means2d[g, 1] - f(y) - f(0.5)
            x0, x1 = _row_interval(conics[g], means2d[g, 0], dy, reach, box)
            _fill_falloff(fall, conics[g], means2d[g, 0], x0, x1, dy)
            s0, s1, s2 = f(0), f(0), f(0)
            for x in range(x0, x1):
                a = min(f(ALPHA_MAX), opacities[g] * fall[x - x0])
                if a < f(ALPHA_MIN) or k >= last[y, x]:
                    continue
                i, j = y - box[2], x - box[0]
                opening = f(1) / (f(1) - a)
                left[i, j] *= opening
                weight, seen = a * left[i, j], f(0)
                for c in range(vimage.shape[2]):
                    grads[k, 6 + c] += weight * vimage[y, x, c]
                if not moves:
                    continue
                for c in range(shaped.shape[1]):
                    seen += shaped[g, c] * vimage[y, x, c]
                va = left[i, j] * seen - behind[i, j] * opening
                behind[i, j] += weight * seen
                if opacities[g] * fall[x - x0] <= f(ALPHA_MAX):
                    dx = means2d[g, 0] - f(x) - f(0.5)
                    va *= fall[x - x0]
                    s0 += va
                    s1 += va * dx
                    s2 += va * dx * dx
            if moves:
                grads[k, 5] += s0
                v = -opacities[g]
                _add_shape_gradient(grads[k], conics[g], dy, v * s0, v * s1, v * s2)


@numba.njit(cache=True, error_model="numpy")
def _add_shape_gradient(row, conic, dy, s0, s1, s2):
    """Add one image row's gradient of centre (2) and conic (3) to a pair's row.

    ``s0``, ``s1``, ``s2`` are the row's sums of dL/dsigma times 1, dx and dx^2; dy is constant.
    """
    half = conic.dtype.type(0.5)
    row[0] += conic[0] * s1 + conic[1] * dy * s0
    row[1] += conic[1] * s1 + conic[2] * dy * s0
    row[2] += half * s2
    row[3] += dy * s1
    row[4] += half * dy * dy * s0


@numba.njit(parallel=True, cache=True)
def blend_adjoint(
    means2d, conics, extents, shaped, opacities, offsets, ids, alpha, last, vimage, valpha, moves
):
    """Return the gradients of every (tile, Gaussian) pair: [P, 6 + D].

    Columns: means2d (2), conics (3), opacity (1), colors (D).  ``shaped`` [N, S] holds the first S
    ``colors``: up to the last channel that may move the geometry, zero in those among them that may
    not (colour-only gradients).  ``vimage`` [H, W, D] and ``valpha`` [H, W] are the gradients of
    `blend`'s outputs.  Without ``moves`` the first six columns stay zero: frozen Gaussians do not
    pay for what nobody reads.
    """
    grads = np.zeros((ids.shape[0], 6 + vimage.shape[2]), means2d.dtype)
    for tile in numba.prange(offsets.shape[0] - 1):
        _blend_tile_adjoint(
            tile,
            means2d,
            conics,
            extents,
            shaped,
            opacities,
            offsets,
            ids,
            alpha,
            last,
            vimage,
            valpha,
            moves,
            grads,
        )
    return grads
