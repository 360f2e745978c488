"""Loss terms on class scores and feature maps, and what they compare with."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from semsplat.features.teachers import IGNORED
from semsplat.train.methods import Stage

REGISTER = 16
"""Numbers of a vector register.  Along a last axis of fewer classes PyTorch's CPU kernels take four
times as long as along the first, for the same bits."""


def cross_entropy(scores: Tensor, labels: Tensor) -> Tensor:
    """Return CE(S, labels) (CLIP-GS, Eq. 4 and 5), the mean over pixels that are not ignored.

    Args:
        scores: [H, W, C], logits of the softmax.
        labels: int64 [H, W], `IGNORED` or 1 to C.

    Returns:
        A scalar; 0, with a gradient of zeros, where all pixels are ignored.
    """
    counted = (labels != IGNORED).sum().clamp(min=1)
    rows, targets = scores.flatten(0, 1), labels.flatten() - 1
    if rows.shape[1] < REGISTER:
        rows = _ClassesFirst.apply(rows)[None]
        targets = F.pad(targets, (0, rows.shape[2] - len(targets)), value=IGNORED - 1)[None]
    total = F.cross_entropy(rows, targets, ignore_index=IGNORED - 1, reduction="sum")
    return total / counted


class _ClassesFirst(torch.autograd.Function):
    """[P, C] -> [C, P'], P' the next multiple of `REGISTER`.

    Numbers beside whole registers, and products of gradients in another order, differ in bits.
    """

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        """Return the transpose, zeros behind it."""
        ctx.n = len(rows)
        return F.pad(rows.T, (0, -len(rows) % REGISTER)).contiguous()

    @staticmethod
    def backward(ctx: Any, v: Tensor) -> Tensor:
        """Return the gradient's."""
        return v[:, : ctx.n].T.contiguous()


def dense_map(stage: Stage, name: str) -> Tensor:
    """Return CLIP's dense map of a view, float32 [D, h, w], a unit vector per cell."""
    assert stage.features is not None
    return stage.inputs.get(("dense", name), partial(stage.features.dense, name)).float()


def map_distance(semantics: Tensor, target: Tensor) -> Tensor:
    """Return the mean absolute difference of a blended map and a teacher's (Feature 3DGS, Eq. 6).

    The blended map is averaged over the cells of the teacher's, because a cell describes all of its
    patch.

    Args:
        semantics: [H, W, D].
        target: [D, h, w].
    """
    size = (target.shape[1], target.shape[2])
    cells = F.adaptive_avg_pool2d(semantics.movedim(-1, 0), size)
    return (cells - target).abs().mean()


class TextSimilarity(nn.Module):
    """Cosine similarity of every pixel with every class's text vector."""

    text: Tensor

    def __init__(self, dim: int, n_classes: int) -> None:
        """Hold room for ``text`` [C, D], rows of length 1."""
        super().__init__()
        self.register_buffer("text", torch.zeros(n_classes, dim))

    def forward(self, semantics: Tensor) -> Tensor:
        """Return [..., C] of a map [..., D] of vectors of any length."""
        return F.normalize(semantics, dim=-1) @ self.text.T
