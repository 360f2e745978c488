"""EWA projection of 3-D Gaussians to the image plane (Zwicker et al. 2002; 3DGS).

Conventions, culling rule and the opacity-aware extent equal gsplat 1.5's CUDA kernel, so that both
backends see the same radii.  Covariances are never formed in 3-D: with ``A = V R diag(s)`` the
screen covariance is ``(J A)(J A)^T``, which keeps it symmetric positive by construction.

Computed in double precision whatever the arrays are: of a needle, single precision loses the
determinant of the screen covariance by cancellation, and with it image and gradients.  Vectors and
matrices are tuples of numbers: an array made for one Gaussian costs more than its projection.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numba
import numpy as np

MAX_EXTENT = 3.33
"""Standard deviations after which a fully opaque Gaussian falls below `ALPHA_MIN` (gsplat 1.5)."""

ALPHA_MIN = 1.0 / 255.0
"""Contributions below this opacity are skipped (3DGS)."""


class Lens(NamedTuple):
    """One axis of the image: a point at (p, depth) comes to focal p / depth + centre."""

    focal: float  # pixels
    centre: float  # pixels
    low: float  # p / depth below which the local affine map is held
    high: float


class Footprint(NamedTuple):
    """What the projection of one Gaussian and its adjoint share; columns of 3x3 matrices."""

    unit: tuple  # quaternion wxyz of length 1
    inv_length: float  # 1 over that of the quaternion as given
    axes: tuple  # R
    halves: tuple  # A = V R diag(s)
    slopes: tuple  # of x and y: d pixel / dp, d pixel / d depth, and whether the map is held
    factor: tuple  # the two rows of B = J A; the screen covariance is B B^T
    covariance: tuple  # a, b, c of [[a, b], [b, c]] with eps2d on the diagonal, and a c - b^2


@numba.njit(cache=True, error_model="numpy")
def lens_of(K, size, axis):
    """Return the `Lens` of an axis of the image.

    p / depth is limited to 1.3 times the field of view, as 3DGS does, because the affine
    approximation explodes beyond it.
    """
    focal, centre, n_pixels = K[axis, axis], K[axis, 2], size[axis]
    margin = 0.3 * 0.5 * n_pixels / focal
    return Lens(focal, centre, -centre / focal - margin, (n_pixels - centre) / focal + margin)


@numba.njit(cache=True, error_model="numpy")
def dot(a, b):
    """Return the product of two vectors of 3."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@numba.njit(cache=True, error_model="numpy")
def row_of(array, i):
    """Return the first three numbers of a row in double precision."""
    return np.float64(array[i, 0]), np.float64(array[i, 1]), np.float64(array[i, 2])


@numba.njit(cache=True, error_model="numpy")
def camera_point(mean, V):
    """Return the mean in camera coordinates."""
    x, y, z = dot(row_of(V, 0), mean), dot(row_of(V, 1), mean), dot(row_of(V, 2), mean)
    return x + V[0, 3], y + V[1, 3], z + V[2, 3]


@numba.njit(cache=True, error_model="numpy")
def _unit(quats, g):
    """Return quaternion g (wxyz, any length) at length 1, and 1 over its length."""
    w, (x, y, z) = np.float64(quats[g, 0]), row_of(quats[:, 1:], g)
    inv = 1 / math.sqrt(w * w + x * x + y * y + z * z)
    return (w * inv, x * inv, y * inv, z * inv), inv


@numba.njit(cache=True, error_model="numpy")
def _axes(q):
    """Return the columns of the rotation of the quaternion q (wxyz) of length 1."""
    w, x, y, z = q
    return (
        (1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)),
        (2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)),
        (2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)),
    )


@numba.njit(cache=True, error_model="numpy")
def _slopes(lens, p, depth):
    """Return d pixel / dp and d pixel / d depth of the local affine map, and whether it is held."""
    ratio = p / depth
    limited = min(max(ratio, lens.low), lens.high)
    return lens.focal / depth, -lens.focal * limited / depth, limited != ratio


@numba.njit(cache=True, error_model="numpy")
def _half(V, axis, scale):
    """Return a column of A: a half axis of the ellipsoid as the camera sees it."""
    x, y, z = dot(row_of(V, 0), axis), dot(row_of(V, 1), axis), dot(row_of(V, 2), axis)
    return x * scale, y * scale, z * scale


