"""CLIP-GS (Liao et al. 2024, arXiv 2404.14249 v1): SAC, 3DCS; PDR is a matter of the geometry.

Semantic Attribute Compactness: every Gaussian holds d numbers, blended in the pass of the colours
(Eq. 3); a 1x1 convolution turns them into C class scores, which learn the teacher's labels (Eq. 4).
3D Coherent Self-training: from step T on they learn the votes of tracked regions instead (Eq. 5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from pydantic import Field

from semsplat.features.lessons import Lessons
from semsplat.features.store import SceneFeatures
from semsplat.params.base import Count
from semsplat.params.methods import LearningRates, SelfTraining, Taught
from semsplat.train.methods import Attachment, Stage, Terms

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

    from semsplat.fit.views import Ahead, Camera

ANSWERS = ("colours", "classes")


class Options(Taught):
    """Parameters of CLIP-GS."""

    dim: Count
    """d, how many numbers every Gaussian holds"""
    init_std: float = Field(ge=0)
    """standard deviation of the numbers at the start; the paper is silent"""
    lr: LearningRates
    """learning rates"""
    coherent: SelfTraining
    """3DCS"""

    def scaled(self, steps: float, rates: float) -> Self:
        """Return the options with T and the learning rates scaled."""
        start = round(self.coherent.start * steps)
        new: dict[str, Any] = {"coherent": self.coherent.model_copy(update={"start": start})}
        return self.model_copy(update={**new, "lr": self.lr.times(rates)})


def attach(options: Options, lessons: Lessons | None, _: SceneFeatures | None) -> Attachment:
    """Return d numbers per Gaussian and the convolution."""
    assert lessons is not None
    shape, rates = {"dim": options.dim, "n_classes": len(lessons.class_ids)}, options.lr
    return Attachment(
        options.dim, options.init_std, rates.semantics, shape, decoder(**shape), rates.decoder
    )


def decoder(dim: int, n_classes: int) -> Module:
    """Return the "lightweight convolution": 1x1 with bias, on maps [H, W, d]."""
    from semsplat.train.linear import Linear

    return Linear(dim, n_classes)


def semantic_terms(options: Options, stage: Stage) -> Terms:
    """Return L_2D = CE(S, S~) up to step T (Eq. 4), L_3D = CE(S_k, S'_k) from T on (Eq. 5, 6).

    A share of L_2D may stay beside L_3D, which the paper's does not.
    """
    from semsplat.train.class_terms import cross_entropy
    from semsplat.train.coherent import voted_labels

    def terms(step: int, view: Camera, blended: Tensor | None) -> dict[str, Tensor]:
        assert blended is not None  # it blends at every step
        scores = stage.decoder(blended)
        votes, share = _teachers(options.coherent, step)
        said = {}
        if share:
            labels = stage.ids(view, "labels")
            said["l2d"] = share * options.weight * cross_entropy(scores, labels)
        if votes:
            labels = voted_labels(stage, view, scores, options.coherent)
            said["l3d"] = options.weight * cross_entropy(scores, labels)
        return said

    return terms


def reads(options: Options, stage: Stage) -> Ahead:
    """Return what reads the teacher's labels, from step T on the regions that vote."""
    from semsplat.train.coherent import read_regions

    def read(step: int, camera: Camera) -> None:
        votes, share = _teachers(options.coherent, step)
        if share:
            stage.ids(camera, "labels")
        if votes:
            read_regions(stage, camera, options.coherent)

    return read


def _teachers(coherent: SelfTraining, step: int) -> tuple[bool, float]:
    """Return whether a step learns from votes, and the share of the teacher's loss in it."""
    votes = coherent.vote != "none" and step >= coherent.start
    return votes, coherent.teacher_weight if votes else 1.0
