"""The compiled pixel loop of the ray caster: anti-aliasing, shading and soft shadows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit, prange

from semsplat.data.world.intersect import SceneArrays, blocked, candidates, nearest
from semsplat.data.world.texture import pattern_weight

_SHADOW_LIFT = 1e-3
_SHININESS = 40.0


@njit(error_model="numpy")
def _local_point(scene: SceneArrays, p: int, x: Any) -> Any:
    """Return a world point in a primitive's own frame, in metres."""
    m, half = scene.inverse[p], scene.half[p]
    return (
        half[0] * (m[0, 0] * x[0] + m[0, 1] * x[1] + m[0, 2] * x[2] + m[0, 3]),
        half[1] * (m[1, 0] * x[0] + m[1, 1] * x[1] + m[1, 2] * x[2] + m[1, 3]),
        half[2] * (m[2, 0] * x[0] + m[2, 1] * x[1] + m[2, 2] * x[2] + m[2, 3]),
    )


@njit(error_model="numpy")
def _world_normal(scene: SceneArrays, p: int, n: Any) -> Any:
    """Return the unit world normal of a local normal (transformed by the inverse transpose)."""
    m = scene.inverse[p]
    x = m[0, 0] * n[0] + m[1, 0] * n[1] + m[2, 0] * n[2]
    y = m[0, 1] * n[0] + m[1, 1] * n[1] + m[2, 1] * n[2]
    z = m[0, 2] * n[0] + m[1, 2] * n[1] + m[2, 2] * n[2]
    scale = 1.0 / math.sqrt(x * x + y * y + z * z)
    return x * scale, y * scale, z * scale


@njit(error_model="numpy")
def _direct_light(scene: SceneArrays, j: int, point: Any, n: Any, d: Any) -> Any:
    """Return diffuse and specular light from light point ``j``, zero in shadow.

    The falloff is softer than the inverse square, so that one exposure suits the whole room.
    """
    light = scene.light_points[j]
    lx, ly, lz = light[0] - point[0], light[1] - point[1], light[2] - point[2]
    far = math.sqrt(lx * lx + ly * ly + lz * lz)
    lx, ly, lz = lx / far, ly / far, lz / far
    facing = lx * n[0] + ly * n[1] + lz * n[2]
    if facing <= 0.0 or blocked(scene, point, (lx, ly, lz), far):
        return 0.0, 0.0
    hx, hy, hz = lx - d[0], ly - d[1], lz - d[2]
    size = math.sqrt(hx * hx + hy * hy + hz * hz)
    mirror = max(0.0, (hx * n[0] + hy * n[1] + hz * n[2]) / size)
    beam = 0.4 + 0.6 * max(0.0, lz)
    return beam * facing / (0.5 + 0.25 * far * far), mirror**_SHININESS


@njit(error_model="numpy")
def _shade(scene: SceneArrays, p: int, t: float, n: Any, o: Any, d: Any, j: int) -> Any:
    """Return the linear radiance (r, g, b) that a ray sees on primitive ``p`` at distance ``t``."""
    surface = (o[0] + t * d[0], o[1] + t * d[1], o[2] + t * d[2])
    local = _local_point(scene, p, surface)
    shape, radius = scene.shape[p], scene.half[p, 0]
    mix = pattern_weight(scene.pattern[p], scene.frequency[p], shape, radius, local, n)
    w = _world_normal(scene, p, n)
    lifted = (
        surface[0] + _SHADOW_LIFT * w[0],
        surface[1] + _SHADOW_LIFT * w[1],
        surface[2] + _SHADOW_LIFT * w[2],
    )
    diffuse, mirror = _direct_light(scene, j, lifted, w, d)
    fill = w[0] * scene.fill[0] + w[1] * scene.fill[1] + w[2] * scene.fill[2]
    soft = scene.ambient * (0.75 + 0.25 * w[2]) + scene.fill[3] * max(0.0, fill) + scene.glow[p]
    shine = 0.3 * scene.specular[p] * mirror
    base, accent, light = scene.base[p], scene.accent[p], scene.light_color
    return (
        (base[0] + mix * (accent[0] - base[0])) * (diffuse * light[0] + soft) + shine * light[0],
        (base[1] + mix * (accent[1] - base[1])) * (diffuse * light[1] + soft) + shine * light[1],
        (base[2] + mix * (accent[2] - base[2])) * (diffuse * light[2] + soft) + shine * light[2],
    )


@njit(error_model="numpy")
def _pixel_ray(pose: Any, focal: float, x: float, y: float) -> Any:
    """Return the unit world direction through an image point and its share of camera z."""
    length = math.sqrt(x * x + y * y + focal * focal)
    x, y, z = x / length, y / length, focal / length
    return (
        pose[0, 0] * x + pose[0, 1] * y + pose[0, 2] * z,
        pose[1, 0] * x + pose[1, 1] * y + pose[1, 2] * z,
        pose[2, 0] * x + pose[2, 1] * y + pose[2, 2] * z,
    ), z


@njit(error_model="numpy")
def _trace_pixel(
    scene: SceneArrays, pose: Any, focal: float, x: float, y: float, grid: int, primitives: Any
) -> Any:
    """Return mean radiance (r, g, b) of a pixel and, at its centre, primitive id and z-depth.

    Sample ``s`` of the ``grid x grid`` sub-pixels is lit by light point ``s``: the average over a
    pixel is a soft shadow without noise.  Only primitives near the pixel's cone are tested.
    """
    o = (pose[0, 3], pose[1, 3], pose[2, 3])
    d, z = _pixel_ray(pose, focal, x, y)
    count = candidates(scene, o, d, 0.75 / focal, primitives)
    centre, depth, _ = nearest(scene, primitives, count, o, d)
    r, g, b = 0.0, 0.0, 0.0
    for s in range(grid * grid):
        dx, dy = (s % grid + 0.5) / grid - 0.5, (s // grid + 0.5) / grid - 0.5
        ray, _ = _pixel_ray(pose, focal, x + dx, y + dy)
        p, t, n = nearest(scene, primitives, count, o, ray)
        if p >= 0:
            color = _shade(scene, p, t, n, o, ray, s)
            r, g, b = r + color[0], g + color[1], b + color[2]
    total = float(grid * grid)
    return (r / total, g / total, b / total), centre, depth * z if centre >= 0 else 0.0


@njit(cache=True, error_model="numpy", parallel=True)
def trace_image(
    scene: SceneArrays, pose: Any, width: int, height: int, focal: float, grid: int
) -> Any:
    """Trace a picture: radiance float32 [H, W, 3], primitive ids int32 [H, W], z float32 [H, W].

    ``pose`` float64 [4, 4] is camera to world in OpenCV axes, ``focal`` is in pixels; a pixel that
    sees nothing gets id -1, depth 0 and black.  Rows are independent, so threads change nothing.
    """
    radiance = np.zeros((height, width, 3), np.float32)
    ids = np.full((height, width), -1, np.int32)
    depth = np.zeros((height, width), np.float32)
    for row in prange(height):
        primitives = np.empty(scene.shape.shape[0], np.int64)
        y = row + 0.5 - 0.5 * height
        for col in range(width):
            x = col + 0.5 - 0.5 * width
            color, p, z = _trace_pixel(scene, pose, focal, x, y, grid, primitives)
            radiance[row, col, 0] = color[0]
            radiance[row, col, 1] = color[1]
            radiance[row, col, 2] = color[2]
            ids[row, col] = p
            depth[row, col] = z
    return radiance, ids, depth
