"""Feature 3DGS (Zhou et al. 2024), CLIP-GS's baseline: a whole CLIP vector on every Gaussian.

F = sum_i T_i a_i f_i with f_i in R^D (CLIP-GS, Eq. 1 and row a of its Table 3), learned from the
dense CLIP map of every view; a pixel's class is the one whose text vector is most similar.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import Field

from semsplat.errors import SemsplatError
from semsplat.features.lessons import Lessons
from semsplat.features.store import SceneFeatures
from semsplat.params.base import Positive
from semsplat.params.methods import Taught
from semsplat.train.methods import Attachment, Stage, Terms

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

    from semsplat.fit.views import Ahead, Camera

ANSWERS = ("colours", "classes")


class Options(Taught):
    """Parameters of Feature 3DGS."""

    init_std: float = Field(ge=0)
    """standard deviation of the vectors at the start"""
    lr: Positive
    """learning rate of the vectors"""

    def scaled(self, steps: float, rates: float) -> Self:
        """Return the options as they are: there is no iteration count, and no decoder to wait for.

        Adam takes an entry of a unit vector anywhere within some hundred steps; under an L1 loss a
        larger rate adds nothing but noise (suite rates).
        """
        return self


def attach(options: Options, lessons: Lessons | None, features: SceneFeatures | None) -> Attachment:
    """Return a vector of CLIP's dimension per Gaussian; the decoder has nothing to learn."""
    import torch

    assert lessons is not None
    if features is None:
        raise SemsplatError("feature_3dgs learns from CLIP's maps; give it a clip_regions teacher")
    text = torch.from_numpy(features.text_vectors("classes"))
    shape = {"dim": text.shape[1], "n_classes": len(lessons.class_ids)}
    head = decoder(**shape)
    head.load_state_dict({"text": text})
    return Attachment(text.shape[1], options.init_std, options.lr, shape, head, options.lr)


def decoder(dim: int, n_classes: int) -> Module:
    """Return the cosine similarities with the classes' text vectors, of maps [H, W, D]."""
    from semsplat.train.class_terms import TextSimilarity

    return TextSimilarity(dim, n_classes)


def semantic_terms(options: Options, stage: Stage) -> Terms:
    """Return L_f = |F - F_t|_1 (Feature 3DGS, Eq. 6): the mean over cells and channels."""
    from semsplat.train.class_terms import dense_map, map_distance

    def terms(step: int, view: Camera, blended: Tensor | None) -> dict[str, Tensor]:
        assert blended is not None  # it blends at every step
        return {"feature": options.weight * map_distance(blended, dense_map(stage, view.name))}

    return terms


def reads(_: Options, stage: Stage) -> Ahead:
    """Return what reads a view's dense map."""
    from semsplat.train.class_terms import dense_map

    return lambda _, camera: dense_map(stage, camera.name)
