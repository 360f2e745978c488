"""EWA projection of 3-D Gaussians to the image plane and its adjoint (Zwicker et al. 2002; 3DGS).

Conventions, culling rule and the opacity-aware extent equal gsplat 1.5's CUDA kernel, so that both
backends see the same radii.  Covariances are never formed in 3-D: with ``A = V R diag(s)`` the
screen covariance is ``(J A)(J A)^T``, which keeps it symmetric positive by construction.
"""

from __future__ import annotations

import math

import numba
import numpy as np

MAX_EXTENT = 3.33
"""Standard deviations after which a fully opaque Gaussian falls below `ALPHA_MIN` (gsplat 1.5)."""

ALPHA_MIN = 1.0 / 255.0
"""Contributions below this opacity are skipped (3DGS)."""


@numba.njit(cache=True, error_model="numpy")
def _rotation(q, R):
    """Fill R [3, 3] from the quaternion q (wxyz, any length); return 1 / |q|."""
    inv = 1 / math.sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3])
    w, x, y, z = q[0] * inv, q[1] * inv, q[2] * inv, q[3] * inv
    R[0, 0], R[0, 1], R[0, 2] = 1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)
    R[1, 0], R[1, 1], R[1, 2] = 2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)
    R[2, 0], R[2, 1], R[2, 2] = 2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)
    return inv


@numba.njit(cache=True, error_model="numpy")
def _camera_point(mean, V, p):
    """Fill p [3] with the mean in camera coordinates."""
    for i in range(3):
        p[i] = V[i, 0] * mean[0] + V[i, 1] * mean[1] + V[i, 2] * mean[2] + V[i, 3]


@numba.njit(cache=True, error_model="numpy")
def _jacobian(p, K, size, J):
    """Fill J [2, 3], the local affine map of the projection; return which axes were clamped.

    x/z and y/z are limited to 1.3 times the field of view, as 3DGS does, because the affine
    approximation explodes beyond it.
    """
    clamped = (False, False)
    for i in range(2):
        margin = 0.3 * 0.5 * size[i] / K[i, i]
        low = -K[i, 2] / K[i, i] - margin
        high = (size[i] - K[i, 2]) / K[i, i] + margin
        ratio = p[i] / p[2]
        limited = min(max(ratio, low), high)
        if limited != ratio:
            clamped = (True, clamped[1]) if i == 0 else (clamped[0], True)
        J[i, 0] = 0
        J[i, 1] = 0
        J[i, i] = K[i, i] / p[2]
        J[i, 2] = -K[i, i] * limited / p[2]
    return clamped


@numba.njit(cache=True, error_model="numpy")
def _screen_factor(V, R, scale, J, A, B):
    """Fill A = V R diag(scale) [3, 3] and B = J A [2, 3]; cov2d is B B^T."""
    for i in range(3):
        for j in range(3):
            A[i, j] = (V[i, 0] * R[0, j] + V[i, 1] * R[1, j] + V[i, 2] * R[2, j]) * scale[j]
    for i in range(2):
        for j in range(3):
            B[i, j] = J[i, i] * A[i, j] + J[i, 2] * A[2, j]


