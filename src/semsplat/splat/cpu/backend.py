"""`rasterize` on CPU tensors."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from semsplat.splat.channels import shaping_mask, with_background, with_depth
from semsplat.splat.cpu.autograd import Blend, Camera, Harmonics, Project, bin_visible
from semsplat.splat.cpu.bins import TILE


def rasterize_cpu(
    means: Tensor,
    quats: Tensor,
    scales: Tensor,
    opacities: Tensor,
    colors: Tensor,
    viewmats: Tensor,
    Ks: Tensor,
    width: int,
    height: int,
    *,
    planes: tuple[float, float],
    radius_clip: float,
    eps2d: float,
    sh_degree: int | None,
    backgrounds: Tensor | None,
    render_mode: str,
    extra_signals: Tensor | None,
    geometry_channels: int | None,
) -> tuple[Tensor, Tensor, dict[str, Any]]:
    """Splat on the CPU, one camera after the other; arguments and result as `rasterize`."""
    cameras = [
        Camera(V.numpy(), K.numpy(), (width, height), planes, eps2d, radius_clip)
        for V, K in zip(viewmats.contiguous(), Ks.contiguous(), strict=True)
    ]
    projected = [Project.apply(means, quats, scales, opacities, camera) for camera in cameras]
    means2d, depths, conics, radii, extents = (torch.stack(t) for t in zip(*projected, strict=True))
    images, alphas, pairs = [], [], []
    for c, camera in enumerate(cameras):
        channels = _channels(means, colors, extra_signals, sh_degree, viewmats[c], radii[c])
        shaping = shaping_mask(channels, geometry_channels)
        channels, shaping = with_depth(channels, shaping, depths[c], render_mode)
        bins = bin_visible(radii[c], depths[c], means2d[c], extents[c], camera)
        image, alpha = Blend.apply(
            means2d[c], conics[c], channels, opacities, extents[c], bins, camera, shaping
        )
        images.append(image)
        alphas.append(alpha)
        pairs.append(bins)
    image, alpha = torch.stack(images), torch.stack(alphas)[..., None]
    meta = {
        "batch_ids": None,
        "camera_ids": None,
        "gaussian_ids": None,
        "radii": radii,
        "means2d": means2d,
        "depths": depths,
        "conics": conics,
        "opacities": opacities.expand(len(cameras), -1),
        "tile_width": -(-width // TILE),
        "tile_height": -(-height // TILE),
        "tile_size": TILE,
        "isect_offsets": [torch.from_numpy(p.offsets) for p in pairs],
        "flatten_ids": [torch.from_numpy(p.ids) for p in pairs],
        "width": width,
        "height": height,
        "n_batches": 1,
        "n_cameras": len(cameras),
    }
    return with_background(image, alpha, backgrounds, render_mode), alpha, meta


def _channels(
    means: Tensor,
    colors: Tensor,
    extra: Tensor | None,
    degree: int | None,
    viewmat: Tensor,
    radii: Tensor,
) -> Tensor:
    """Return the values to blend [N, D + E] for one camera."""
    if degree is not None:
        centre = -viewmat[:3, :3].T @ viewmat[:3, 3]
        colors = Harmonics.apply(means, colors, degree, centre.numpy(), radii)
    return colors if extra is None else torch.cat([colors, extra], dim=-1)
