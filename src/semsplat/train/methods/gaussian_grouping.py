"""Gaussian Grouping (Ye et al., ECCV 2024): ids of tracked things, learned with the geometry.

Every Gaussian holds numbers that are blended with the colours; a linear classifier makes of them
the probability of every id (L_2D), and Gaussians that are close are to agree (L_3D).  A prompt's
mask in one view selects the ids that lie inside it, and these its masks in all views.  Read in the
released code (lkeab/gaussian-grouping at 0ab60afe).

The ids are the tracks of a teacher, where the paper follows SAM's masks by DEVA: a tracker that
loses things has more tracks than there are ids, and the smallest have none.  How many there are,
and which share of pixels has no id, the card says.  The mask is found in the photograph of the
reference view, where the paper looks at its rendering.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
from pydantic import Field

from semsplat.errors import SemsplatError
from semsplat.features.lessons import Lessons
from semsplat.features.store import SceneFeatures
from semsplat.params.base import Count, Fraction, Strict
from semsplat.params.methods import LearningRates, Taught
from semsplat.train.methods import Attachment, Reference, Stage, Terms

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor
    from torch.nn import Module

    from semsplat.data.scene import Viewpoint
    from semsplat.fit.views import Ahead, Camera, IdMap
    from semsplat.train.model import SemanticField

ANSWERS = ("masks",)
DECODER_EPS = 1e-8
"""Adam's where nobody sets it, as nobody does for the classifier."""


class Neighbours(Strict):
    """L_3D: Gaussians that are close have the same id."""

    weight: float = Field(ge=0)
    """lambda, of the mean divergence over the number of ids"""
    every: Count
    """steps from one use to the next"""
    samples: Count
    """Gaussians drawn at each use"""
    pool: Count
    """Gaussians, drawn at random, of which the samples and their neighbours are"""
    near: Count
    """closest Gaussians, itself included, that each is compared with"""

    def scaled(self, steps: float) -> Self:
        """Return the loss with its interval scaled, down to every step, and its share kept.

        In fewer steps Gaussians are compared as often; L_3D stays what it is of the sum of all
        losses, since it weighs as much less as it comes more often.
        """
        every = max(1, round(self.every * steps))
        weight = self.weight * every / self.every
        return self.model_copy(update={"every": every, "weight": weight})


class Query(Strict):
    """What a mask selects."""

    inside_share: Fraction
    """ids are selected of whose area in the reference view a larger share lies in the mask"""
    probability: Fraction
    """pixels are selected where any selected id is more probable"""


class Options(Taught):
    """Parameters of Gaussian Grouping."""

    dim: Count
    """numbers that every Gaussian holds"""
    classes: int = Field(ge=2)
    """K, ids, that of pixels without any included; the released configuration has 256, its default
    200.  L_3D is divided by it"""
    lr: LearningRates
    """learning rates"""
    neighbours: Neighbours
    """L_3D"""
    query: Query
    """what a mask selects"""

    def scaled(self, steps: float, rates: float) -> Self:
        """Return the options with L_3D as often in fewer steps, and rates scaled."""
        new = {"neighbours": self.neighbours.scaled(steps), "lr": self.lr.times(rates)}
        return self.model_copy(update=new)


def attach(options: Options, lessons: Lessons | None, _: SceneFeatures | None) -> Attachment:
    """Return numbers as RGB2SH makes them of uniform ones in [0, 1), and the classifier."""
    import torch

    from semsplat.splat.cpu.harmonics import C0
    from semsplat.train.identity import rank_tracks

    assert lessons is not None
    views = (lessons.view(name).tracks for name in lessons.names)
    ranking = rank_tracks((tracks for tracks in views if tracks is not None), options.classes)
    if not len(ranking.kept):
        raise SemsplatError(f"{lessons.folder}: no tracks; name a teacher that follows regions")
    shape, rates = {"dim": options.dim, "classes": options.classes}, options.lr
    module, query = decoder(**shape), options.query
    module.get_buffer("tracks")[: len(ranking.kept)] = torch.from_numpy(ranking.kept)
    thresholds = torch.tensor([query.inside_share, query.probability])
    module.get_buffer("thresholds")[:] = thresholds
    facts = {"tracks": ranking.n_tracks, "share_without_id": round(ranking.share_without, 6)}
    return Attachment(
        options.dim,
        1 / C0,
        rates.semantics,
        shape,
        module,
        rates.decoder,
        "centred",
        decoder_eps=DECODER_EPS,
        facts=facts,
    )


