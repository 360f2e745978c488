"""GAGS (Peng et al. 2024, arXiv 2412.13654 v1): granularity-aware distillation on frozen geometry.

Every Gaussian holds a feature; a decoder shared by all views makes a CLIP vector and granularity
factors of the blended ones (Eq. 2).  The factors choose between the vectors of sub-part, part and
whole (Eq. 3 to 5) and learn to agree from all views (Eq. 6, 7).  Where the official code does
otherwise, an option says so.

Two things are our reconstruction.  Eq. 3 is lost in our copy; the text calls it a weighted L2 loss,
and we read it as the distance to the weighted vector.  The other reading, the weighted sum of the
distances, is linear in the weights: its optimum is one level, whatever the views say, and it has no
use for Eq. 4, which the text needs against an "averaged feature".  And the text gives no lambdas.
The official code's belong to its own losses; what Eq. 3's reading makes of the scale is put right
(`in_units_of_code`).  Eq. 6's reading, of vectors and not of features, gets no factor of its own:
at the step from which it counts it is 19 % of the loss (15 to 24), the code's own 25 % (15 to 29),
on the training views of five drawn scenes at 900 steps.  Later it keeps 17 %, because vectors of
length 1 cannot shrink; the code's features can, and it has 4 %.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field

from semsplat.conventions import NO_ID
from semsplat.features.lessons import Lessons
from semsplat.features.store import SceneFeatures
from semsplat.params.base import Count, Positive, Strict
from semsplat.params.methods import Frozen, LearningRates
from semsplat.train.methods import Attachment, Stage, Terms, Vectors

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

    from semsplat.data.scene import Viewpoint
    from semsplat.fit.views import Ahead, Camera
    from semsplat.train.granularity import LevelMaps
    from semsplat.train.model import SemanticField

ANSWERS = ("relevancy",)
FIXED = {
    "average": (1.0, 1.0, 1.0),
    "subpart": (1.0, 0.0, 0.0),
    "part": (0.0, 1.0, 0.0),
    "whole": (0.0, 0.0, 1.0),
}


class DecoderOptions(Strict):
    """What makes CLIP vectors and granularity factors of features."""

    networks: Literal["shared", "separate"]
    """shared: one for both (paper); separate: two, and factors do not move features (code)"""
    hidden_share: Positive
    """width of the hidden layers in lengths of the CLIP vector; the code's 256 of 512"""


class Weight(Strict):
    """A loss term's weight before and from ``late_from`` on."""

    early: float = Field(ge=0)
    """at first"""
    late: float = Field(ge=0)
    """at last"""


class Options(Frozen):
    """Parameters of GAGS."""

    dim: Count
    """length of the feature that every Gaussian holds"""
    lr: LearningRates
    """learning rates"""
    decoder: DecoderOptions
    """the decoder"""
    levels: Literal["adaptive", "average", "subpart", "part", "whole"]
    """adaptive: granularity factors; others: fixed weights, for ablations"""
    pixels: Literal["all_levels", "any_level", "zeros"]
    """which pixels teach: those with a region on all three levels, or on one that counts; zeros:
    all, and where a level has no region the distance is 0 (code)"""
    distill: Literal["l2_mixture", "l2_weighted", "l1_mixture"]
    """Eq. 3: squared distance to the mixed vector (our reading), the mean of the levels' squared
    distances (another), or the absolute distance to the mixed vector (code).  Levels mixed in fixed
    shares make a vector of length 1"""
    region_aware: bool
    """all regions weigh alike (Eq. 5), or all pixels"""
    entropy: Weight
    """lambda_e of Eq. 7, in the code's units; it has 0.001 and 0.002, the paper none"""
    consistency: Weight
    """lambda_c of Eq. 7, in the code's units; it has 0 and 0.1, the paper none"""
    consistency_of: Literal["vectors", "features"]
    """Eq. 6 on CLIP vectors (paper), or area-weighted variances of the features (code)"""
    late_from: int = Field(ge=0)
    """first step with the late weights (code)"""

    def scaled(self, steps: float, rates: float) -> Self:
        """Return the options with iteration counts and learning rates scaled."""
        counts = {"steps": round(self.steps * steps), "late_from": round(self.late_from * steps)}
        return self.model_copy(update={**counts, "lr": self.lr.times(rates)})


def attach(options: Options, _: Lessons | None, features: SceneFeatures | None) -> Attachment:
    """Return a feature of zeros per Gaussian, and the decoder."""
    from semsplat.train.granularity import check_levels

    assert features is not None
    out = check_levels(features)
    hidden = max(1, round(options.decoder.hidden_share * out))
    shared = int(options.decoder.networks == "shared")
    shape = {"dim": options.dim, "hidden": hidden, "out": out, "shared": shared}
    module, rates = decoder(**shape), options.lr
    return Attachment(options.dim, 0.0, rates.semantics, shape, module, rates.decoder)


