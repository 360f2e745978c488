"""GAGS's decoders: 1x1 convolutions that make CLIP vectors and granularity factors of features.

Layers, widths and skips are those of the official code (METHODS 2.3); the paper says "MLP-based".
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from semsplat.train.linear import Linear

LEVELS = 3
"""sub-part, part, whole"""
FACTOR_WIDTHS = (64, 128, 64, 32, 16)


class FeatureMlp(nn.Module):
    """Nine layers with two additive skips, of maps [..., dim] to [..., out]."""

    def __init__(self, dim: int, hidden: int, out: int) -> None:
        """Make the layers: dim to hidden, seven times hidden to hidden, hidden to out."""
        super().__init__()
        widths = [dim, *[hidden] * 8, out]
        self.layers = nn.ModuleList(Linear(a, b) for a, b in pairwise(widths))

    def forward(self, features: Tensor) -> Tensor:
        """Return [..., out]: layer 1 skips to behind layer 3, layer 4 to behind layer 6."""
        one = self._relu(features, 0)
        two = self._relu(one, 1, 2)
        three = self._relu(one + two, 3)
        four = self._relu(three, 4, 5)
        five = self._relu(three + four, 6, 7)
        return self.layers[8](five)

    def _relu(self, x: Tensor, *places: int) -> Tensor:
        for place in places:
            x = F.relu(self.layers[place](x))
        return x


class SharedDecoder(nn.Module):
    """One network for both (GAGS, Eq. 2): its last three outputs are the granularity factors."""

    def __init__(self, dim: int, hidden: int, out: int) -> None:
        """Make the network for CLIP vectors of length ``out``."""
        super().__init__()
        self.network = FeatureMlp(dim, hidden, out + LEVELS)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return unit vectors [..., D] and factors eta [..., 3] of features [..., dim]."""
        out = self.network(features)
        return F.normalize(out[..., :-LEVELS], dim=-1), out[..., -LEVELS:]


class SeparateDecoders(nn.Module):
    """Two networks, as in the official code; the one for factors does not move the features."""

    def __init__(self, dim: int, hidden: int, out: int) -> None:
        """Make the networks for CLIP vectors of length ``out``."""
        super().__init__()
        self.vectors = FeatureMlp(dim, hidden, out)
        widths = [dim, *FACTOR_WIDTHS, LEVELS]
        self.factors = nn.ModuleList(Linear(a, b) for a, b in pairwise(widths))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return unit vectors [..., D] and factors eta [..., 3] of features [..., dim]."""
        eta = features.detach()
        for layer in self.factors[:-1]:
            eta = F.relu(layer(eta))
        return F.normalize(self.vectors(features), dim=-1), self.factors[-1](eta)


class LevelDecoders(nn.Module):
    """The levels' vectors, of a third of the features each or all of the same (N2F2, our reading).

    Three fields have a network each; one field has one, whose last layer makes all three vectors.
    """

    phrases: Tensor

    def __init__(self, dim: int, hidden: int, out: int, n_phrases: int, fields: int) -> None:
        """Make the networks, and room for ``phrases`` [P, D], the text vectors of Eq. 9."""
        super().__init__()
        heads = LEVELS // fields * out
        self.networks = nn.ModuleList(FeatureMlp(dim, hidden, heads) for _ in range(fields))
        self.register_buffer("phrases", torch.zeros(n_phrases, out))

    def forward(self, features: Tensor) -> Tensor:
        """Return unit vectors [L, ..., D] of features [..., fields x dim]."""
        parts = features.chunk(len(self.networks), dim=-1)
        decoded = [net(part) for net, part in zip(self.networks, parts, strict=True)]
        levels = torch.cat(decoded, dim=-1).unflatten(-1, (LEVELS, -1))
        return F.normalize(levels, dim=-1).movedim(-2, 0)
