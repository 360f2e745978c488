"""Where a radiance field has its numbers: a box, and all that lies around it pressed into a rim."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from semsplat.data.poses import camera_centre
from semsplat.data.scene import Scene, Viewpoint, load_points, scene_extent

ALIKE = (0.1, 0.9)
"""Quantiles of the initial points between which the box lies, unless cameras reach further: points
of a random start, or of far away, have no share in it."""
MARGIN = 1.1
"""The box in sizes of what it has to hold."""
FLAT = 1e-3
"""The shortest side of a box, in longest ones."""


@dataclass(frozen=True, eq=False)
class Rays:
    """Lines of sight.

    ``origins`` and ``directions`` float32 [R, 3] in scene units, of length 1; ``per_depth`` [R]:
    the distance along the ray at which z of the camera has grown by 1.
    """

    origins: Tensor
    directions: Tensor
    per_depth: Tensor

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.origins)

    def __getitem__(self, which: slice | Tensor) -> Rays:
        """Return some of them."""
        return Rays(self.origins[which], self.directions[which], self.per_depth[which])


def rays_through(viewmats: Tensor, Ks: Tensor, pixels: Tensor) -> Rays:
    """Return the rays through points of images.

    Args:
        viewmats: [R, 4, 4] or [4, 4], world to camera, OpenCV axes.
        Ks: [R, 3, 3] or [3, 3] px.
        pixels: [R, 2], x and y, the centre of the top-left pixel at (0.5, 0.5).
    """
    fx, fy, cx, cy = (Ks[..., i, j] for i, j in ((0, 0), (1, 1), (0, 2), (1, 2)))
    x, y = (pixels[..., 0] - cx) / fx, (pixels[..., 1] - cy) / fy
    seen = torch.stack([x, y, torch.ones_like(x)], -1)  # camera coordinates, z = 1
    rotation, shift = viewmats[..., :3, :3], viewmats[..., :3, 3]
    directions = torch.einsum("...ji,...j->...i", rotation, seen)
    origins = -torch.einsum("...ji,...j->...i", rotation, shift).expand_as(directions)
    lengths = directions.norm(dim=-1)
    return Rays(origins, directions / lengths[..., None], lengths)


def rays_of(frame: Viewpoint, device: str) -> Rays:
    """Return the rays of all pixels of a view, row by row."""
    y, x = torch.meshgrid(torch.arange(frame.height), torch.arange(frame.width), indexing="ij")
    pixels = (torch.stack([x, y], -1).reshape(-1, 2) + 0.5).to(device)
    viewmat = torch.from_numpy(frame.viewmat).float().to(device)
    return rays_through(viewmat, torch.from_numpy(frame.K).float().to(device), pixels)


def box_of(scene: Scene, extents: float) -> tuple[Tensor, Tensor]:
    """Return centre [3] and half sides [3] of the box that holds cameras and initial points.

    A scene without points gets the cube around its cameras' mean that random Gaussians start in:
    half its side is ``extents`` scene extents.
    """
    centres = np.stack([camera_centre(frame.viewmat) for frame in scene.train])
    if scene.points_path is None:
        middle = centres.mean(0)
        half = np.full(3, extents * (scene_extent(scene) or 1.0))
    else:
        points, _ = load_points(scene)
        low, high = np.quantile(points, ALIKE, axis=0)
        low, high = np.minimum(low, centres.min(0)), np.maximum(high, centres.max(0))
        middle, half = (low + high) / 2, (high - low) / 2 * MARGIN
    half = half.clip(min=FLAT * half.max())
    return torch.from_numpy(middle).float(), torch.from_numpy(half).float()


def contracted(x: Tensor, share: float) -> Tensor:
    """Return a number per axis in [-1, 1]: the box [-1, 1] in the inner ``share``, the rest around.

    Outside it is the contraction of mip-NeRF 360 (Barron et al. 2022, Eq. 10), in nerfacto's
    maximum norm, by axis: sign(x) (share + (1 - share) (1 - 1 / |x|)); nerfacto's share is 0.5.
    """
    size = x.abs().clamp(min=1.0)
    outside = x.sign() * (share + (1 - share) * (1 - 1 / size))
    return torch.where(x.abs() <= 1, share * x, outside)


def spaced(u: Tensor, share: float) -> Tensor:
    """Return where numbers u in [0, 1) lie along a ray that leaves the box at 1.

    Evenly up to there, for ``share`` of them, then evenly in 1 / distance: what undoes
    `contracted`.
    """
    beyond = (1 - share) / (1 - u).clamp(min=1e-6)
    return torch.where(u <= share, u / share, beyond)
