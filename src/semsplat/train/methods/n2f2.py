"""A fusion of levels in the manner of N2F2 (Bhalgat et al. 2024), as GAGS compares itself with it.

GAGS's authors re-implemented N2F2, which has no code, as "a weighted fusion of multi-granularity
features after training based on their relevance to a set of predefined descriptive phrases"
(appendix 6.2); their Eq. 9 is lost.  Our reading: every Gaussian holds a feature per level, each
learned from its own level alone, or one feature with room for all, as many numbers as GAGS has;
afterwards level s of Gaussian i weighs

    softmax_s(temperature x max over phrases q of cos(f_{i,s}, q)),

the weights are blended like colours, and a pixel's vector is the weighted mean of its levels'.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field

from semsplat.features.lessons import Lessons
from semsplat.features.store import SceneFeatures
from semsplat.params.base import Count, Positive
from semsplat.params.methods import Frozen, LearningRates
from semsplat.train.methods import Attachment, Stage, Terms, Vectors

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

    from semsplat.data.scene import Viewpoint
    from semsplat.fit.views import Ahead, Camera
    from semsplat.train.model import SemanticField

ANSWERS = ("relevancy",)
TEMPERATURE = 10.0
"""LERF's, which GAGS's evaluation has too."""
AT_ONCE = 2**16
"""Gaussians that are decoded together: of millions the vectors alone would fill a GPU"""


class Options(Frozen):
    """Parameters of the fusion; those of GAGS where the text names none."""

    dim: Count
    """length of each feature that every Gaussian holds"""
    fields: Literal[1, 3]
    """features per Gaussian: one for each level, with its own decoder, or one for all; GAGS says
    neither"""
    lr: LearningRates
    """learning rates"""
    hidden_share: Positive
    """width of the decoders' hidden layers in lengths of the CLIP vector"""
    phrases: list[str] = Field(min_length=1)
    """descriptive phrases; the paper's are object, thing, stuff, part and texture"""

    def scaled(self, steps: float, rates: float) -> Self:
        """Return the options with the iteration count and the learning rates scaled."""
        new = {"steps": round(self.steps * steps), "lr": self.lr.times(rates)}
        return self.model_copy(update=new)

    def held(self, _: int) -> int:
        """Return the numbers of all fields."""
        return self.fields * self.dim


def attach(options: Options, _: Lessons | None, features: SceneFeatures | None) -> Attachment:
    """Return features of zeros per Gaussian, and a decoder for each."""
    from semsplat.features.queries import Texts
    from semsplat.train.granularity import check_levels

    assert features is not None
    out, phrases = check_levels(features), Texts(features, "cpu").encode(options.phrases)
    hidden = max(1, round(options.hidden_share * out))
    shape = {"dim": options.dim, "hidden": hidden, "out": out, "n_phrases": len(phrases)}
    shape["fields"] = options.fields
    module, rates, dim = decoder(**shape), options.lr, options.fields * options.dim
    module.load_state_dict({"phrases": phrases}, strict=False)
    return Attachment(dim, 0.0, rates.semantics, shape, module, rates.decoder)


def decoder(dim: int, hidden: int, out: int, n_phrases: int, fields: int) -> Module:
    """Return what makes unit vectors [3, H, W, D] of features [H, W, fields x dim]."""
    from semsplat.train.mlp import LevelDecoders

    return LevelDecoders(dim, hidden, out, n_phrases, fields)


def semantic_terms(_: Options, stage: Stage) -> Terms:
    """Return the distance of every level's vectors to its own targets, regions alike (Eq. 3, 5)."""
    from semsplat.train.granularity import level_maps, region_mean
    from semsplat.train.parts import in_parts

    assert stage.features is not None
    layers = stage.features.layers

    def terms(_: int, view: Camera, blended: Tensor | None) -> dict[str, Tensor]:
        assert blended is not None  # it blends at every step
        maps = level_maps(stage, view)

        def squares(features: Tensor, ids: Tensor) -> Tensor:
            return (stage.decoder(features) - maps.table[ids.T]).square().sum(dim=-1).T

        distances = in_parts(squares, blended.flatten(0, 1), maps.ids.flatten(1).T)
        losses = distances.T.unflatten(1, blended.shape[:2])
        return {
            name: region_mean(loss, ids, len(maps.table))
            for name, loss, ids in zip(layers, losses, maps.ids, strict=True)
        }

    return terms


def reads(_: Options, stage: Stage) -> Ahead:
    """Return what reads a view's levels."""
    from semsplat.train.granularity import level_maps

    return lambda _, camera: level_maps(stage, camera)


def vectors(field: SemanticField, frame: Viewpoint) -> Vectors:
    """Return the fused vectors of a view as its one level, and the blended weights."""
    import torch
    import torch.nn.functional as F

    weights = [_level_weights(field, some) for some in field.semantics.split(AT_ONCE)]
    shares = field.blend(frame, torch.cat(weights))
    levels = field.decoder(field.blend(frame))
    fused = torch.einsum("hwn,nhwd->hwd", shares, levels)
    return Vectors(F.normalize(fused, dim=-1)[None], shares)


def _level_weights(field: SemanticField, semantics: Tensor) -> Tensor:
    """Return how much each level of Gaussians [N, fields x dim] weighs, [N, 3]."""
    closeness = (field.decoder(semantics) @ field.decoder.phrases.T).amax(dim=-1)
    return (TEMPERATURE * closeness).softmax(dim=0).T.contiguous()
