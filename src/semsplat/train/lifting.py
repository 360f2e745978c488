"""Lifting: what training views say, brought to Gaussians by the adjoint of blending.

Blending is linear: pixel p shows sum_g w_gp x_g of what Gaussians hold.  So the gradient of
sum_p f_p . (what p shows) with respect to x_g is sum_p w_gp f_p, one backward pass through the
rasteriser.  A view says few different vectors, one per region and level.  Channels that are 1 in
one region and 0 elsewhere lift every region's sum of weights, and the sum over pixels is the sum
over regions of that times the region's vector: exact, for as many channels as there are regions
instead of numbers in a vector.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from semsplat.features.store import SceneFeatures
from semsplat.fit.adjoint import adjoint
from semsplat.fit.views import Camera
from semsplat.train.granularity import level_maps
from semsplat.train.methods import Attachment, Stage, Vectors

if TYPE_CHECKING:
    from semsplat.data.scene import Viewpoint
    from semsplat.train.model import SemanticField

AT_ONCE = 32
"""Regions of one pass: as many channels as gsplat's kernels take at once."""


GiveBack = Callable[[Tensor], Tensor]
"""What gives a picture [H, W, E] of one view back to the N Gaussians that drew it: [N, E]."""


def region_weights(give_back: GiveBack, ids: Tensor, rows: Tensor) -> Tensor:
    """Return every Gaussian's weights summed over the pixels of regions, [N, R].

    Args:
        give_back: of the view.
        ids: int64 [H, W], the region of every pixel.
        rows: int64 [R], the regions that are asked about.
    """
    return give_back((ids[..., None] == rows).float())


def regions_of(ids: Tensor) -> list[Tensor]:
    """Return the regions that ids int64 [H, W] show, -1 aside, so many at once as one pass has."""
    rows = ids.unique()
    return [some for some in rows[rows >= 0].split(AT_ONCE) if len(some)]


class WeightedMean:
    """F_g = sum_p w_gp f_p / sum_p w_gp of every level, over all training views.

    A pixel without a region of a level is in neither sum; a Gaussian that no region shows holds
    zeros.  The sums are all that is kept: levels x D + levels numbers for every Gaussian.
    """

    passes = 1

    def __init__(self, stage: Stage, unit: bool) -> None:
        """Begin with sums of nothing; ``unit`` brings each mean to length 1 in the end."""
        assert stage.features is not None
        self.stage, self.unit = stage, unit
        size = len(stage.gaussians["means"]), len(stage.features.layers)
        self.sums = torch.zeros(*size, vector_length(stage.features), device=stage.device)
        self.weights = torch.zeros(*size, device=stage.device)

    def add(self, camera: Camera) -> None:
        """Add a training view."""
        maps, give_back = level_maps(self.stage, camera), self.rays(camera)
        for level, ids in enumerate(maps.ids):
            for rows in regions_of(ids):
                vectors = maps.table[rows]
                weights = region_weights(give_back, ids, rows)
                weights = self.reweighted(level, weights, vectors)
                self.sums[:, level].addmm_(weights, vectors)
                self.weights[:, level] += weights.sum(dim=1)

    def rays(self, camera: Camera) -> GiveBack:
        """Return how a view's pixels speak to Gaussians: by the weights of blending."""
        return partial(adjoint, self.stage.gaussians, camera)

    def reweighted(self, level: int, weights: Tensor, vectors: Tensor) -> Tensor:
        """Return what regions of vectors [R, D] weigh on a level, of blending's weights [N, R]."""
        return weights

    def close(self) -> None:
        """End a pass over all views: the sums are complete."""

    def numbers(self) -> dict[str, float]:
        """Return the share of Gaussians, over levels, that a region has shown so far."""
        return {"seen": float((self.weights > 0).float().mean())}

    def held(self) -> Tensor:
        """Return what every Gaussian holds, [N, levels x D]; the sums are used up."""
        means = self.sums.div_(positive(self.weights)[..., None])
        return (unit_or_zero(means) if self.unit else means).flatten(1)

    def state_dict(self) -> dict[str, Any]:
        """Return the sums so far."""
        return {"sums": self.sums, "weights": self.weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from saved sums."""
        self.sums.copy_(state["sums"])
        self.weights.copy_(state["weights"])


def positive(weights: Tensor) -> Tensor:
    """Return weights with 1 where there is none: zeros are divided by it."""
    return weights.masked_fill(weights <= 0, 1.0)


def unit_or_zero(vectors: Tensor) -> Tensor:
    """Return vectors [..., D] of length 1, zeros as they are."""
    return vectors.div_(positive(vectors.norm(dim=-1, keepdim=True)))


def vector_length(features: SceneFeatures) -> int:
    """Return the length D of a recipe's vectors."""
    return int(features.text_vectors("canonical").shape[1])


class Unit(nn.Module):
    """What makes unit vectors of blended ones; it has no weights."""

    def forward(self, blended: Tensor) -> Tensor:
        """Return [..., D] of length 1; zeros, where nothing is drawn, stay zeros."""
        return F.normalize(blended, dim=-1)


def lifted_attachment(features: SceneFeatures) -> Attachment:
    """Return room for a vector per level of the recipe, which nothing learns."""
    out, levels = vector_length(features), len(features.layers)
    return Attachment(out * levels, 0.0, 0.0, {"out": out, "levels": levels}, Unit(), 0.0)


def lifted_vectors(field: SemanticField, frame: Viewpoint) -> Vectors:
    """Return a view's unit vectors on every level, each rendered on its own."""
    return Vectors(torch.stack([field.decoder(m) for m in lifted_levels(field, frame)]), None)


def lifted_levels(field: SemanticField, frame: Viewpoint) -> list[Tensor]:
    """Return the blended vectors [H, W, D] of every level, a pass over the rasteriser each."""
    levels = field.semantics.chunk(field.facts.shape["levels"], dim=-1)
    return [field.blend(frame, level.contiguous()) for level in levels]
