"""Compiled procedural textures: a mixing weight in [0, 1] for a point on a primitive.

All of them are band-limited (soft edges), so that a few samples a pixel suffice and a coarse
Gaussian splat can follow them.
"""

from __future__ import annotations

import math
from typing import Any

from numba import njit

from semsplat.data.world.primitives import Pattern, Shape

_TINY = 1e-12
_TAU = 2.0 * math.pi
_BOX, _ELLIPSOID = int(Shape.BOX), int(Shape.ELLIPSOID)
_CHECKS, _STRIPES, _CLOUDS = int(Pattern.CHECKS), int(Pattern.STRIPES), int(Pattern.CLOUDS)
_WOOD, _DOTS, _PATCHES = int(Pattern.WOOD), int(Pattern.DOTS), int(Pattern.PATCHES)


@njit(error_model="numpy")
def _soft_square(x: float) -> float:
    """A square wave of period 1 in [-1, 1] with softened edges, so that it is band-limited."""
    return min(1.0, max(-1.0, 3.0 * math.sin(_TAU * x)))


@njit(error_model="numpy")
def _soft_step(x: float) -> float:
    """Rise smoothly from 0 at ``x = 0`` to 1 at ``x = 1``."""
    x = min(1.0, max(0.0, x))
    return x * x * (3.0 - 2.0 * x)


@njit
def _lattice(x: int, y: int, z: int) -> float:
    """A fixed pseudo-random number in [0, 1) for an integer lattice point."""
    n = (x * 374761393 + y * 668265263 + z * 1440662683) & 0xFFFFFFFF
    n = ((n ^ (n >> 13)) * 1274126177) & 0xFFFFFFFF
    return ((n ^ (n >> 16)) & 0xFFFFFF) / 16777216.0


@njit(error_model="numpy")
def _noise(x: float, y: float, z: float) -> float:
    """Smooth value noise in [0, 1] with features of size 1."""
    ix, iy, iz = math.floor(x), math.floor(y), math.floor(z)
    fx, fy, fz = _soft_step(x - ix), _soft_step(y - iy), _soft_step(z - iz)
    value = 0.0
    for a in range(2):
        for b in range(2):
            for c in range(2):
                weight = (fx if a else 1 - fx) * (fy if b else 1 - fy) * (fz if c else 1 - fz)
                value += weight * _lattice(ix + a, iy + b, iz + c)
    return value


@njit(error_model="numpy")
def _surface_uv(shape: int, point: Any, n: Any, radius: float, frequency: float) -> Any:
    """Return texture coordinates in periods for a metric local point with local normal ``n``.

    A cone of nominal ``radius`` carries a whole number of periods, so that no seam shows.
    """
    x, y, z = point
    if shape == _BOX:
        if abs(n[0]) > 0.5:
            return y * frequency, z * frequency
        if abs(n[1]) > 0.5:
            return x * frequency, z * frequency
    elif shape != _ELLIPSOID and abs(n[0]) + abs(n[1]) > _TINY:
        around = math.atan2(y, x) / _TAU
        periods = max(2.0, math.floor(_TAU * radius * frequency + 0.5))
        return around * periods, z * frequency
    return x * frequency, y * frequency


@njit(error_model="numpy")
def _flat_pattern(kind: int, u: float, v: float) -> float:
    """Return the weight of a pattern that lives on the surface, at ``u, v`` in periods."""
    if kind == _CHECKS:
        return 0.5 + 0.5 * _soft_square(u) * _soft_square(v)
    if kind == _STRIPES:
        return 0.5 + 0.5 * _soft_square(u)
    if kind == _DOTS:
        du, dv = u - math.floor(u) - 0.5, v - math.floor(v) - 0.5
        return _soft_step((0.36 - math.sqrt(du * du + dv * dv)) / 0.12)
    plank = math.floor(v)
    before, here = _lattice(plank - 1, 7, 3), _lattice(plank, 7, 3)
    return before + (here - before) * _soft_step((v - plank) / 0.15)


@njit(error_model="numpy")
def _solid_pattern(kind: int, x: float, y: float, z: float) -> float:
    """Return the weight of a pattern that fills space, at a point in periods."""
    if kind == _WOOD:
        return 0.5 + 0.5 * math.sin(_TAU * (y + z + 1.2 * _noise(0.25 * x, 0.6 * y, z)))
    if kind == _PATCHES:
        return _soft_step((_noise(2.0 * x, 2.0 * y, 2.0 * z) - 0.38) / 0.24)
    return 0.65 * _noise(x, y, z) + 0.35 * _noise(2.0 * x + 9.0, 2.0 * y, 2.0 * z)


@njit(error_model="numpy")
def pattern_weight(
    kind: int, frequency: float, shape: int, radius: float, point: Any, normal: Any
) -> float:
    """Return how much accent colour a metric local point with local normal ``normal`` shows."""
    x, y, z = point
    if kind == 0:
        return 0.0
    if kind in (_CLOUDS, _WOOD, _PATCHES):
        return _solid_pattern(kind, x * frequency, y * frequency, z * frequency)
    u, v = _surface_uv(shape, point, normal, radius, frequency)
    return _flat_pattern(kind, u, v)
