"""Dense CLIP maps: a vector for every patch of an image from one forward pass."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor


def whole_patches(image: NDArray[np.uint8], scale: float, patch: int) -> NDArray[np.uint8]:
    """Return an image uint8 [H, W, 3] resized by about ``scale`` (bilinear) to whole patches."""
    height, width = (max(1, round(side * scale / patch)) * patch for side in image.shape[:2])
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)


def value_map(visual: Any, images: Tensor) -> Tensor:
    """Return MaskCLIP's dense map: what the last attention would pool, left where it stands.

    The last block's attention is replaced by its value and output projections alone, followed by
    CLIP's final norm and projection (Zhou et al. 2022, Extract Free Dense Labels from CLIP, section
    3.2).  Vectors are not normalised.

    Args:
        visual: an open_clip ``VisionTransformer``.
        images: [B, 3, H, W], normalised; H and W are multiples of the patch side, any size.

    Returns:
        [B, D, H / patch, W / patch].
    """
    tokens, (rows, columns) = _embed(visual, images)
    *blocks, last = visual.transformer.resblocks
    for block in blocks:
        tokens = block(tokens)
    width = tokens.shape[-1]
    weight, bias = last.attn.in_proj_weight[2 * width :], last.attn.in_proj_bias[2 * width :]
    values = last.attn.out_proj(F.linear(last.ln_1(tokens[:, 1:]), weight, bias))
    vectors: Tensor = visual.ln_post(values) @ visual.proj
    return vectors.transpose(1, 2).unflatten(2, (rows, columns))


def _embed(visual: Any, images: Tensor) -> tuple[Tensor, tuple[int, int]]:
    """Return class and patch tokens [B, 1 + N, C] with positions, and the grid (rows, columns)."""
    patches = visual.conv1(images)
    rows, columns = patches.shape[2:]
    tokens = patches.flatten(2).transpose(1, 2)
    own = visual.positional_embedding
    first = visual.class_embedding.to(tokens.dtype).expand(len(tokens), 1, -1)
    positions = positions_for(own, visual.grid_size, (rows, columns)).to(tokens.dtype)
    placed: Tensor = visual.ln_pre(torch.cat([first, tokens], dim=1) + positions)
    return placed, (rows, columns)


def positions_for(own: Tensor, trained: tuple[int, int], grid: tuple[int, int]) -> Tensor:
    """Return the positional embedding [1 + rows * columns, C] of a grid, bicubic for another one.

    Args:
        own: [1 + rows * columns, C], the class token's first.
        trained: rows and columns of the grid that it was trained with.
        grid: rows and columns.
    """
    if grid == tuple(trained):
        return own
    known = own[1:].T.unflatten(1, tuple(trained))[None]
    resized = F.interpolate(known, grid, mode="bicubic", align_corners=False)
    return torch.cat([own[:1], resized[0].flatten(1).T])
