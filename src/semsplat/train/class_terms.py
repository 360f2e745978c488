"""Loss terms on class scores and feature maps, and what they compare with."""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from semsplat.features.teachers import IGNORED
from semsplat.train.methods import Stage


def cross_entropy(scores: Tensor, labels: Tensor) -> Tensor:
    """Return CE(S, labels) (CLIP-GS, Eq. 4 and 5), the mean over pixels that are not ignored.

    Args:
        scores: [H, W, C], logits of the softmax.
        labels: int64 [H, W], `IGNORED` or 1 to C.

    Returns:
        A scalar; 0, with a gradient of zeros, where all pixels are ignored.
    """
    counted = (labels != IGNORED).sum().clamp(min=1)
    total = F.cross_entropy(
        scores.flatten(0, 1), labels.flatten() - 1, ignore_index=IGNORED - 1, reduction="sum"
    )
    return total / counted


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
