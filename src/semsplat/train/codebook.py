"""A scene's codebook: CLIP maps as indices (LEGaussians, Shi et al., CVPR 2024, section 3.2).

Constants of the loss and the schedule are those of the official code's quantizer.  It compares
directions alone, so that vectors of any length are meant as vectors of length 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor
from torch.nn import Parameter
from torch.optim import AdamW
from torch.optim.lr_scheduler import LinearLR

from semsplat.log import progress
from semsplat.params.base import Count, Positive, Strict


class CodebookOptions(Strict):
    """How a scene's CLIP vectors become entries of a table."""

    entries: Count
    """K, rows of the table; the code has 128, in two scenes 64 and 32"""
    lr: Positive
    """AdamW's learning rate at the start"""
    weight_decay: float = Field(ge=0)
    """of AdamW; the code has 0.01"""
    end_factor: Positive
    """share of the rate that is left after ``decay_epochs``, linearly"""
    decay_epochs: Count
    """epochs over which the rate falls; training may end before"""
    epochs: Count
    """passes over all training views"""
    views_per_step: Count
    """in the order of the split, never shuffled"""
    balance: float = Field(ge=0)
    """weight of the load balance"""


def start_of_codebook(entries: int, dim: int, generator: torch.Generator) -> Tensor:
    """Return a table [K, D] to start from: uniform in -1/K to 1/K."""
    return (2 * torch.rand(entries, dim, generator=generator) - 1) / entries


def assigned(vectors: Tensor, codebook: Tensor) -> Tensor:
    """Return the entry with the largest cosine, int64 [...], of vectors [..., D]."""
    return similarities(vectors, codebook).argmax(dim=-1)


def similarities(vectors: Tensor, codebook: Tensor) -> Tensor:
    """Return the cosines [..., K] of vectors [..., D] with the entries [K, D] of any length."""
    return F.normalize(vectors, dim=-1) @ F.normalize(codebook, dim=-1).T


def codebook_loss(vectors: Tensor, codebook: Tensor, balance: float) -> Tensor:
    """Return 1 - mean cosine with the entry assigned, plus the load balance.

    The load balance is sum_k f_k p_k: the share f_k of vectors that are assigned to entry k, times
    the mean p_k of softmax(cosines) over vectors.  No gradient flows through f_k.

    Args:
        vectors: [P, D].
        codebook: [K, D].
        balance: the weight of the load balance; the code has 1.
    """
    cosines = similarities(vectors, codebook)
    best, entry = cosines.max(dim=-1)
    share = F.one_hot(entry, len(codebook)).to(cosines.dtype).mean(dim=0)
    load = (share * cosines.softmax(dim=-1).mean(dim=0)).sum()
    return 1 - best.mean() + balance * load


def train_codebook(
    views: Sequence[Tensor], options: CodebookOptions, generator: torch.Generator
) -> Tensor:
    """Return a scene's codebook [K, D], not normalised: queries use it as it is.

    Args:
        views: vectors [P, D] of every training view, in the order of the split.
        options: see `CodebookOptions`.
        generator: of the table that it starts from.
    """
    table = Parameter(start_of_codebook(options.entries, views[0].shape[-1], generator))
    optimiser = AdamW([table], options.lr, weight_decay=options.weight_decay)
    rate = LinearLR(optimiser, 1.0, options.end_factor, options.decay_epochs)
    n = options.views_per_step
    batches = [torch.cat(list(views[start : start + n])) for start in range(0, len(views), n)]
    for _ in progress(range(options.epochs), "codebook"):
        for batch in batches:
            optimiser.zero_grad()
            codebook_loss(batch, table, options.balance).backward()
            optimiser.step()
        rate.step()
    return table.detach()
