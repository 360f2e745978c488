"""One differentiable rasteriser, two backends: the device of the tensors decides."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from semsplat.splat.cpu.backend import rasterize_cpu
from semsplat.splat.cuda_backend import rasterize_cuda
from semsplat.splat.request import RenderMode, Request


def rasterize(
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
    near_plane: float = 0.01,
    far_plane: float = 1e10,
    radius_clip: float = 0.0,
    eps2d: float = 0.3,
    sh_degree: int | None = None,
    backgrounds: Tensor | None = None,
    render_mode: RenderMode = "RGB",
    extra_signals: Tensor | None = None,
    geometry_channels: int | None = None,
) -> tuple[Tensor, Tensor, dict[str, Any]]:
    """Splat N Gaussians into C cameras (3DGS's alpha blending, gsplat's defaults and thresholds).

    Args:
        means: [N, 3].
        quats: [N, 4] wxyz, of any length.
        scales: [N, 3] standard deviations.
        opacities: [N] in (0, 1).
        colors: [N, D], or [N, K, 3] spherical harmonics with ``sh_degree``.
        viewmats: [C, 4, 4] world to camera.
        Ks: [C, 3, 3], px.
        width: of the image, px.
        height: of the image, px.
        near_plane: nearest z that is drawn; this and what follows as ``gsplat.rasterization``.
        far_plane: farthest z that is drawn.
        radius_clip: Gaussians of a smaller radius are left out, px.
        eps2d: added to the diagonal of projected covariances, px squared.
        sh_degree: highest degree of the harmonics that is evaluated; None where colours are given.
        backgrounds: [C, D + E], what shows where the splat is transparent; None is black.
        render_mode: RGB, D, ED, RGB+D or RGB+ED: colours, depth, expected depth, or two of them.
        extra_signals: [N, E] further channels, blended in the same pass after the colours.
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
