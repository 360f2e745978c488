"""LEGaussians' field: numbers that name entries of a codebook, and how sure they are of it.

Losses of Shi et al., CVPR 2024, sections 3.3 and 3.4, with the constants of the official code.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from semsplat.train.linear import Linear
from semsplat.train.mixture import Mixture

HIDDEN = (128, 256)
"""Widths of the decoder's 1x1 convolutions."""
SMOOTH_HIDDEN = (128,) * 4
"""Widths of the network that says what is around a position."""
LEAST = 1e-6
"""What is left of 1 - U in a logarithm; where a view is certain to be wrong it has none."""


class QuantisedField(nn.Module):
    """Decoder, smoothing network and codebook."""

    codebook: Tensor

    def __init__(self, dim: int, entries: int, out: int, dino: int) -> None:
        """Make the layers, and hold room for ``codebook`` [K, out + dino], parts of any length."""
        super().__init__()
        self.dim, self.out, self.dino = dim, out, dino
        self.classify = _relu_layers(Linear, dim, *HIDDEN, entries)
        self.smooth = _relu_layers(nn.Linear, 3, *SMOOTH_HIDDEN, dim)
        self.register_buffer("codebook", torch.zeros(entries, out + dino))

    def logits(self, blended: Tensor) -> Tensor:
        """Return the scores [..., K] of the codebook's entries of a blended map [..., dim + 1]."""
        scores: Tensor = self.classify(F.normalize(blended[..., : self.dim], dim=-1))
        return scores

    def forward(self, blended: Tensor) -> Tensor:
        """Return unit vectors [..., out]: softmax(logits) on CLIP's part of the codebook's rows.

        These are not brought to length 1 (render_mask.py), though training compares directions.
        """
        return self.mixture(blended).vectors()[0]

    def mixture(self, blended: Tensor) -> Mixture:
        """Return what `forward` does as the one level of a mixture, its rows not added up yet."""
        shares = self.logits(blended).softmax(dim=-1)
        return Mixture(shares[None], self.codebook[None, :, : self.out])


def _relu_layers(kind: type[nn.Linear], *widths: int) -> nn.Sequential:
    """Return linear layers with ReLU between them."""
    layers = [layer for a, b in pairwise(widths) for layer in (kind(a, b), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


def sure_cross_entropy(logits: Tensor, entries: Tensor, uncertainty: Tensor) -> Tensor:
    """Return L_sem: the mean over pixels of (1 - U) CE(logits, entry); gradient flows through U.

    Args:
        logits: [H, W, K].
        entries: int64 [H, W], below K.
        uncertainty: U in [0, 1), [H, W].
    """
    each = F.cross_entropy(logits.flatten(0, 1), entries.flatten(), reduction="none")
    return ((1 - uncertainty.flatten()) * each).mean()


def uncertainty_cost(uncertainty: Tensor) -> Tensor:
    """Return L_u: the mean over pixels of -log(1 - U)."""
    return -(1 - uncertainty).clamp(min=LEAST).log().mean()


def smoothing_terms(around: Tensor, held: Tensor, unsure: Tensor) -> dict[str, Tensor]:
    """Return L_mlp and L_smooth, means over Gaussians and numbers.

    L_mlp = |g(x) - sg(s)|^2 teaches the network; L_smooth = w |sg(g(x)) - s|^2 draws numbers to
    what is around them, the more the less sure they are: w = 0.1 (1 - u) + u.

    Args:
        around: g(x), [N, dim].
        held: s, [N, dim].
        unsure: u in (0, 1), [N]; no gradient flows through it.
    """
    u = unsure.detach()[:, None]
    weight = 0.1 * (1 - u) + u
    return {
        "mlp": (around - held.detach()).square().mean(),
        "smooth": (weight * (around.detach() - held).square()).mean(),
    }
