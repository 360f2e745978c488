"""Relevancy of rendered codes, read off a table: what a large decoder says of codes of 3 numbers.

LangSplat's decoder multiplies 230,000 numbers for every pixel and level, for each picture anew.
Codes lie in a cube, so that a table of what it says there serves all pictures.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from semsplat.data.scene import Viewpoint
from semsplat.evaluate.relevancy import preferred
from semsplat.train.methods import method
from semsplat.train.model import SemanticField

SIDE = 49
"""Codes along each edge.  On the demo's room relevancy is 0.0004 off on average, and one pixel in
5,000 is on the other side of 0.5."""
N_NUMBERS = 3


@dataclass(frozen=True, eq=False)
class CodeTable:
    """Unit vectors of codes that are evenly spread over [-1, 1] in each number."""

    vectors: Tensor  # [SIDE, SIDE, SIDE, D], by the code's numbers in their order

    @classmethod
    @torch.no_grad()
    def of(cls, field: SemanticField) -> CodeTable | None:
        """Return the table of a field, None where its codes are not of three numbers."""
        if field.facts.shape.get("encoder", [None])[-1] != N_NUMBERS:
            return None
        ticks = torch.linspace(-1, 1, SIDE, device=field.trained.device)
        codes = torch.stack(torch.meshgrid(ticks, ticks, ticks, indexing="ij"), dim=-1)
        return cls(field.decoder(codes))

    @torch.no_grad()
    def asked(self, query: Tensor, canonical: Tensor) -> AskedTable:
        """Return the table of texts: float [P, D] of prompts, [C, D] of canonical phrases."""
        cosines = (self.vectors @ torch.cat([query, canonical]).T).movedim(-1, 0)
        return AskedTable(cosines.contiguous(), len(query))


@dataclass(frozen=True, eq=False)
class AskedTable:
    """Cosines of the same codes with texts."""

    cosines: Tensor  # [P + C, SIDE, SIDE, SIDE]
    n_prompts: int

    @torch.no_grad()
    def relevancy(self, field: SemanticField, camera: Viewpoint) -> Tensor:
        """Return how relevant a view's pixels are, float32 [P, L, H, W] in [0, 1], nearly."""
        codes = torch.stack(method(field.facts.method).rendered(field, camera))  # [L, H, W, 3]
        places = codes.flip(-1)[None]  # grid_sample names the last axis first
        found = F.grid_sample(
            self.cosines[None], places, padding_mode="border", align_corners=True
        )[0]
        prompts, phrases = found[: self.n_prompts], found[self.n_prompts :]
        return preferred(prompts, phrases.amax(dim=0))
