"""Camera paths: smooth closed orbits whose neighbouring views overlap.

Poses are camera to world, float64 [4, 4], OpenCV axes (x right, y down, z forward).
"""

from __future__ import annotations

import math

import numpy as np

from semsplat.data.world.primitives import Floats, Orbit, World


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
    radius = orbit.radius * (1.0 + 0.04 * math.sin(3.0 * angle))
    sway = orbit.bob * math.sin(2.0 * angle + phase)
    side = 0.08 * math.sin(3.0 * angle + 1.0) * np.array([-out[1], out[0]])
    centre = np.array(orbit.centre)
    eye = np.append(centre + radius * out, orbit.height + sway)
    target = np.append(centre - orbit.across * out + side, orbit.target_height + 0.25 * sway)
    return look_at(eye, target)


def camera_path(world: World, n_views: int) -> Floats:
    """Return ``n_views`` poses float64 [n_views, 4, 4] evenly along the world's closed orbit."""
    phase = float(np.random.default_rng([world.seed, 1]).uniform(0.0, 2.0 * math.pi))
    return np.stack([orbit_pose(world.orbit, k / n_views, phase) for k in range(n_views)])
