"""Unit vectors that are mixtures of a few known rows, asked without being added up."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

TINY = 1e-12
"""The length from which a vector has a direction, as `torch.nn.functional.normalize` has it."""


@dataclass(frozen=True, eq=False)
class Mixture:
    """Vectors v / |v|, where v is the sum of rows by their shares.

    ``shares`` [L, ..., K] of every pixel, ``rows`` [L, K, D] of every level.  A text is multiplied
    with the rows once, K D products, where every pixel would take as many; a pixel's length comes
    from the products of rows with each other, exactly but for rounding.
    """

    shares: Tensor
    rows: Tensor

    def similarity(self, texts: Tensor) -> Tensor:
        """Return the cosines [L, ..., P] with texts [P, D] of length 1; 0 of vectors of zeros."""
        said = torch.einsum("l...k,lkp->l...p", self.shares, self.rows @ texts.T)
        return said / self._lengths()[..., None]

    def vectors(self) -> Tensor:
        """Return the vectors themselves, [L, ..., D], of length 1; zeros of zeros."""
        return F.normalize(torch.einsum("l...k,lkd->l...d", self.shares, self.rows), dim=-1)

    def _lengths(self) -> Tensor:
        products = self.rows @ self.rows.mT  # [L, K, K]
        halved = torch.einsum("l...k,lkj->l...j", self.shares, products)
        squares = torch.einsum("l...j,l...j->l...", halved, self.shares)
        return squares.clamp(min=0).sqrt().clamp(min=TINY)
