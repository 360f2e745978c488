"""What both backends do to channels around the blending: depth, background, gradient masks."""

from __future__ import annotations

import torch
from torch import Tensor


def shaping_mask(channels: Tensor, geometry_channels: int | None) -> Tensor:
    """Return [D] ones for the leading channels that may move the geometry, zeros for the others."""
    mask = torch.ones(channels.shape[-1], dtype=channels.dtype, device=channels.device)
    if geometry_channels is not None:
        mask[geometry_channels:] = 0
    return mask


def with_depth(
    channels: Tensor, shaping: Tensor, depths: Tensor, mode: str
) -> tuple[Tensor, Tensor]:
    """Append (or put in the place of) the channels the depth [N] that ``mode`` asks for."""
    if mode == "RGB":
        return channels, shaping
    if mode in ("D", "ED"):
        channels, shaping = channels[:, :0], shaping[:0]
    return torch.cat([channels, depths[:, None]], -1), torch.cat([shaping, shaping.new_ones(1)])


def with_background(image: Tensor, alpha: Tensor, backgrounds: Tensor | None, mode: str) -> Tensor:
    """Fill what stays transparent with [C, D] and turn accumulated into expected depth.

    ``image`` [C, H, W, D (+ 1)], ``alpha`` [C, H, W, 1].  The depth channel has no background.
    """
    color, depth = (image, None) if mode == "RGB" else (image[..., :-1], image[..., -1:])
    if backgrounds is not None:
        color = color + (1 - alpha) * backgrounds[:, None, None, :]
    if depth is None:
        return color
    if mode.endswith("ED"):
        depth = depth / alpha.clamp(min=1e-10)
    return torch.cat([color, depth], -1)
