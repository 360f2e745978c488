"""Compiled intersections: where a ray enters a box, a ball or a capped cone, and which comes first.

Rays are tuples of floats ``(x, y, z)``; distances are metres; ``FAR`` stands for "no hit", because
fast maths has no infinity.  Only entry points count: no ray starts inside a primitive.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from semsplat.data.world.primitives import Shape

FAR = 1e9
_LIFT = 1e-4
_TINY = 1e-12
_BOX, _ELLIPSOID = int(Shape.BOX), int(Shape.ELLIPSOID)


class SceneArrays(NamedTuple):
    """A world as the kernel reads it: P primitives grouped by I instances, L light points."""

    shape: NDArray[np.int64]  # [P]
    inverse: NDArray[np.float64]  # [P, 3, 4] world to unit shape
    taper: NDArray[np.float64]  # [P, 2]
    half: NDArray[np.float64]  # [P, 3] metres
    pattern: NDArray[np.int64]  # [P]
    frequency: NDArray[np.float64]  # [P] periods per metre
    base: NDArray[np.float64]  # [P, 3] linear RGB
    accent: NDArray[np.float64]  # [P, 3]
    specular: NDArray[np.float64]  # [P]
    glow: NDArray[np.float64]  # [P]
    ball: NDArray[np.float64]  # [P, 4] bounding sphere of a primitive: centre, radius
    first: NDArray[np.int64]  # [I + 1] first primitive of an instance
    sphere: NDArray[np.float64]  # [I, 4] bounding sphere of an instance
    casts: NDArray[np.bool_]  # [I] whether it throws a shadow
    light_points: NDArray[np.float64]  # [L, 3]
    light_color: NDArray[np.float64]  # [3]
    ambient: float
    fill: NDArray[np.float64]  # [4] unit direction to the fill light, its strength


@njit(error_model="numpy")
def _hit_box(o: Any, d: Any) -> Any:
    """Return distance and normal where a ray enters the unit box."""
    near, far, axis, sign = -FAR, FAR, 0, 1.0
    for a in range(3):
        step = d[a] if abs(d[a]) > _TINY else _TINY
        t0, t1 = (-1.0 - o[a]) / step, (1.0 - o[a]) / step
        low, high = min(t0, t1), max(t0, t1)
        if low > near:
            near, axis = low, a
            sign = -1.0 if step > 0.0 else 1.0
        far = min(far, high)
    if near > far:
        return FAR, 0.0, 0.0, 1.0
    if axis == 0:
        return near, sign, 0.0, 0.0
    if axis == 1:
        return near, 0.0, sign, 0.0
    return near, 0.0, 0.0, sign


@njit(error_model="numpy")
def _hit_ball(o: Any, d: Any) -> Any:
    """Return distance and normal where a ray enters the unit ball."""
    a = d[0] * d[0] + d[1] * d[1] + d[2] * d[2]
    b = o[0] * d[0] + o[1] * d[1] + o[2] * d[2]
    c = o[0] * o[0] + o[1] * o[1] + o[2] * o[2] - 1.0
    disc = b * b - a * c
    if disc <= 0.0:
        return FAR, 0.0, 0.0, 1.0
    t = (-b - math.sqrt(disc)) / a
    return t, o[0] + t * d[0], o[1] + t * d[1], o[2] + t * d[2]


@njit(error_model="numpy")
def _hit_cone_side(o: Any, d: Any, mean: float, slope: float) -> Any:
    """Return distance and normal where a ray enters the side ``radius = mean + slope z``."""
    radius = mean + slope * o[2]
    a = d[0] * d[0] + d[1] * d[1] - slope * slope * d[2] * d[2]
    b = o[0] * d[0] + o[1] * d[1] - slope * d[2] * radius
    c = o[0] * o[0] + o[1] * o[1] - radius * radius
    disc = b * b - a * c
    if disc > 0.0 and abs(a) > _TINY:
        root = math.sqrt(disc)
        for sign in (-1.0, 1.0):
            t = (-b + sign * root) / a
            x, y, z = o[0] + t * d[0], o[1] + t * d[1], o[2] + t * d[2]
            nz = -slope * (mean + slope * z)
            if abs(z) < 1.0 and x * d[0] + y * d[1] + nz * d[2] < 0.0:
                return t, x, y, nz
    return FAR, 0.0, 0.0, 1.0


@njit(error_model="numpy")
def _hit_cone(o: Any, d: Any, low: float, high: float) -> Any:
    """Return distance and normal where a ray enters a capped cone of end radii ``low, high``."""
    if abs(d[2]) > _TINY:
        z = -1.0 if d[2] > 0.0 else 1.0
        t = (z - o[2]) / d[2]
        x, y = o[0] + t * d[0], o[1] + t * d[1]
        end = low if z < 0.0 else high
        if x * x + y * y < end * end:
            return t, 0.0, 0.0, z
    return _hit_cone_side(o, d, 0.5 * (low + high), 0.5 * (high - low))


@njit(error_model="numpy")
def _to_local(m: Any, o: Any, d: Any) -> Any:
    """Take a world ray into a primitive's unit frame by its inverse transform [3, 4]."""
    return (
        (
            m[0, 0] * o[0] + m[0, 1] * o[1] + m[0, 2] * o[2] + m[0, 3],
            m[1, 0] * o[0] + m[1, 1] * o[1] + m[1, 2] * o[2] + m[1, 3],
            m[2, 0] * o[0] + m[2, 1] * o[1] + m[2, 2] * o[2] + m[2, 3],
        ),
        (
            m[0, 0] * d[0] + m[0, 1] * d[1] + m[0, 2] * d[2],
            m[1, 0] * d[0] + m[1, 1] * d[1] + m[1, 2] * d[2],
            m[2, 0] * d[0] + m[2, 1] * d[1] + m[2, 2] * d[2],
        ),
    )


