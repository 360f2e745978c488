"""One differentiable rasteriser, two backends: the device of the tensors decides."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from semsplat.splat.cpu.backend import rasterize_cpu
from semsplat.splat.cuda_backend import rasterize_cuda
from semsplat.splat.request import RenderMode, Request


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
    request = Request(**locals())
    request.check()
    return rasterize_cuda(request) if means.is_cuda else rasterize_cpu(request)