def decoder(dim: int, hidden: int, out: int, shared: int) -> Module:
    """Return what makes unit vectors [H, W, D] and factors [H, W, 3] of features [H, W, dim]."""
    from semsplat.train.mlp import SeparateDecoders, SharedDecoder

    return (SharedDecoder if shared else SeparateDecoders)(dim, hidden, out)


def semantic_terms(options: Options, stage: Stage) -> Terms:
    """Return L = L_rdistill + lambda_e L_entropy + lambda_c L_cons (GAGS, Eq. 7)."""
    from semsplat.train.granularity import (
        entropy,
        fused_regions,
        level_maps,
        plain_mean,
        region_mean,
    )

    def terms(step: int, view: Camera, blended: Tensor | None) -> dict[str, Tensor]:
        assert blended is not None  # it blends at every step
        vectors, factors = stage.decoder(blended)
        maps = level_maps(stage, view)
        weights = _weights(options, factors, maps)
        counted = _counted(options, weights, maps)
        regions = fused_regions(weights, maps.ids).masked_fill(~counted, NO_ID)
        losses = _distances(options, vectors, maps, weights)
        n, aware = len(maps.table), options.region_aware
        mean = region_mean(losses, regions, n) if aware else plain_mean(losses, counted)
        parts = {"distill": mean}
        late, scale = step >= options.late_from, in_units_of_code(options, vectors.shape[-1])
        if options.levels == "adaptive":
            weight = scale * (options.entropy.late if late else options.entropy.early)
            parts["entropy"] = weight * plain_mean(entropy(weights), counted)
        if weight := scale * (options.consistency.late if late else options.consistency.early):
            parts["consistency"] = weight * _spread(options, vectors, blended, regions, n)
        return parts

    return terms


def reads(_: Options, stage: Stage) -> Ahead:
    """Return what reads a view's levels."""
    from semsplat.train.granularity import level_maps

    return lambda _, camera: level_maps(stage, camera)


def vectors(field: SemanticField, frame: Viewpoint) -> Vectors:
    """Return the decoded vectors of a view as its one level, and alpha."""
    decoded, factors = field.decoder(field.blend(frame))
    return Vectors(decoded[None], factors.softmax(dim=-1))


def in_units_of_code(options: Options, channels: int) -> float:
    """Return what the official code's lambdas are multiplied by for another reading of Eq. 3.

    Their loss is the mean over channels of |f - g|.  Of two vectors at a distance of 1, in any
    direction, that is sqrt(2 / (pi channels)), where the squared distance is 1.
    """
    return 1.0 if options.distill == "l1_mixture" else math.sqrt(math.pi * channels / 2)


def _weights(options: Options, factors: Tensor, maps: LevelMaps) -> Tensor:
    """Return alpha [H, W, 3], learned or fixed."""
    from semsplat.train.granularity import fixed_weights, level_weights

    if options.levels != "adaptive":
        return fixed_weights(factors.new_tensor(FIXED[options.levels]), maps.covered)
    if options.pixels == "zeros":
        return factors.softmax(dim=-1)
    return level_weights(factors, maps.covered)


def _counted(options: Options, weights: Tensor, maps: LevelMaps) -> Tensor:
    """Return which pixels teach, bool [H, W]."""
    if options.pixels == "zeros":
        return maps.covered.new_ones(maps.covered.shape[1:])
    if options.pixels == "all_levels":
        return maps.covered.all(dim=0)
    return (maps.covered & (weights.movedim(-1, 0) > 0)).any(dim=0)


def _distances(options: Options, vectors: Tensor, maps: LevelMaps, weights: Tensor) -> Tensor:
    """Return l_distill [H, W]."""
    from torch.nn.functional import normalize

    from semsplat.train.granularity import absolute, mixture, squared, weighted_squares

    fixed = options.levels != "adaptive"
    if options.distill == "l2_weighted" and not fixed:
        losses = weighted_squares(vectors, maps, weights)
    else:
        distance = absolute if options.distill == "l1_mixture" else squared
        mixed = mixture(maps, weights)
        losses = distance(vectors, normalize(mixed, dim=-1) if fixed else mixed)
    return losses * maps.covered.all(dim=0) if options.pixels == "zeros" else losses


def _spread(
    options: Options, vectors: Tensor, features: Tensor, regions: Tensor, n_regions: int
) -> Tensor:
    """Return l_cons, of the vectors or of the blended features."""
    from semsplat.train.granularity import spread_by_area, spread_of_regions

    if options.consistency_of == "vectors":
        return spread_of_regions(vectors, regions, n_regions)
    return spread_by_area(features, regions, n_regions)
