"""Reconstruction losses."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

SSIM_WINDOW = 11
SSIM_SIGMA = 1.5
SSIM_C1, SSIM_C2 = 0.01**2, 0.03**2
"""Constants of Wang et al. 2004 for a dynamic range of 1; window and sigma as in 3DGS."""


def gaussian_blur(images: Tensor) -> Tensor:
    """Blur [C, H, W] with SSIM's window; beyond the border lie zeros, as in 3DGS."""
    position = (
        torch.arange(SSIM_WINDOW, dtype=images.dtype, device=images.device) - SSIM_WINDOW // 2
    )
    kernel = torch.exp(-(position**2) / (2 * SSIM_SIGMA**2))
    kernel = kernel / kernel.sum()
    n, pad = len(images), SSIM_WINDOW // 2
    # Two one-dimensional depthwise passes: on a CPU four times faster than one 11 x 11 pass.
    rows = F.conv2d(images[None], kernel.expand(n, 1, 1, -1), padding=(0, pad), groups=n)
    return F.conv2d(rows, kernel[:, None].expand(n, 1, -1, 1), padding=(pad, 0), groups=n)[0]


class _Ssim(torch.autograd.Function):
    """SSIM with its gradient written out: three blurs back instead of autograd's fifteen."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor) -> Tensor:
        """Return the mean over [C, H, W]."""
        mx, my, xx, yy, xy = gaussian_blur(torch.cat([x, y, x * x, y * y, x * y])).chunk(5)
        means, spreads = mx * mx + my * my + SSIM_C1, xx + yy - mx * mx - my * my + SSIM_C2
        luminance, contrast = 2 * mx * my + SSIM_C1, 2 * (xy - mx * my) + SSIM_C2
        scale = 1 / (means * spreads)
        values = luminance * contrast * scale
        by_mx = 2 * my * (contrast - luminance) * scale + 2 * mx * values * (
            1 / spreads - 1 / means
        )
        ctx.save_for_backward(x, y, torch.cat([by_mx, -values / spreads, 2 * luminance * scale]))
        return values.mean()

    @staticmethod
    def backward(ctx: Any, v: Tensor) -> tuple[Tensor, None]:
        """Return the gradient of the first image; the second is a photograph."""
        x, y, slopes = ctx.saved_tensors
        # The blur is its own adjoint: its kernel is symmetric and zeros lie outside.
        by_mean, by_square, by_product = gaussian_blur(slopes).chunk(3)
        return v / x.numel() * (by_mean + 2 * x * by_square + y * by_product), None


def ssim(image: Tensor, target: Tensor) -> Tensor:
    """Return the mean structural similarity of [H, W, 3] images in [0, 1] (Wang et al. 2004).

    Only ``image`` gets a gradient.
    """
    return _Ssim.apply(image.movedim(-1, 0), target.movedim(-1, 0))


def reconstruction_terms(image: Tensor, target: Tensor, ssim_lambda: float) -> dict[str, Tensor]:
    """Return 3DGS's loss (Eq. 7) as its two terms: (1 - lambda) L1 and lambda (1 - SSIM).

    ``image``, ``target``: [H, W, 3] in [0, 1].
    """
    return {
        "l1": (1 - ssim_lambda) * (image - target).abs().mean(),
        "dssim": ssim_lambda * (1 - ssim(image, target)),
    }


def psnr(image: Tensor, target: Tensor) -> Tensor:
    """Return the peak signal-to-noise ratio in dB of two images in [0, 1]."""
    return -10 * torch.log10(((image - target) ** 2).mean())