@njit(error_model="numpy")
def _hit(scene: SceneArrays, p: int, o: Any, d: Any) -> Any:
    """Return distance and local normal where a world ray enters primitive ``p``."""
    lo, ld = _to_local(scene.inverse[p], o, d)
    if scene.shape[p] == _BOX:
        return _hit_box(lo, ld)
    if scene.shape[p] == _ELLIPSOID:
        return _hit_ball(lo, ld)
    return _hit_cone(lo, ld, scene.taper[p, 0], scene.taper[p, 1])


@njit(error_model="numpy")
def _near_ray(ball: Any, o: Any, d: Any, spread: float) -> bool:
    """Whether a bounding sphere touches the cone of rays within ``spread`` of a ray."""
    cx, cy, cz = ball[0] - o[0], ball[1] - o[1], ball[2] - o[2]
    along = cx * d[0] + cy * d[1] + cz * d[2]
    if along < -ball[3]:
        return False
    reach = ball[3] + spread * (along + ball[3])
    return cx * cx + cy * cy + cz * cz - along * along <= reach * reach


@njit(error_model="numpy")
def _near_box(scene: SceneArrays, p: int, o: Any, d: Any, spread: float) -> bool:
    """Whether rays within ``spread`` of a ray may touch the box around primitive ``p``."""
    lo, ld = _to_local(scene.inverse[p], o, d)
    ball = scene.ball[p]
    dx, dy, dz = ball[0] - o[0], ball[1] - o[1], ball[2] - o[2]
    margin = spread * (math.sqrt(dx * dx + dy * dy + dz * dz) + ball[3])
    near, far = 0.0, FAR
    for a in range(3):
        reach = 1.0 + margin / scene.half[p, a]
        step = ld[a] if abs(ld[a]) > _TINY else _TINY
        t0, t1 = (-reach - lo[a]) / step, (reach - lo[a]) / step
        near, far = max(near, min(t0, t1)), min(far, max(t0, t1))
    return near <= far


@njit(error_model="numpy")
def candidates(scene: SceneArrays, o: Any, d: Any, spread: float, primitives: Any) -> int:
    """Write the primitives that rays within ``spread`` of a ray may hit; return their number."""
    count = 0
    for i in range(scene.sphere.shape[0]):
        if _near_ray(scene.sphere[i], o, d, spread):
            for p in range(scene.first[i], scene.first[i + 1]):
                if _near_ray(scene.ball[p], o, d, spread) and _near_box(scene, p, o, d, spread):
                    primitives[count] = p
                    count += 1
    return count


@njit(error_model="numpy")
def nearest(scene: SceneArrays, primitives: Any, count: int, o: Any, d: Any) -> Any:
    """Return the first primitive hit (-1 for none), the distance and the local normal."""
    best, hit, nx, ny, nz = FAR, -1, 0.0, 0.0, 1.0
    for k in range(count):
        t, x, y, z = _hit(scene, primitives[k], o, d)
        if _LIFT < t < best:
            best, hit, nx, ny, nz = t, primitives[k], x, y, z
    return hit, best, (nx, ny, nz)


@njit(error_model="numpy")
def blocked(scene: SceneArrays, o: Any, d: Any, far: float) -> bool:
    """Whether anything that throws a shadow lies on a ray before ``far``."""
    for i in range(scene.sphere.shape[0]):
        if scene.casts[i] and _near_ray(scene.sphere[i], o, d, 0.0):
            for p in range(scene.first[i], scene.first[i + 1]):
                if _near_ray(scene.ball[p], o, d, 0.0):
                    t = _hit(scene, p, o, d)[0]
                    if _LIFT < t < far:
                        return True
    return False
