"""One differentiable rasteriser, two backends: the device of the tensors decides."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor

from semsplat.errors import SemsplatError
from semsplat.splat.cpu.backend import rasterize_cpu
from semsplat.splat.cuda_backend import rasterize_cuda

RenderMode = Literal["RGB", "D", "ED", "RGB+D", "RGB+ED"]


def rasterize(
    means: Tensor,  # [N, 3]
    quats: Tensor,  # [N, 4] wxyz, any length
    scales: Tensor,  # [N, 3] standard deviations
    opacities: Tensor,  # [N] in (0, 1)
    colors: Tensor,  # [N, D], or [N, K, 3] spherical harmonics with sh_degree
    viewmats: Tensor,  # [C, 4, 4] world to camera
    Ks: Tensor,  # [C, 3, 3] pixels
    width: int,
    height: int,
    *,
    near_plane: float = 0.01,
    far_plane: float = 1e10,
    radius_clip: float = 0.0,
    eps2d: float = 0.3,
    sh_degree: int | None = None,
    backgrounds: Tensor | None = None,  # [C, D + E]
    render_mode: RenderMode = "RGB",
    extra_signals: Tensor | None = None,  # [N, E]
    geometry_channels: int | None = None,
) -> tuple[Tensor, Tensor, dict[str, Any]]:
    """Splat N Gaussians into C cameras (3DGS's alpha blending, gsplat's defaults and thresholds).

    Args:
        means, quats, scales, opacities, colors, viewmats, Ks, width, height, near_plane, far_plane,
            radius_clip, eps2d, sh_degree, backgrounds, render_mode: as ``gsplat.rasterization``.
        extra_signals: further channels, blended in the same pass after the colours.
        geometry_channels: how many leading channels (colours, then extra signals) may move means,
            quats, scales and opacities; the gradient of the others reaches only their own values.
            None: all.  Depth, where rendered, always counts.

    Returns:
        image [C, H, W, D + E (+ 1 with depth, last)], alpha [C, H, W, 1] and meta with gsplat's
        keys; ``meta["means2d"]`` [C, N, 2] takes part in autograd, for densification.

    Raises:
        SemsplatError: inputs of different devices, types or lengths, a harmonic order that the
            coefficients do not hold, or a camera that asks for a gradient.
    """
    _check(means, quats, scales, opacities, colors, viewmats, Ks, sh_degree, extra_signals)
    if geometry_channels == 0:
        raise SemsplatError(
            "rasterize: geometry_channels 0; detach means, quats, scales, opacities"
        )
    backend = rasterize_cuda if means.is_cuda else rasterize_cpu
    return backend(
        means,
        quats,
        scales,
        opacities,
        colors,
        viewmats,
        Ks,
        width,
        height,
        planes=(near_plane, far_plane),
        radius_clip=radius_clip,
        eps2d=eps2d,
        sh_degree=sh_degree,
        backgrounds=backgrounds,
        render_mode=render_mode,
        extra_signals=extra_signals,
        geometry_channels=geometry_channels,
    )


def _check(
    means: Tensor,
    quats: Tensor,
    scales: Tensor,
    opacities: Tensor,
    colors: Tensor,
    viewmats: Tensor,
    Ks: Tensor,
    sh_degree: int | None,
    extra: Tensor | None,
) -> None:
    """Refuse inputs that a kernel would misread."""
    n, c = len(means), len(viewmats)
    expected = {
        "means": (means, (n, 3)),
        "quats": (quats, (n, 4)),
        "scales": (scales, (n, 3)),
        "opacities": (opacities, (n,)),
        "viewmats": (viewmats, (c, 4, 4)),
        "Ks": (Ks, (c, 3, 3)),
    }
    if sh_degree is None:
        expected["colors"] = (colors, (n, colors.shape[-1]))
    else:
        terms = (sh_degree + 1) ** 2
        if not 0 <= sh_degree <= 3 or colors.dim() != 3 or colors.shape[1] < terms:
            raise SemsplatError(
                f"rasterize: sh_degree {sh_degree} (0 to 3) needs colors [N, >= {terms}, 3],"
                f" got {tuple(colors.shape)}"
            )
        expected["colors"] = (colors, (n, colors.shape[1], 3))
    if extra is not None:
        expected["extra_signals"] = (extra, (n, extra.shape[-1]))
    for name, (tensor, shape) in expected.items():
        if tensor.shape != shape or tensor.device != means.device or tensor.dtype != means.dtype:
            raise SemsplatError(
                f"rasterize: {name} must be {shape} {means.dtype} on {means.device},"
                f" got {tuple(tensor.shape)} {tensor.dtype} on {tensor.device}"
            )
    if torch.is_grad_enabled() and (viewmats.requires_grad or Ks.requires_grad):
        raise SemsplatError("rasterize: cameras have no gradient here; detach viewmats and Ks")