@numba.njit(cache=True, error_model="numpy")
def footprint(g, p, quats, scales, V, lenses, eps2d):
    """Return the `Footprint` of Gaussian g at the camera point p."""
    unit, inv_length = _unit(quats, g)
    axes, scale = _axes(unit), row_of(scales, g)
    u, v, w = _half(V, axes[0], scale[0]), _half(V, axes[1], scale[1]), _half(V, axes[2], scale[2])
    x, y = _slopes(lenses[0], p[0], p[2]), _slopes(lenses[1], p[1], p[2])
    factor = (
        (x[0] * u[0] + x[1] * u[2], x[0] * v[0] + x[1] * v[2], x[0] * w[0] + x[1] * w[2]),
        (y[0] * u[1] + y[1] * u[2], y[0] * v[1] + y[1] * v[2], y[0] * w[1] + y[1] * w[2]),
    )
    a, b, c = dot(factor[0], factor[0]), dot(factor[0], factor[1]), dot(factor[1], factor[1])
    a, c = a + eps2d, c + eps2d
    return Footprint(unit, inv_length, axes, (u, v, w), (x, y), factor, (a, b, c, a * c - b * b))


@numba.njit(cache=True, error_model="numpy")
def _half_sizes(opacity, a, c):
    """Return the exact half sizes in pixels of the ellipse where alpha >= 1/255."""
    extent = min(MAX_EXTENT, math.sqrt(2 * math.log(opacity / ALPHA_MIN)))
    return extent * math.sqrt(a), extent * math.sqrt(c)


@numba.njit(parallel=True, cache=True, error_model="numpy")
def project(means, quats, scales, opacities, V, K, size, planes, eps2d, radius_clip):
    """Project N Gaussians into one camera.

    Args:
        means, quats, scales, opacities: [N, 3], [N, 4] wxyz, [N, 3], [N], one float type.
        V, K: world-to-camera [4, 4] and intrinsics [3, 3], float64.
        size: (width, height) in pixels.
        planes: (near, far) depths between which a Gaussian is drawn.
        eps2d: pixels^2 added to the diagonal of the screen covariance.
        radius_clip: Gaussians not larger than this many pixels are skipped.

    Returns:
        radii [N, 2] int32 (0 = culled), means2d [N, 2], depths [N], conics [N, 3],
        extents [N, 2]: the exact half sizes in pixels of the ellipse where alpha >= 1/255, and
        ellipses [N, 3]: (along, lean, down) of sigma = along (dx + lean dy)^2 + down dy^2, a sum of
        squares, which rounding cannot cancel as it can the conic's three terms.
    """
    n, dtype = means.shape[0], means.dtype
    radii = np.zeros((n, 2), np.int32)
    means2d, depths, conics = np.zeros((n, 2), dtype), np.zeros(n, dtype), np.zeros((n, 3), dtype)
    extents, ellipses = np.zeros((n, 2), dtype), np.zeros((n, 3), dtype)
    for g in numba.prange(n):
        lenses = lens_of(K, size, 0), lens_of(K, size, 1)
        p, opacity = camera_point(row_of(means, g), V), np.float64(opacities[g])
        if not (planes[0] < p[2] < planes[1] and ALPHA_MIN <= opacity <= 1):
            continue
        a, b, c, det = footprint(g, p, quats, scales, V, lenses, eps2d).covariance
        u, v = lenses[0].focal * p[0] / p[2] + K[0, 2], lenses[1].focal * p[1] / p[2] + K[1, 2]
        if not (det > 0 and math.isfinite(u) and math.isfinite(v) and math.isfinite(a + c)):
            continue
        ex, ey = _half_sizes(opacity, a, c)
        rx, ry = math.ceil(ex), math.ceil(ey)
        if rx <= radius_clip and ry <= radius_clip:
            continue
        if u + rx <= 0 or u - rx >= size[0] or v + ry <= 0 or v - ry >= size[1]:
            continue
        radii[g, 0], radii[g, 1] = rx, ry
        means2d[g, 0], means2d[g, 1], depths[g] = u, v, p[2]
        conics[g, 0], conics[g, 1], conics[g, 2] = c / det, -b / det, a / det
        extents[g, 0], extents[g, 1] = ex, ey
        ellipses[g, 0], ellipses[g, 1], ellipses[g, 2] = 0.5 * c / det, -b / c, 0.5 / c
    return radii, means2d, depths, conics, extents, ellipses
