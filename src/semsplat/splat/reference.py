"""The brute-force rasteriser: every Gaussian at every pixel, in plain torch.

Slow and memory-hungry on purpose: it is the truth for tests and the yardstick of benchmarks.
Projection and harmonics come from gsplat's own torch code, so that they are independent of ours.
"""

from __future__ import annotations

import torch
from gsplat.cuda._torch_impl import (
    _fully_fused_projection,
    _quat_scale_to_covar_preci,
    _spherical_harmonics,
)
from torch import Tensor

from semsplat.splat.cpu.blend import TRANSMITTANCE_MIN
from semsplat.splat.cpu.project import ALPHA_MIN
from semsplat.splat.cpu.tile import ALPHA_MAX


def rasterize_reference(
    means: Tensor,
    quats: Tensor,
    scales: Tensor,
    opacities: Tensor,
    colors: Tensor,
    viewmat: Tensor,
    K: Tensor,
    width: int,
    height: int,
    sh_degree: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Return image [H, W, D] and alpha [H, W] of one camera; arguments as `rasterize`.

    Memory grows as N x H x W.
    """
    covars, _ = _quat_scale_to_covar_preci(quats, scales, True, False)
    radii, means2d, depths, conics, _ = _fully_fused_projection(
        means, covars, viewmat[None], K[None], width, height
    )
    if sh_degree is not None:
        directions = means - torch.linalg.inv(viewmat)[:3, 3]
        colors = (_spherical_harmonics(sh_degree, directions, colors) + 0.5).clamp_min(0)
    visible = torch.where(radii[0, :, 0] > 0)[0]
    order = visible[torch.argsort(depths[0, visible], stable=True)]
    weights, left = blending_weights(
        means2d[0, order], conics[0, order], opacities[order], width, height
    )
    return torch.einsum("nhw,nd->hwd", weights, colors[order]), 1 - left


def blending_weights(
    means2d: Tensor, conics: Tensor, opacities: Tensor, width: int, height: int
) -> tuple[Tensor, Tensor]:
    """Return the weights a_i T_i [N, H, W], front to back, and the final transmittance [H, W]."""
    y, x = torch.meshgrid(
        torch.arange(height, dtype=means2d.dtype) + 0.5,
        torch.arange(width, dtype=means2d.dtype) + 0.5,
        indexing="ij",
    )
    dx, dy = means2d[:, 0, None, None] - x, means2d[:, 1, None, None] - y
    q = conics[:, :, None, None]
    sigma = 0.5 * (q[:, 0] * dx * dx + q[:, 2] * dy * dy) + q[:, 1] * dx * dy
    alpha = (opacities[:, None, None] * torch.exp(-sigma)).clamp(max=ALPHA_MAX)
    alpha = torch.where((alpha >= ALPHA_MIN) & (sigma >= 0), alpha, torch.zeros_like(alpha))
    after = torch.cumprod(1 - alpha, 0)
    # Transmittance only falls, so the first Gaussian that would go below the floor ends the pixel.
    alpha = torch.where(after > TRANSMITTANCE_MIN, alpha, torch.zeros_like(alpha))
    after = torch.cumprod(1 - alpha, 0)
    before = torch.cat([torch.ones_like(after[:1]), after[:-1]])
    return alpha * before, after[-1] if len(after) else torch.ones_like(x)
