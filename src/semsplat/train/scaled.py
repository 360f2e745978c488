"""Unit vectors of several scales, of which every prompt takes one for all of a view (LERF)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Scaled:
    """A view's vectors, made portion by portion where they are asked.

    ``portions``: yields the vectors [S, n, D] of the next n pixels, row by row; ``size``: H and W.
    """

    portions: Callable[[], Iterator[Tensor]]
    size: tuple[int, int]

    def vectors(self) -> Tensor:
        """Return all vectors [S, H, W, D]."""
        return torch.cat([*self.portions()], 1).unflatten(1, self.size)

    def chosen(self, scores: Callable[[Tensor], Tensor]) -> Tensor:
        """Return the scores [P, 1, H, W] of prompts, each at its own scale.

        That is the scale at which its score is largest anywhere in the view (LERF, section 3.4, and
        its code: one scale per prompt and image).

        Args:
            scores: makes of vectors [S, n, D] scores [P, S, n].
        """
        known = torch.cat([scores(part) for part in self.portions()], -1)  # [P, S, H W]
        best = known.amax(-1).argmax(-1)
        own = known[torch.arange(len(known), device=known.device), best]
        return own.unflatten(1, self.size)[:, None]
