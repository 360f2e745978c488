"""Lifting by a regularised inverse, without training, as the Splat Feature Solver sees it.

The Splat Feature Solver (ICLR 2026) reads lifting as a sparse linear inverse problem: Gaussians
shall hold what lets every view show what its regions say.  The weighted mean (`lifted_mean`) is its
first, diagonal solution; here some iterations of conjugate gradients follow
(`semsplat.train.lifted_solution`).  The paper sharpens by Tikhonov's penalty on opacity-like
weights and drops inconsistent masks by clusters afterwards; we have the problem and a penalty in
units of each Gaussian's summed weights, which is our reconstruction, and no clusters.

While it solves, four vectors of levels x D numbers stand for every Gaussian, five with A^T f: at
CLIP's 512 on three levels 31 KB, which a million and a half make 46 GB.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from semsplat.features.lessons import Lessons
from semsplat.features.store import SceneFeatures
from semsplat.params.base import Count, Positive
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
    """Parameters of the regularised inverse."""

    ridge: Positive
    """of the penalty on what Gaussians hold, each weighted by the pixels it fills"""
    iterations: Count
    """of conjugate gradients, a pass over the training views each"""

    def held(self, clip: int) -> int:
        """Return the numbers of three levels; a recipe of one layer has a third of them."""
        return 3 * clip


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
    """Return what solves over the training views."""
    from semsplat.train.lifted_solution import RegularisedInverse

    return RegularisedInverse(stage, options.ridge, options.iterations)


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
