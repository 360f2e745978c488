"""A scene's codebook: CLIP and DINO maps as indices (LEGaussians, Shi et al., section 3.2).

Constants of the loss and the schedule are those of the official code's quantizer.  It compares
directions alone, so that vectors of any length are meant as vectors of length 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn import Parameter
from torch.optim import AdamW
from torch.optim.lr_scheduler import LinearLR

from semsplat.log import progress
from semsplat.params.methods import Codebook


class Parts(NamedTuple):
    """Of what a vector, and a row of the table, consists: CLIP's numbers, then DINO's."""

    clip: int
    dino: int  # 0 where there is no DINO
    dino_weight: float

    @property
    def best(self) -> float:
        """The similarity of equal directions."""
        return 1 + self.dino_weight if self.dino else 1.0


def start_of_codebook(entries: int, dim: int, generator: torch.Generator) -> Tensor:
    """Return a table [K, D] to start from: uniform in -1/K to 1/K."""
    return (2 * torch.rand(entries, dim, generator=generator) - 1) / entries


def assigned(vectors: Tensor, codebook: Tensor, parts: Parts) -> Tensor:
    """Return the most similar entry, int64 [...], of vectors [..., D]."""
    return similarities(vectors, codebook, parts).argmax(dim=-1)


def similarities(vectors: Tensor, codebook: Tensor, parts: Parts) -> Tensor:
    """Return d = cos_clip + w cos_dino, [..., K], of vectors [..., D] with the entries [K, D].

    Each part is a direction of its own, however long it is; without DINO d = cos_clip.
    """
    clip = _cosines(vectors[..., : parts.clip], codebook[:, : parts.clip])
    if not parts.dino:
        return clip
    dino = _cosines(vectors[..., parts.clip :], codebook[:, parts.clip :])
    return clip + parts.dino_weight * dino


def _cosines(vectors: Tensor, rows: Tensor) -> Tensor:
    return F.normalize(vectors, dim=-1) @ F.normalize(rows, dim=-1).T


def codebook_loss(vectors: Tensor, codebook: Tensor, parts: Parts, balance: float) -> Tensor:
    """Return (1 - mean cos_clip) + w (1 - mean cos_dino) with the entry assigned, and the balance.

    The load balance is sum_k f_k p_k: the share f_k of vectors that are assigned to entry k, times
    the mean p_k of softmax(d) over vectors.  No gradient flows through f_k.

    Args:
        vectors: [P, D].
        codebook: [K, D].
        parts: of both; see `similarities` for d.
        balance: the weight of the load balance; the code has 1.
    """
    found = similarities(vectors, codebook, parts)
    most, entry = found.max(dim=-1)
    share = F.one_hot(entry, len(codebook)).to(found.dtype).mean(dim=0)
    load = (share * found.softmax(dim=-1).mean(dim=0)).sum()
    return parts.best - most.mean() + balance * load


def train_codebook(
    views: Sequence[Tensor], parts: Parts, options: Codebook, generator: torch.Generator
) -> Tensor:
    """Return a scene's codebook [K, D], not normalised: queries use it as it is.

    Args:
        views: vectors [P, D] of every training view, in the order of the split.
        parts: of the vectors.
        options: see `Codebook`.
        generator: of the table that it starts from.
    """
    table = Parameter(start_of_codebook(options.entries, parts.clip + parts.dino, generator))
    optimiser = AdamW([table], options.lr, weight_decay=options.weight_decay)
    rate = LinearLR(optimiser, 1.0, options.end_factor, options.decay_epochs)
    n = options.views_per_step
    batches = [torch.cat(list(views[start : start + n])) for start in range(0, len(views), n)]
    for _ in progress(range(options.epochs), "codebook"):
        for batch in batches:
            optimiser.zero_grad()
            codebook_loss(batch, table, parts, options.balance).backward()
            optimiser.step()
        rate.step()
    return table.detach()
