"""`rasterize` on CUDA tensors: stock gsplat, no fork."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from semsplat.splat.channels import with_background
from semsplat.splat.kernels_gpu import load_kernels
from semsplat.splat.request import Request


def rasterize_cuda(request: Request) -> tuple[Tensor, Tensor, dict[str, Any]]:
    """Splat with gsplat's kernels; result as `rasterize`.

    Channels that must not move the geometry are blended by a second call on detached geometry:
    gsplat's kernel has no such switch.
    """
    channels = _channels(request)
    split = channels.shape[-1] if request.geometry_channels is None else request.geometry_channels
    # Expected depth is divided here, after the channels of the second call have joined.
    mode = request.render_mode.replace("ED", "D")
    geometry = (request.means, request.quats, request.scales, request.opacities)
    image, alpha, meta = _gsplat(request, geometry, channels[..., :split], mode)
    if split < channels.shape[-1] and mode != "D":
        fixed = tuple(tensor.detach() for tensor in geometry)
        rest, _, _ = _gsplat(request, fixed, channels[..., split:], "RGB")
        image = torch.cat([image[..., :split], rest, image[..., split:]], -1)
    image = with_background(image, alpha, request.backgrounds, request.render_mode)
    return image, alpha, meta


def _gsplat(
    request: Request, geometry: tuple[Tensor, ...], channels: Tensor, mode: str
) -> tuple[Tensor, Tensor, dict[str, Any]]:
    """Call gsplat with the request's cameras and limits."""
    from gsplat import rasterization

    load_kernels()
    if empty := not channels.shape[-1]:  # its kernels want a channel
        channels = torch.zeros_like(request.opacities)[:, None]
    image, alpha, meta = rasterization(
        *geometry,
        channels,
        request.viewmats,
        request.Ks,
        request.width,
        request.height,
        near_plane=request.near_plane,
        far_plane=request.far_plane,
        radius_clip=request.radius_clip,
        eps2d=request.eps2d,
        packed=False,
        render_mode=mode,
    )
    return image[..., 1:] if empty and mode != "D" else image, alpha, meta


def _channels(request: Request) -> Tensor:
    """Return the values to blend, [N, D + E] or, with harmonics, [C, N, D + E]."""
    colors, extra = request.colors, request.extra_signals
    if request.sh_degree is not None:
        from gsplat import spherical_harmonics

        n_cameras = len(request.viewmats)
        inverse, _ = torch.linalg.inv_ex(request.viewmats)  # inv waits for the GPU to say it exists
        centres = inverse[:, :3, 3]
        directions = request.means[None] - centres[:, None]
        coeffs = colors.expand(n_cameras, -1, -1, -1)
        colors = (spherical_harmonics(request.sh_degree, directions, coeffs) + 0.5).clamp_min(0)
        extra = extra if extra is None else extra.expand(n_cameras, -1, -1)
    return colors if extra is None else torch.cat([colors, extra], -1)