@numba.njit(parallel=True, cache=True, error_model="numpy")
def project(means, quats, scales, opacities, V, K, size, planes, eps2d, radius_clip):
    """Project N Gaussians into one camera.

    Args:
        means, quats, scales, opacities: [N, 3], [N, 4] wxyz, [N, 3], [N], one float type.
        V, K: world-to-camera [4, 4] and intrinsics [3, 3] of the same float type.
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
    n = means.shape[0]
    radii = np.zeros((n, 2), np.int32)
    means2d = np.zeros((n, 2), means.dtype)
    depths = np.zeros(n, means.dtype)
    conics = np.zeros((n, 3), means.dtype)
    extents, ellipses = np.zeros((n, 2), means.dtype), np.zeros((n, 3), means.dtype)
    for g in numba.prange(n):
        p, R, A = (
            np.empty(3, means.dtype),
            np.empty((3, 3), means.dtype),
            np.empty((3, 3), means.dtype),
        )
        J, B = np.empty((2, 3), means.dtype), np.empty((2, 3), means.dtype)
        _camera_point(means[g], V, p)
        if not (planes[0] < p[2] < planes[1] and ALPHA_MIN <= opacities[g] <= 1):
            continue
        _rotation(quats[g], R)
        _jacobian(p, K, size, J)
        _screen_factor(V, R, scales[g], J, A, B)
        a = B[0, 0] * B[0, 0] + B[0, 1] * B[0, 1] + B[0, 2] * B[0, 2] + eps2d
        b = B[0, 0] * B[1, 0] + B[0, 1] * B[1, 1] + B[0, 2] * B[1, 2]
        c = B[1, 0] * B[1, 0] + B[1, 1] * B[1, 1] + B[1, 2] * B[1, 2] + eps2d
        det = a * c - b * b
        if not det > 0:
            continue
        extent = min(MAX_EXTENT, math.sqrt(2 * math.log(opacities[g] / ALPHA_MIN)))
        u = K[0, 0] * p[0] / p[2] + K[0, 2]
        v = K[1, 1] * p[1] / p[2] + K[1, 2]
        if not (math.isfinite(u) and math.isfinite(v) and math.isfinite(a + c)):
            continue
        ex, ey = extent * math.sqrt(a), extent * math.sqrt(c)
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


@numba.njit(cache=True, error_model="numpy")
def _rotation_adjoint(q, inv, vR, out):
    """Add to out [4] the gradient of the unnormalised quaternion q given vR = dL/dR."""
    w, x, y, z = q[0] * inv, q[1] * inv, q[2] * inv, q[3] * inv
    vw = 2 * (x * (vR[2, 1] - vR[1, 2]) + y * (vR[0, 2] - vR[2, 0]) + z * (vR[1, 0] - vR[0, 1]))
    vx = 2 * (
        -2 * x * (vR[1, 1] + vR[2, 2])
        + y * (vR[0, 1] + vR[1, 0])
        + z * (vR[0, 2] + vR[2, 0])
        + w * (vR[2, 1] - vR[1, 2])
    )
    vy = 2 * (
        x * (vR[0, 1] + vR[1, 0])
        - 2 * y * (vR[0, 0] + vR[2, 2])
        + z * (vR[1, 2] + vR[2, 1])
        + w * (vR[0, 2] - vR[2, 0])
    )
    vz = 2 * (
        x * (vR[0, 2] + vR[2, 0])
        + y * (vR[1, 2] + vR[2, 1])
        - 2 * z * (vR[0, 0] + vR[1, 1])
        + w * (vR[1, 0] - vR[0, 1])
    )
    along = w * vw + x * vx + y * vy + z * vz
    out[0] += (vw - w * along) * inv
    out[1] += (vx - x * along) * inv
    out[2] += (vy - y * along) * inv
    out[3] += (vz - z * along) * inv


@numba.njit(cache=True, error_model="numpy")
def _jacobian_adjoint(p, K, J, clamped, vJ, vp):
    """Add to vp [3] the gradient of the camera point given vJ = dL/dJ [2, 3]."""
    for i in range(2):
        vp[2] -= vJ[i, i] * J[i, i] / p[2]
        if clamped[i]:  # then J[i, 2] depends on the depth alone
            vp[2] -= vJ[i, 2] * J[i, 2] / p[2]
        else:
            vp[i] -= vJ[i, 2] * J[i, i] / p[2]
            vp[2] -= 2 * vJ[i, 2] * J[i, 2] / p[2]


@numba.njit(parallel=True, cache=True, error_model="numpy")
def project_adjoint(means, quats, scales, V, K, size, radii, conics, vmeans2d, vdepths, vconics):
    """Return dL/dmeans [N, 3], dL/dquats [N, 4], dL/dscales [N, 3] of `project`.

    ``vmeans2d`` [N, 2], ``vdepths`` [N], ``vconics`` [N, 3] are the gradients of its outputs;
    culled Gaussians get zeros.
    """
    n = means.shape[0]
    vmeans, vquats, vscales = np.zeros_like(means), np.zeros_like(quats), np.zeros_like(scales)
    for g in numba.prange(n):
        if radii[g, 0] <= 0:
            continue
        p, R, A = (
            np.empty(3, means.dtype),
            np.empty((3, 3), means.dtype),
            np.empty((3, 3), means.dtype),
        )
        J, B = np.empty((2, 3), means.dtype), np.empty((2, 3), means.dtype)
        vB, vJ = np.empty((2, 3), means.dtype), np.zeros((2, 3), means.dtype)
        vR, vp = np.empty((3, 3), means.dtype), np.zeros(3, means.dtype)
        _camera_point(means[g], V, p)
        inv = _rotation(quats[g], R)
        clamped = _jacobian(p, K, size, J)
        _screen_factor(V, R, scales[g], J, A, B)
        # dL/dcov = -Q G Q with Q the conic and G its symmetric gradient; then vB = 2 dL/dcov B.
        q0, q1, q2 = conics[g, 0], conics[g, 1], conics[g, 2]
        g0, g1, g2 = vconics[g, 0], vconics[g, 1] / 2, vconics[g, 2]
        m00, m01 = q0 * g0 + q1 * g1, q0 * g1 + q1 * g2
        m10, m11 = q1 * g0 + q2 * g1, q1 * g1 + q2 * g2
        c00, c01, c11 = m00 * q0 + m01 * q1, m00 * q1 + m01 * q2, m10 * q1 + m11 * q2
        for j in range(3):
            vB[0, j] = -2 * (c00 * B[0, j] + c01 * B[1, j])
            vB[1, j] = -2 * (c01 * B[0, j] + c11 * B[1, j])
        for i in range(2):
            for j in range(3):
                vJ[i, i] += vB[i, j] * A[i, j]
                vJ[i, 2] += vB[i, j] * A[2, j]
        _jacobian_adjoint(p, K, J, clamped, vJ, vp)
        for i in range(2):
            vp[i] += vmeans2d[g, i] * K[i, i] / p[2]
            vp[2] -= vmeans2d[g, i] * K[i, i] * p[i] / (p[2] * p[2])
        vp[2] += vdepths[g]
        for j in range(3):
            a0, a1 = J[0, 0] * vB[0, j], J[1, 1] * vB[1, j]
            a2 = J[0, 2] * vB[0, j] + J[1, 2] * vB[1, j]
            for i in range(3):
                vM = V[0, i] * a0 + V[1, i] * a1 + V[2, i] * a2
                vR[i, j] = vM * scales[g, j]
                vscales[g, j] += vM * R[i, j]
            vmeans[g, j] = V[0, j] * vp[0] + V[1, j] * vp[1] + V[2, j] * vp[2]
        _rotation_adjoint(quats[g], inv, vR, vquats[g])
    return vmeans, vquats, vscales
