"""`rasterize` on CUDA tensors: stock gsplat, no fork."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from semsplat.splat.channels import with_background


def rasterize_cuda(
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
    """Splat with gsplat's kernels; arguments and result as `rasterize`.

    Channels that must not move the geometry are blended by a second call on detached geometry:
    gsplat's kernel has no such switch.
    """
    from gsplat import rasterization  # its CUDA extension is built on first use

    channels = _channels(means, colors, extra_signals, sh_degree, viewmats)
    split = channels.shape[-1] if geometry_channels is None else geometry_channels
    depth_mode = render_mode != "RGB"
    geometry = (means, quats, scales, opacities)
    options = {
        "near_plane": planes[0],
        "far_plane": planes[1],
        "radius_clip": radius_clip,
        "eps2d": eps2d,
        "packed": False,
    }
    mode = {"RGB": "RGB", "RGB+D": "RGB+D", "RGB+ED": "RGB+D", "D": "D", "ED": "D"}[render_mode]
    image, alpha, meta = rasterization(
        *geometry, channels[..., :split], viewmats, Ks, width, height, render_mode=mode, **options
    )
    if split < channels.shape[-1] and mode != "D":
        fixed = [t.detach() for t in geometry]
        rest, _, _ = rasterization(
            *fixed, channels[..., split:], viewmats, Ks, width, height, render_mode="RGB", **options
        )
        image = torch.cat([image[..., :split], rest, image[..., split:]], -1)
    if not depth_mode:
        return with_background(image, alpha, backgrounds, "RGB"), alpha, meta
    return with_background(image, alpha, backgrounds, render_mode), alpha, meta


def _channels(
    means: Tensor, colors: Tensor, extra: Tensor | None, degree: int | None, viewmats: Tensor
) -> Tensor:
    """Return the values to blend, [N, D + E] or, with harmonics, [C, N, D + E]."""
    if degree is None:
        return colors if extra is None else torch.cat([colors, extra], -1)
    from gsplat import spherical_harmonics

    n_cameras = len(viewmats)
    centres = torch.linalg.inv(viewmats)[:, :3, 3]
    directions = means[None] - centres[:, None]
    rgb = spherical_harmonics(degree, directions, colors.expand(n_cameras, -1, -1, -1))
    rgb = (rgb + 0.5).clamp_min(0)
    return rgb if extra is None else torch.cat([rgb, extra.expand(n_cameras, -1, -1)], -1)
