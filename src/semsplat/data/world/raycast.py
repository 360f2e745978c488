"""Draw a world: camera paths, what a camera sees, and the photograph of it.

Paths are smooth closed orbits whose neighbouring views overlap.  Poses are camera to world,
float64 [4, 4], OpenCV axes (x right, y down, z forward).

But for the sensor's noise nothing here is random: sub-pixel positions and light points are fixed,
so pictures carry no sampling noise, shadows agree between views, and neither threads nor repetition
change a bit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from semsplat.data.world.intersect import SceneArrays
from semsplat.data.world.kernels import trace_image
from semsplat.data.world.primitives import Floats, Light, Orbit, World

_GOLDEN_ANGLE = math.pi * (3.0 - math.sqrt(5.0))
_LOOK = ("frequency", "base", "accent", "specular", "glow")  # of materials, as in `SceneArrays`
_KEY_PERCENTILE = 60.0
_KEY_LEVEL = 0.38
_NOISE_LEVELS = 0.5
_PROBES = 6


@dataclass(frozen=True)
class TracedView:
    """What a camera sees.

    ``radiance`` float32 [H, W, 3] linear RGB, >= 0; ``primitives`` int32 [H, W] index of the
    primitive at the pixel centre, -1 for none; ``depth`` float32 [H, W] camera z in metres there.
    """

    radiance: NDArray[np.float32]
    primitives: NDArray[np.int32]
    depth: NDArray[np.float32]


def look_at(eye: Floats, target: Floats) -> Floats:
    """Return the upright pose float64 [4, 4] at ``eye`` [3] looking at ``target`` [3]."""
    forward = target - eye
    forward = forward / np.linalg.norm(forward)
    right = np.cross(forward, (0.0, 0.0, 1.0))
    right = right / np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1)
    pose[:3, 3] = eye
    return pose


def orbit_pose(orbit: Orbit, turn: float, phase: float) -> Floats:
    """Return the pose float64 [4, 4] at ``turn`` in [0, 1) of an orbit that starts at ``phase``.

    Height and gaze sway by whole periods a turn, so that the path closes smoothly.
    """
    angle = 2.0 * math.pi * turn + phase
    out = np.array([math.cos(angle), math.sin(angle)])
    coming = orbit.nearest + (1.0 - orbit.nearest) * 0.5 * (1.0 + math.cos(5.0 * angle))
    radius = orbit.radius * (1.0 + 0.04 * math.sin(3.0 * angle)) * coming
    sway = orbit.bob * math.sin(2.0 * angle + phase)
    side = 0.08 * math.sin(3.0 * angle + 1.0) * np.array([-out[1], out[0]])
    centre, oval = np.array(orbit.centre), out * (1.0, orbit.stretch)
    eye = np.append(centre + radius * oval, orbit.height + sway)
    target = np.append(centre - orbit.across * oval + side, orbit.target_height + 0.25 * sway)
    return look_at(eye, target)


def camera_path(world: World, n_views: int) -> Floats:
    """Return ``n_views`` poses float64 [n_views, 4, 4] evenly along the world's closed orbit."""
    phase = float(np.random.default_rng([world.seed, 1]).uniform(0.0, 2.0 * math.pi))
    return np.stack([orbit_pose(world.orbit, k / n_views, phase) for k in range(n_views)])


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


def measure_exposure(world: World, hfov_deg: float) -> float:
    """Return the exposure that brings a world's typical surface to a mid tone, for all its views.

    One value serves the whole path, as on a camera with locked exposure.
    """
    poses = camera_path(world, _PROBES)
    views = [render_view(world, pose, 40, 30, hfov_deg, samples=2) for pose in poses]
    luminance = np.stack([v.radiance for v in views]).mean(axis=-1)
    key = float(np.percentile(luminance, _KEY_PERCENTILE))
    return -np.log(1.0 - _KEY_LEVEL) / max(key, 1e-6)


def develop(
    radiance: NDArray[np.float32], exposure: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Return a photograph uint8 [H, W, 3] of radiance [H, W, 3].

    The tone curve ``1 - exp(-x)`` keeps highlights; the noise has half a grey level deviation.
    """
    toned = np.clip(1.0 - np.exp(-exposure * radiance.astype(np.float64)), 0.0, 1.0)
    srgb = np.where(toned <= 0.0031308, 12.92 * toned, 1.055 * toned ** (1 / 2.4) - 0.055)
    noisy = 255.0 * srgb + rng.normal(0.0, _NOISE_LEVELS, srgb.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
