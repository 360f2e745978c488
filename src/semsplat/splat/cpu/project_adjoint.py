"""The adjoint of `project`, in double precision like it."""

from __future__ import annotations

import numba
import numpy as np

from semsplat.splat.cpu.project import camera_point, dot, footprint, lens_of, row_of


@numba.njit(cache=True, error_model="numpy")
def _covariance_adjoint(covariance, vconics, g):
    """Return the three numbers of Q G Q = -dL/dcov, with Q the conic and G its gradient."""
    a, b, c, det = covariance
    q0, q1, q2 = c / det, -b / det, a / det
    v0, v1, v2 = row_of(vconics, g)
    g0, g1, g2 = v0, v1 / 2, v2
    m00, m01 = q0 * g0 + q1 * g1, q0 * g1 + q1 * g2
    m10, m11 = q1 * g0 + q2 * g1, q1 * g1 + q2 * g2
    return m00 * q0 + m01 * q1, m00 * q1 + m01 * q2, m10 * q1 + m11 * q2


@numba.njit(cache=True, error_model="numpy")
def _factor_adjoint(product, factor):
    """Return dL/dB = -2 Q G Q B, two rows."""
    c00, c01, c11 = product
    (x0, x1, x2), (y0, y1, y2) = factor
    return (
        (-2 * (c00 * x0 + c01 * y0), -2 * (c00 * x1 + c01 * y1), -2 * (c00 * x2 + c01 * y2)),
        (-2 * (c01 * x0 + c11 * y0), -2 * (c01 * x1 + c11 * y1), -2 * (c01 * x2 + c11 * y2)),
    )


@numba.njit(cache=True, error_model="numpy")
def _slopes_adjoint(vrow, along, depths, slopes, depth):
    """Return the gradients of a point's coordinate along an axis of the image and of its depth.

    ``vrow`` is the axis' row of dL/dB; ``along`` and ``depths`` are those coordinates of A.
    """
    vslope, vsink = dot(vrow, along), dot(vrow, depths)
    vdepth = -(vslope * slopes[0] / depth)
    if slopes[2]:  # held: then the second slope depends on the depth alone
        return 0.0, vdepth - vsink * slopes[1] / depth
    return -(vsink * slopes[0] / depth), vdepth - 2 * vsink * slopes[1] / depth


@numba.njit(cache=True, error_model="numpy")
def _rotation_adjoint(q, inv_length, columns):
    """Return the gradient of the quaternion as given, from those of the rotation's columns."""
    w, x, y, z = q
    (v00, v10, v20), (v01, v11, v21), (v02, v12, v22) = columns
    vw = 2 * (x * (v21 - v12) + y * (v02 - v20) + z * (v10 - v01))
    vx = 2 * (-2 * x * (v11 + v22) + y * (v01 + v10) + z * (v02 + v20) + w * (v21 - v12))
    vy = 2 * (x * (v01 + v10) - 2 * y * (v00 + v22) + z * (v12 + v21) + w * (v02 - v20))
    vz = 2 * (x * (v02 + v20) + y * (v12 + v21) - 2 * z * (v00 + v11) + w * (v10 - v01))
    along = w * vw + x * vx + y * vy + z * vz
    return (
        (vw - w * along) * inv_length,
        (vx - x * along) * inv_length,
        (vy - y * along) * inv_length,
        (vz - z * along) * inv_length,
    )


@numba.njit(cache=True, error_model="numpy")
def _world(V, v):
    """Return a gradient in camera coordinates in those of the world."""
    return (
        V[0, 0] * v[0] + V[1, 0] * v[1] + V[2, 0] * v[2],
        V[0, 1] * v[0] + V[1, 1] * v[1] + V[2, 1] * v[2],
        V[0, 2] * v[0] + V[1, 2] * v[1] + V[2, 2] * v[2],
    )


@numba.njit(cache=True, error_model="numpy")
def _half_adjoint(V, vB, slopes, j):
    """Return the gradient of column j of R diag(s)."""
    (x, xz, _), (y, yz, _) = slopes
    return _world(V, (x * vB[0][j], y * vB[1][j], xz * vB[0][j] + yz * vB[1][j]))


@numba.njit(cache=True, error_model="numpy")
def _point_adjoint(p, shape, vB, lenses, vmean2d, vdepth):
    """Return the gradient of the camera point p."""
    (u0, u1, u2), (v0, v1, v2), (w0, w1, w2) = shape.halves
    depths = u2, v2, w2
    vx, zx = _slopes_adjoint(vB[0], (u0, v0, w0), depths, shape.slopes[0], p[2])
    vy, zy = _slopes_adjoint(vB[1], (u1, v1, w1), depths, shape.slopes[1], p[2])
    x, y = vmean2d[0] * lenses[0].focal / p[2], vmean2d[1] * lenses[1].focal / p[2]
    return vx + x, vy + y, zx + zy - (x * p[0] + y * p[1]) / p[2] + vdepth


@numba.njit(parallel=True, cache=True, error_model="numpy")
def project_adjoint(means, quats, scales, V, K, size, eps2d, radii, vmeans2d, vdepths, vconics):
    """Return dL/dmeans [N, 3], dL/dquats [N, 4], dL/dscales [N, 3] of `project`.

    ``vmeans2d`` [N, 2], ``vdepths`` [N], ``vconics`` [N, 3] are the gradients of its outputs;
    culled Gaussians get zeros.
    """
    vmeans, vquats, vscales = np.zeros_like(means), np.zeros_like(quats), np.zeros_like(scales)
    for g in numba.prange(means.shape[0]):
        if radii[g, 0] <= 0:
            continue
        lenses = lens_of(K, size, 0), lens_of(K, size, 1)
        p, scale = camera_point(row_of(means, g), V), row_of(scales, g)
        shape = footprint(g, p, quats, scales, V, lenses, eps2d)
        vB = _factor_adjoint(_covariance_adjoint(shape.covariance, vconics, g), shape.factor)
        vmean2d = np.float64(vmeans2d[g, 0]), np.float64(vmeans2d[g, 1])
        vp = _point_adjoint(p, shape, vB, lenses, vmean2d, vdepths[g])
        vmeans[g, 0], vmeans[g, 1], vmeans[g, 2] = _world(V, vp)
        u, v, w = (
            _half_adjoint(V, vB, shape.slopes, 0),
            _half_adjoint(V, vB, shape.slopes, 1),
            _half_adjoint(V, vB, shape.slopes, 2),
        )
        axes = shape.axes
        vscales[g, 0], vscales[g, 1], vscales[g, 2] = (
            dot(u, axes[0]),
            dot(v, axes[1]),
            dot(w, axes[2]),
        )
        columns = (
            (u[0] * scale[0], u[1] * scale[0], u[2] * scale[0]),
            (v[0] * scale[1], v[1] * scale[1], v[2] * scale[1]),
            (w[0] * scale[2], w[1] * scale[2], w[2] * scale[2]),
        )
        vq = _rotation_adjoint(shape.unit, shape.inv_length, columns)
        vquats[g, 0], vquats[g, 1], vquats[g, 2], vquats[g, 3] = vq
    return vmeans, vquats, vscales
