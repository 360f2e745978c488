"""Sparse codes over a codebook (LangSplatV2): what Gaussians hold, how it is decoded and compared.

A code c has K coefficients, few of which are not 0; it stands for the vector c B of the codebook B
[K, D].  Blending is linear, so that codes are blended, K numbers wide, and the codebook is
multiplied once, afterwards.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from semsplat.train.mixture import Mixture

TINY = 1e-9
"""Below any squared length of a pixel's vector that is more than rounding."""


def sparse_codes(logits: Tensor, top: int) -> Tensor:
    """Return softmax(logits) [..., K] with all but its ``top`` largest set to 0, of sum 1.

    That is the softmax of the largest logits alone; the others get no gradient.
    """
    kept = torch.full_like(logits, -torch.inf).scatter(-1, logits.topk(top, dim=-1).indices, 0.0)
    return (logits + kept).softmax(dim=-1)


def cosine_distance(codes: Tensor, targets: Tensor, codebook: Tensor) -> Tensor:
    """Return 1 - cos(c B, f) of every pixel, [P], for targets f of length 1.

    Multiplied out, (c B) . f = c . (B f) and |c B|^2 = c (B B^T) c: of no pixel the vector itself
    is made.

    Args:
        codes: c, [P, K]; a pixel whose code is 0 has a distance of 1.
        targets: B f, [P, K].
        codebook: B, [K, D].
    """
    return 1 - (codes * targets).sum(dim=-1) / _squares(codes, codebook).clamp(min=TINY).sqrt()


def squared_distance(codes: Tensor, targets: Tensor, codebook: Tensor) -> Tensor:
    """Return |c B - f|^2 of every pixel, [P], for targets f of length 1; see `cosine_distance`."""
    return _squares(codes, codebook) - 2 * (codes * targets).sum(dim=-1) + 1


def _squares(codes: Tensor, codebook: Tensor) -> Tensor:
    """Return |c B|^2 of codes [P, K], [P]."""
    return ((codes @ (codebook @ codebook.T)) * codes).sum(dim=-1)


def first_entries(vectors: Tensor, entries: int, seed: int) -> Tensor:
    """Return a codebook [K, D] of the means of vectors [R, D] that k-means finds, of length 1.

    Where there are no more different vectors than entries they are entries themselves, in turn.
    """
    from scipy.cluster.vq import kmeans2

    vectors = vectors.unique(dim=0)
    if len(vectors) <= entries:
        return F.normalize(vectors[torch.arange(entries) % len(vectors)], dim=-1)
    rows = vectors.double().numpy()
    means, _ = kmeans2(rows, entries, minit="++", rng=np.random.default_rng(seed))
    return F.normalize(torch.from_numpy(means), dim=-1).float()


class Codebooks(nn.Module):
    """A codebook per level: unit vectors of blended codes."""

    def __init__(self, levels: int, entries: int, out: int) -> None:
        """Make room for L codebooks of K entries of D numbers."""
        super().__init__()
        self.entries = nn.Parameter(torch.zeros(levels, entries, out))

    def levels(self, blended: Tensor) -> Tensor:
        """Return the codes of every level, [L, ..., K], of blended ones [..., L K]."""
        return blended.unflatten(-1, self.entries.shape[:2]).movedim(-2, 0)

    def forward(self, blended: Tensor) -> Tensor:
        """Return unit vectors [L, ..., D] of blended codes [..., L K]; zeros of zeros."""
        return self.mixture(blended).vectors()

    def mixture(self, blended: Tensor) -> Mixture:
        """Return what `forward` does, its rows not added up yet."""
        return Mixture(self.levels(blended), self.entries)
