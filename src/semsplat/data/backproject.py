"""Depth maps to points: initial Gaussians where no structure from motion is at hand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semsplat.data.poses import rigid_inverse


class InitialPoints:
    """Points of the training views, the same number from each as far as it divides."""

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
        pixels = np.stack([u + 0.5, v + 0.5, np.ones(len(chosen))], axis=1)  # [N, 3]
        in_camera = pixels @ np.linalg.inv(K).T * depth[v, u, None]
        c2w = rigid_inverse(viewmat)
        self._xyz.append(in_camera @ c2w[:3, :3].T + c2w[:3, 3])
        self._rgb.append(image[v, u])

    def noisy(self) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Return (xyz float32 [N, 3] with noise, rgb uint8 [N, 3])."""
        xyz = np.concatenate(self._xyz)
        xyz += self._rng.normal(0.0, self._noise_m, xyz.shape)
        return xyz.astype(np.float32), np.concatenate(self._rgb)
