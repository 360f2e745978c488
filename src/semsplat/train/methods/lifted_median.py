"""Lifting by a robust mean, without training, in the manner of VALA (arXiv 2509.05515).

Views disagree about what a Gaussian belongs to: where outlines err, a mean is of both sides.  VALA
takes a geometric median of directions instead, and lets only the first contributors of every ray
vote.  Ours is the median (`semsplat.train.lifted_median`), over all regions of all training views,
by Weiszfeld's iterations where VALA streams; the gate is left out: the weights of blending, which
the rest of a ray has few of, are the only gate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from semsplat.features.lessons import Lessons
from semsplat.features.store import SceneFeatures
from semsplat.params.base import Count
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
    """Parameters of the median."""

    iterations: Count
    """of Weiszfeld's algorithm, a pass over the training views each"""

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
    """Return what goes over the training views."""
    from semsplat.train.lifted_median import CosineMedian

    return CosineMedian(stage, options.iterations)


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