def decoder(dim: int, classes: int) -> Module:
    """Return what makes scores of ids [H, W, K] of blended numbers [H, W, dim]."""
    from semsplat.train.identity import Classifier

    return Classifier(dim, classes)


def semantic_terms(options: Options, stage: Stage) -> Terms:
    """Return L_2D at every step and lambda L_3D at its steps (train.py)."""
    from semsplat.train.identity import identity_loss

    ids_of_view = _ids_of(stage)

    def terms(step: int, view: Camera, blended: Tensor | None) -> dict[str, Tensor]:
        assert blended is not None  # it blends at every step
        parts = {"l2d": options.weight * identity_loss(stage.decoder(blended), ids_of_view(view))}
        if options.neighbours.weight and step % options.neighbours.every == 0:
            parts["l3d"] = options.neighbours.weight * _divergence(options.neighbours, stage, step)
        return parts

    return terms


def reads(_: Options, stage: Stage) -> Ahead:
    """Return what reads a view's ids."""
    ids_of_view = _ids_of(stage)
    return lambda _, camera: ids_of_view(camera)


def _ids_of(stage: Stage) -> Callable[[Camera], Tensor]:
    """Return what makes a training view's ids int64 [H, W] of its tracks."""
    from semsplat.conventions import NO_ID
    from semsplat.fit.views import fitted, of_view
    from semsplat.train.identity import ids_of

    tracks = stage.decoder.get_buffer("tracks").cpu().numpy()
    kept = tracks[tracks != NO_ID]

    def ids(camera: Camera) -> Tensor:
        def read() -> IdMap:
            return fitted(ids_of(stage.taught(camera.name, "tracks"), kept), camera)

        return of_view("ids", camera, read, stage.inputs).long()

    return ids


def _divergence(options: Neighbours, stage: Stage, step: int) -> Tensor:
    """Return the divergence of Gaussians drawn at a step from their neighbours."""
    from semsplat.train.attached import SEMANTICS
    from semsplat.train.identity import neighbour_divergence
    from semsplat.train.spatial import draw_near

    # of step and seed alone, so that a resumed run draws the same Gaussians
    random = np.random.default_rng((stage.run_seed, step))
    drawn = options.samples, options.pool, options.near
    chosen, near = draw_near(stage.gaussians["means"], *drawn, with_itself=True, random=random)
    held = stage.gaussians[SEMANTICS]
    return neighbour_divergence(stage.decoder(held[chosen]), stage.decoder(held[near]))


def query(field: SemanticField, reference: Reference) -> Tensor:
    """Return the ids that a mask selects in the field as it is drawn, bool [K]."""
    from semsplat.train.identity import chosen_ids

    scores = field.decoder(field.blend(reference.frame))
    share = field.decoder.get_buffer("thresholds")[0]
    return chosen_ids(scores.argmax(dim=-1), reference.mask, scores.shape[-1], share)


def clicked(field: SemanticField, camera: Viewpoint, pixel: tuple[int, int]) -> Tensor:
    """Return the most probable id at a pixel (x, y), bool [K]."""
    from torch.nn.functional import one_hot

    scores = field.decoder(field.blend(camera))
    here = scores[pixel[1], pixel[0]].argmax()
    return one_hot(here, scores.shape[-1]).bool()


def select(field: SemanticField, frame: Viewpoint, queries: Tensor) -> Tensor:
    """Return where a view shows any of the ids of each query [P, K], bool [P, H, W]."""
    from semsplat.train.identity import selected

    scores = field.decoder(field.blend(frame))
    return selected(scores, queries, field.decoder.get_buffer("thresholds")[1])
