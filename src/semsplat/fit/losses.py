"""Reconstruction losses."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from semsplat.fit.ssim_cpu import C1, C2, REACH, WINDOW, mean_ssim, mean_ssim_adjoint


@cache
def _window(device: torch.device, dtype: torch.dtype) -> Tensor:
    """Return SSIM's window [2 REACH + 1]; made anew, the GPU would be waited for."""
    return torch.tensor([*WINDOW[:0:-1], *WINDOW], dtype=dtype, device=device)


def gaussian_blur(images: Tensor) -> Tensor:
    """Blur [C, H, W] with SSIM's window; beyond the border lie zeros, as in 3DGS."""
    kernel = _window(images.device, images.dtype)
    n, pad = len(images), REACH
    rows = F.conv2d(images[None], kernel.expand(n, 1, 1, -1), padding=(0, pad), groups=n)
    return F.conv2d(rows, kernel[:, None].expand(n, 1, -1, 1), padding=(pad, 0), groups=n)[0]


class SsimByTorch(torch.autograd.Function):
    """SSIM with its gradient written out: three blurs back instead of autograd's fifteen."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor) -> Tensor:
        """Return the mean over [C, H, W]."""
        mx, my, xx, yy, xy = gaussian_blur(torch.cat([x, y, x * x, y * y, x * y])).chunk(5)
        means, spreads = mx * mx + my * my + C1, xx + yy - mx * mx - my * my + C2
        luminance, contrast = 2 * mx * my + C1, 2 * (xy - mx * my) + C2
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


class SsimByNumba(torch.autograd.Function):
    """The same of [H, W, C] images by the compiled loops of `ssim_cpu`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor) -> Tensor:
        """Return the mean."""
        lines = [image.detach().contiguous().flatten(1).numpy() for image in (x, y)]
        value, slopes = mean_ssim(*lines, x.shape[2])
        ctx.saved = (*lines, x.shape[2], slopes)
        return x.new_tensor(value)

    @staticmethod
    def backward(ctx: Any, v: Tensor) -> tuple[Tensor, None]:
        """Return the gradient of the first image."""
        gradient = mean_ssim_adjoint(*ctx.saved, v.item())
        return torch.from_numpy(gradient).unflatten(1, (-1, ctx.saved[2])), None


def ssim(image: Tensor, target: Tensor) -> Tensor:
    """Return the mean structural similarity of [H, W, 3] images in [0, 1] (Wang et al. 2004).

    Only ``image`` gets a gradient.
    """
    if image.is_cuda:
        return SsimByTorch.apply(image.movedim(-1, 0), target.movedim(-1, 0))
    return SsimByNumba.apply(image, target)


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
