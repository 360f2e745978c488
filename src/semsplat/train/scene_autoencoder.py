"""LangSplat's autoencoder (Qin et al. 2024, section 3.2): a scene's CLIP vectors as three numbers.

Layers, rates and epochs are those of the official code.  It is trained on the vectors of all
regions of the training views, one row each whatever their area, before the field is.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from itertools import pairwise
from statistics import fmean
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from semsplat.log import progress
from semsplat.params.methods import Autoencoder
from semsplat.train.linear import Linear

EVALUATED_ROWS = 256
"""Rows of a batch when epochs are compared."""


class SceneAutoencoder(nn.Module):
    """Unit vectors [..., D] to codes of length 1 [..., dim], and back."""

    def __init__(self, out: int, encoder: Sequence[int], decoder: Sequence[int]) -> None:
        """Make the layers: ``out`` to ``encoder``, whose last width is dim, to ``decoder``, to out.

        Every layer of the encoder but the first follows batch normalisation and ReLU, every layer
        of the decoder but the first ReLU.
        """
        super().__init__()
        first, *further = pairwise([out, *encoder])
        hidden = [
            part for a, b in further for part in (nn.BatchNorm1d(a), nn.ReLU(), nn.Linear(a, b))
        ]
        self.encoder = nn.Sequential(nn.Linear(*first), *hidden)
        first, *further = pairwise([encoder[-1], *decoder, out])
        hidden = [part for a, b in further for part in (nn.ReLU(), Linear(a, b))]
        self.decoder = nn.Sequential(Linear(*first), *hidden)

    def encode(self, vectors: Tensor) -> Tensor:
        """Return codes of length 1, [R, dim], of vectors [R, D]."""
        return F.normalize(self.encoder(vectors), dim=-1)

    def forward(self, codes: Tensor) -> Tensor:
        """Return unit vectors [..., D] of codes [..., dim] of any length."""
        return F.normalize(self.decoder(codes), dim=-1)


class Rebuilt(NamedTuple):
    """How far vectors are from what is rebuilt of them."""

    squares: Tensor  # mean over all entries
    cosine: Tensor  # 1 - mean cosine


def distances(rebuilt: Tensor, vectors: Tensor, cosine_over: str) -> Rebuilt:
    """Return both parts of the loss of a batch [R, D] of vectors of length 1.

    Args:
        rebuilt: what the autoencoder makes of the vectors.
        vectors: of length 1.
        cosine_over: "vectors", a cosine for each of the R vectors, or "channels" (the official
            code), one for each of the D channels, over the batch.
    """
    axis = {"vectors": 1, "channels": 0}[cosine_over]
    cosine = F.cosine_similarity(rebuilt, vectors, dim=axis).mean()
    return Rebuilt((rebuilt - vectors).square().mean(), 1 - cosine)


def train_autoencoder(
    vectors: Tensor, options: Autoencoder
) -> tuple[SceneAutoencoder, dict[str, float]]:
    """Return the autoencoder of a scene's vectors float32 [R, D], frozen, and facts for the card.

    Of the last epochs that with the smallest sum of both distances to the vectors is kept.  The
    loss is the mean square plus ``cosine_weight`` times 1 - cosine.
    """
    network = SceneAutoencoder(vectors.shape[1], options.encoder, options.decoder)
    network.to(vectors.device)
    adam = torch.optim.Adam(network.parameters(), options.lr)
    best, kept = float("inf"), network.state_dict()
    for epoch in progress(range(options.epochs), "autoencoder"):
        network.train()
        for rows in torch.randperm(len(vectors)).to(vectors.device).split(options.batch):
            if len(rows) > 1:  # the variance of one row is none
                _step(network, adam, vectors[rows], options)
        if epoch >= options.epochs - options.last:
            found = distance_to(network, vectors, options.cosine_over)
            if found < best:
                best, kept = found, deepcopy(network.state_dict())
    network.load_state_dict(kept)
    network.eval().requires_grad_(False)
    cosine = F.cosine_similarity(network(network.encode(vectors)), vectors, dim=1).mean()
    return network, {
        "autoencoder_rows": len(vectors),
        "autoencoder_cosine": round(cosine.item(), 4),
    }


def _step(
    network: SceneAutoencoder, adam: torch.optim.Optimizer, batch: Tensor, options: Any
) -> None:
    """Take one step of Adam on a batch [R, D]."""
    parts = distances(network(network.encode(batch)), batch, options.cosine_over)
    adam.zero_grad(set_to_none=True)
    (parts.squares + options.cosine_weight * parts.cosine).backward()
    adam.step()


@torch.no_grad()
def distance_to(network: SceneAutoencoder, vectors: Tensor, cosine_over: str) -> float:
    """Return the mean over batches of both distances together, as the network is when used."""
    network.eval()
    found = [
        distances(network(network.encode(batch)), batch, cosine_over)
        for batch in vectors.split(EVALUATED_ROWS)
    ]
    return fmean(float(parts.squares + parts.cosine) for parts in found)
