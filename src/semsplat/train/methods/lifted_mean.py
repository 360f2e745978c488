"""Lifting by the weighted mean, without training, as Occam's LGS (BMVC 2025) lifts.

Every Gaussian holds, for every level of the recipe, the mean of the vectors of all regions in all
training views, each pixel weighted by how much the Gaussian is blended into it:
F_g = sum_p w_gp f_p / sum_p w_gp.  That is also A^T f / A^T 1 of the Splat Feature Solver, the
first, diagonal solution of its inverse problem.  We read the paper's formula, by the adjoint of
blending (`semsplat.train.lifting`); the official code samples each view's vectors at a Gaussian's
projected centre instead.  A view shows the blended means, brought to length 1.

A recipe of three levels is asked as LangSplat is; one of one layer has one map.  Nothing is
compressed: a Gaussian holds levels x D numbers, 1,536 of three levels at CLIP's 512 (6 KB, where
LangSplat has 36 bytes).  While it lifts, as much again is saved when a run is resumed; beside the
sums stand 32 channels at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from semsplat.features.lessons import Lessons
from semsplat.features.store import SceneFeatures
from semsplat.params.methods import Lifted
from semsplat.train.methods import Attachment, Lift, Stage, Vectors

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

    from semsplat.data.scene import Viewpoint
    from semsplat.fit.views import Ahead
    from semsplat.train.model import SemanticField

ANSWERS = ("relevancy", "masks")


class Options(Lifted):
    """Parameters of the weighted mean."""

    length: Literal["mean", "unit"]
    """mean: of what Gaussians hold, as the formula has it, so that one on which views disagree
    weighs less where it is blended; unit: each is brought to length 1 first"""


def attach(_: Options, __: Lessons | None, features: SceneFeatures | None) -> Attachment:
    """Return room for a vector per level and Gaussian."""
    from semsplat.train.lifting import lifted_attachment

    assert features is not None
    return lifted_attachment(features)


def decoder(out: int, levels: int) -> Module:
    """Return what brings blended vectors [..., D] to length 1."""
    from semsplat.train.lifting import Unit

    return Unit()


def lift(options: Options, stage: Stage) -> Lift:
    """Return what adds up the training views."""
    from semsplat.train.lifting import WeightedMean

    return WeightedMean(stage, options.length == "unit")


def reads(_: Options, stage: Stage) -> Ahead:
    """Return what reads a view's levels."""
    from semsplat.train.granularity import level_maps

    return lambda _, camera: level_maps(stage, camera)


def vectors(field: SemanticField, frame: Viewpoint) -> Vectors:
    """Return a view's unit vectors on every level."""
    from semsplat.train.lifting import lifted_vectors

    return lifted_vectors(field, frame)


def rendered(field: SemanticField, frame: Viewpoint) -> list[Tensor]:
    """Return the blended vectors of every level."""
    from semsplat.train.lifting import lifted_levels

    return lifted_levels(field, frame)
