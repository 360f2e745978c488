"""Real spherical harmonics to degree 3, their colours and adjoint (3DGS's basis and signs)."""

from __future__ import annotations

import math

import numba
import numpy as np

C0 = 0.28209479177387814
C1 = 0.4886025119029199
C2 = (1.0925484305920792, 0.31539156525252005, 0.5462742152960396)
C3 = (
    0.5900435899266435,
    2.890611442640554,
    0.4570457994644658,
    0.3731763325901154,
    1.445305721320277,
)


@numba.njit(cache=True, error_model="numpy")
def _basis(degree, x, y, z, Y):
    """Fill Y [16] with the basis functions of the unit direction (x, y, z) up to ``degree``."""
    Y[0] = C0
    if degree > 0:
        Y[1], Y[2], Y[3] = -C1 * y, C1 * z, -C1 * x
    if degree > 1:
        Y[4], Y[5] = C2[0] * x * y, -C2[0] * y * z
        Y[6] = C2[1] * (2 * z * z - x * x - y * y)
        Y[7], Y[8] = -C2[0] * x * z, C2[2] * (x * x - y * y)
    if degree > 2:
        Y[9], Y[10] = -C3[0] * y * (3 * x * x - y * y), C3[1] * x * y * z
        Y[11] = -C3[2] * y * (4 * z * z - x * x - y * y)
        Y[12] = C3[3] * z * (2 * z * z - 3 * x * x - 3 * y * y)
        Y[13] = -C3[2] * x * (4 * z * z - x * x - y * y)
        Y[14], Y[15] = C3[4] * z * (x * x - y * y), -C3[0] * x * (x * x - 3 * y * y)


@numba.njit(cache=True, error_model="numpy")
def _basis_gradient(degree, x, y, z, s, out):
    """Fill out [3] with the gradient of ``sum_k s[k] Y[k]`` with respect to (x, y, z)."""
    out[0], out[1], out[2] = -C1 * s[3], -C1 * s[1], C1 * s[2]
    if degree > 1:
        a, b, c = C2[0], 2 * C2[1], 2 * C2[2]
        out[0] += a * (y * s[4] - z * s[7]) + x * (c * s[8] - b * s[6])
        out[1] += a * (x * s[4] - z * s[5]) - y * (c * s[8] + b * s[6])
        out[2] += -a * (y * s[5] + x * s[7]) + 2 * b * z * s[6]
    if degree > 2:
        xx, yy, zz, xy, xz, yz = x * x, y * y, z * z, x * y, x * z, y * z
        a, b, c, d, e = C3
        out[0] += -6 * a * xy * s[9] + b * yz * s[10] + 2 * c * xy * s[11] - 6 * d * xz * s[12]
        out[0] += (
            -c * (4 * zz - 3 * xx - yy) * s[13] + 2 * e * xz * s[14] - 3 * a * (xx - yy) * s[15]
        )
        out[1] += -3 * a * (xx - yy) * s[9] + b * xz * s[10] - c * (4 * zz - xx - 3 * yy) * s[11]
        out[1] += -6 * d * yz * s[12] + 2 * c * xy * s[13] - 2 * e * yz * s[14] + 6 * a * xy * s[15]
        out[2] += b * xy * s[10] - 8 * c * yz * s[11] + 3 * d * (2 * zz - xx - yy) * s[12]
        out[2] += -8 * c * xz * s[13] + e * (xx - yy) * s[14]


@numba.njit(parallel=True, cache=True)
def sh_colors(degree, means, camera, coeffs, radii):
    """Return the colours [N, 3] seen from ``camera`` [3]: max(0, SH + 0.5); culled ones stay 0.

    ``coeffs`` [N, K, 3] with K >= (degree + 1)^2; ``radii`` [N, 2] tells what is visible.
    """
    colors = np.zeros((means.shape[0], 3), means.dtype)
    terms = (degree + 1) * (degree + 1)
    for g in numba.prange(means.shape[0]):
        if radii[g, 0] <= 0:
            continue
        Y = np.empty(16, means.dtype)
        x, y, z = means[g, 0] - camera[0], means[g, 1] - camera[1], means[g, 2] - camera[2]
        inv = 1 / math.sqrt(x * x + y * y + z * z)
        _basis(degree, x * inv, y * inv, z * inv, Y)
        for k in range(terms):
            for c in range(3):
                colors[g, c] += Y[k] * coeffs[g, k, c]
        for c in range(3):
            colors[g, c] = max(colors[g, c] + 0.5, 0)
    return colors


@numba.njit(parallel=True, cache=True)
def sh_colors_adjoint(degree, means, camera, coeffs, radii, colors, vcolors):
    """Return dL/dmeans [N, 3] and dL/dcoeffs [N, K, 3] of `sh_colors`; clamped colours pass 0."""
    vmeans, vcoeffs = np.zeros_like(means), np.zeros_like(coeffs)
    terms = (degree + 1) * (degree + 1)
    for g in numba.prange(means.shape[0]):
        if radii[g, 0] <= 0:
            continue
        Y, s, v = np.empty(16, means.dtype), np.zeros(16, means.dtype), np.empty(3, means.dtype)
        x, y, z = means[g, 0] - camera[0], means[g, 1] - camera[1], means[g, 2] - camera[2]
        inv = 1 / math.sqrt(x * x + y * y + z * z)
        x, y, z = x * inv, y * inv, z * inv
        _basis(degree, x, y, z, Y)
        for c in range(3):
            if colors[g, c] > 0:
                for k in range(terms):
                    vcoeffs[g, k, c] = Y[k] * vcolors[g, c]
                    s[k] += coeffs[g, k, c] * vcolors[g, c]
        if degree > 0:
            _basis_gradient(degree, x, y, z, s, v)
            along = x * v[0] + y * v[1] + z * v[2]
            vmeans[g, 0] = (v[0] - x * along) * inv
            vmeans[g, 1] = (v[1] - y * along) * inv
            vmeans[g, 2] = (v[2] - z * along) * inv
    return vmeans, vcoeffs
