"""Draw a world from a camera: radiance, primitive ids and depth.

Nothing here is random: sub-pixel positions and light points are fixed, so pictures carry no
sampling noise, shadows agree between views, and neither threads nor repetition change a bit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from semsplat.data.world.intersect import SceneArrays
from semsplat.data.world.kernels import trace_image
from semsplat.data.world.primitives import Floats, Light, World

_GOLDEN_ANGLE = math.pi * (3.0 - math.sqrt(5.0))
_LOOK = ("frequency", "base", "accent", "specular", "glow")  # of materials, as in `SceneArrays`


@dataclass(frozen=True)
class TracedView:
    """What a camera sees.

    ``radiance`` float32 [H, W, 3] linear RGB, >= 0; ``primitives`` int32 [H, W] index of the
    primitive at the pixel centre, -1 for none; ``depth`` float32 [H, W] camera z in metres there.
    """

    radiance: NDArray[np.float32]
    primitives: NDArray[np.int32]
    depth: NDArray[np.float32]


def focal_length(width: int, hfov_deg: float) -> float:
    """Return the focal length in pixels for a horizontal field of view in degrees."""
    return 0.5 * width / math.tan(math.radians(hfov_deg) / 2.0)


def bounding_sphere(points: Floats) -> Floats:
    """Return centre and radius float64 [4] of a sphere around points float64 [N, 3]."""
    centre = 0.5 * (points.min(axis=0) + points.max(axis=0))
    return np.append(centre, np.linalg.norm(points - centre, axis=1).max() + 1e-6)


def light_points(light: Light, count: int) -> Floats:
    """Return ``count`` points float64 [count, 3] spread evenly over the light (a spiral).

    No two of them share a coordinate, so straight edges throw as many shadow steps as points.
    """
    index = np.arange(count)
    radius, angle = light.radius * np.sqrt((index + 0.5) / count), _GOLDEN_ANGLE * index
    ring = np.stack([radius * np.cos(angle), radius * np.sin(angle), 0.0 * angle], axis=1)
    return ring + np.array(light.centre)


def scene_arrays(world: World, samples: int = 3) -> SceneArrays:
    """Return a world as the kernel reads it, with ``samples**2`` light points."""
    prims = world.primitives
    looks = [p.material for p in prims]
    hulls = [p.hull() for p in prims]
    first = np.searchsorted(world.instance_ids, np.arange(1, len(world.instances) + 2))
    grouped = [np.concatenate(hulls[a:b]) for a, b in pairwise(first)]
    return SceneArrays(
        shape=np.array([p.shape for p in prims], np.int64),
        inverse=np.stack([np.linalg.inv(p.transform)[:3] for p in prims]),
        taper=np.array([p.taper for p in prims]),
        half=np.stack([p.half for p in prims]),
        ball=np.stack([bounding_sphere(h) for h in hulls]),
        first=first.astype(np.int64),
        sphere=np.stack([bounding_sphere(h) for h in grouped]),
        casts=np.array([i.casts_shadow for i in world.instances]),
        light_points=light_points(world.light, samples**2),
        light_color=np.array(world.light.color),
        ambient=float(world.light.ambient),
        fill=np.array(world.light.fill),
        pattern=np.array([look.pattern for look in looks], np.int64),
        **{name: np.array([getattr(look, name) for look in looks]) for name in _LOOK},
    )


def render_view(
    world: World, pose: Floats, width: int, height: int, hfov_deg: float, samples: int = 3
) -> TracedView:
    """Draw a world from a camera.

    ``pose`` [4, 4] is camera to world in OpenCV axes; each pixel averages ``samples**2`` rays, each
    lit by its own point of the area light.
    """
    scene = scene_arrays(world, samples)
    pose64 = np.ascontiguousarray(pose, dtype=np.float64)
    focal = focal_length(width, hfov_deg)
    return TracedView(*trace_image(scene, pose64, width, height, focal, samples))
