"""Depth maps lifted to points: what two views share, and where Gaussians start."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from semsplat.data.poses import rigid_inverse


class Posed(Protocol):
    """A camera."""

    @property
    def viewmat(self) -> NDArray[np.float64]:
        """World-to-camera [4, 4]."""

    @property
    def K(self) -> NDArray[np.float64]:
        """Intrinsics [3, 3] px."""


def shared_pixels(
    first: Posed,
    first_depth: NDArray[np.float32],
    second: Posed,
    second_depth: NDArray[np.float32],
    tolerance: float,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pixels of the first view that are visible in the second, and where.

    Every pixel centre with known depth is lifted to 3-D and projected into the second view.  It is
    visible where it lands inside, in front of the camera, on a pixel whose depth is known and
    agrees.

    Args:
        first: camera of the first view.
        first_depth: float32 [H, W], z in metres, 0 = unknown.
        second: camera of the second view.
        second_depth: float32 [h, w], as the first.
        tolerance: how far the depths may differ, relative to the one in the second view.

    Returns:
        Two int64 [M]: flat indices into the first view's pixels (ascending) and the second's.
    """
    known = np.flatnonzero(first_depth)
    v, u = np.unravel_index(known, first_depth.shape)
    pixels = np.stack([u + 0.5, v + 0.5, np.ones(len(known))])  # [3, N]
    lifted = np.linalg.inv(first.K) @ pixels * first_depth[v, u]
    to_second = second.viewmat @ rigid_inverse(first.viewmat)
    moved = to_second[:3, :3] @ lifted + to_second[:3, 3:]
    ahead = moved[2] > 0
    known, moved = known[ahead], moved[:, ahead]
    landed = np.floor((second.K @ moved)[:2] / moved[2]).astype(np.int64)
    height, width = second_depth.shape
    inside = (landed >= 0).all(axis=0) & (landed[0] < width) & (landed[1] < height)
    known, depth = known[inside], moved[2, inside]
    target = landed[1, inside] * width + landed[0, inside]
    stored = second_depth.reshape(-1)[target]
    agree = np.abs(depth - stored) <= tolerance * stored  # never where unknown: 0
    return known[agree], target[agree]


def points_at(
    v: NDArray[np.integer[Any]],
    u: NDArray[np.integer[Any]],
    depth: NDArray[np.float32],
    viewmat: NDArray[np.float64],
    K: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return where the centres of pixels lie, float64 [N, 3] in world coordinates.

    Args:
        v: rows [N].
        u: columns [N].
        depth: float32 [H, W], z, known at these pixels.
        viewmat: [4, 4] world-to-camera.
        K: [3, 3] px.
    """
    pixels = np.stack([u + 0.5, v + 0.5, np.ones(len(u))], axis=1)  # [N, 3]
    in_camera = pixels @ np.linalg.inv(K).T * depth[v, u, None]
    c2w = rigid_inverse(viewmat)
    return np.asarray(in_camera @ c2w[:3, :3].T + c2w[:3, 3])


class InitialPoints:
    """Initial Gaussians where no structure from motion is at hand.

    Points of the training views, the same number from each as far as it divides.
    """

    def __init__(self, n_points: int, n_views: int, noise_m: float, seed: int) -> None:
        """Prepare; ``noise_m`` is the standard deviation of positions."""
        self._rng = np.random.default_rng(seed)
        self._noise_m = noise_m
        share, rest = divmod(n_points, max(n_views, 1))
        self._shares = iter([share + (index < rest) for index in range(n_views)])
        self._xyz: list[NDArray[np.float64]] = []
        self._rgb: list[NDArray[np.uint8]] = []

    def add(
        self,
        depth: NDArray[np.float32],  # [H, W] metres, 0 = unknown
        image: NDArray[np.uint8],  # [H, W, 3]
        viewmat: NDArray[np.float64],  # [4, 4] world-to-camera
        K: NDArray[np.float64],  # [3, 3] px
    ) -> None:
        """Take the next training view's share: random pixels with known depth.

        Pixels are drawn without repetition, so there are fewer where fewer are known.
        """
        known = np.flatnonzero(depth)
        chosen = self._rng.choice(known, size=min(next(self._shares), len(known)), replace=False)
        v, u = np.unravel_index(chosen, depth.shape)
        self._xyz.append(points_at(v, u, depth, viewmat, K))
        self._rgb.append(image[v, u])

    def noisy(self) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        """Return (xyz float64 [N, 3] with noise, rgb uint8 [N, 3])."""
        xyz = np.concatenate(self._xyz)
        xyz += self._rng.normal(0.0, self._noise_m, xyz.shape)
        return xyz, np.concatenate(self._rgb)
