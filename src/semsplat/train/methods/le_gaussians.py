"""LEGaussians (Shi et al., CVPR 2024): entries of a scene's codebook, and how unsure they are.

A pyramid of CLIP's tiles and DINO's keys are quantised together for the scene, see
`semsplat.train.codebook`.  Every Gaussian holds ``dim`` numbers and the logit of an uncertainty,
which are blended with its colours while the geometry is fitted; a decoder names the entry of every
pixel (`semsplat.train.quantised`).

Where the recipe has no DINO, as in the embedded world, entries are CLIP's alone, and the card says
so; with one both lie on CLIP's cells, where the official code has 60 x 90.  The uncertainty learns
50 times as fast as the numbers, as published, by being held in units of 50 (Adam's steps know no
units); with the numbers' rate a suite scales its rate too.  The limit of 2.5 million Gaussians is
left out.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Self, cast

from pydantic import Field

from semsplat.errors import SemsplatError
from semsplat.features.lessons import Lessons
from semsplat.features.store import SceneFeatures
from semsplat.params.base import Count, Strict
from semsplat.params.methods import Codebook, LearningRates, Masked
from semsplat.train.methods import Attachment, Stage, Terms, Vectors

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor
    from torch.nn import Module

    from semsplat.data.scene import Viewpoint
    from semsplat.fit.views import Ahead, Camera, IdMap
    from semsplat.train.codebook import Parts
    from semsplat.train.model import SemanticField
    from semsplat.train.quantised import QuantisedField

ANSWERS = ("relevancy",)
UNSURE_AT_START = -4.59511985  # the logit of 0.01
UNIT = 50.0
"""Logits of the uncertainty in one of the units that Gaussians hold: rates 0.05 and 0.001."""


class Smoothing(Strict):
    """What draws Gaussians to those around them."""

    every: Count
    """steps from one use to the next"""
    weight: float = Field(ge=0)
    """of both terms; the code has 1"""


class Options(Masked):
    """Parameters of LEGaussians."""

    dim: Count
    """numbers that every Gaussian holds beside its uncertainty"""
    lr: LearningRates
    """Adam's learning rates; the uncertainty's is 50 times that of semantics"""
    decoder_decay: float = Field(ge=0)
    """weight decay of the decoder and of the smoothing network; the code has 1e-5"""
    uncertainty_weight: float = Field(ge=0)
    """of -log(1 - U); the code has 1"""
    smoothing: Smoothing
    """the smoothing network"""
    codebook: Codebook
    """the scene's codebook; none of it is scaled by a suite"""

    def scaled(self, steps: float, rates: float) -> Self:
        """Return the options with both rates scaled, and the interval of the smoothing."""
        every = max(1, round(self.smoothing.every * steps))
        smoothing = self.smoothing.model_copy(update={"every": every})
        return self.model_copy(update={"lr": self.lr.times(rates), "smoothing": smoothing})

    def held(self, _: int) -> int:
        """Return the numbers with the uncertainty."""
        return self.dim + 1


def attach(options: Options, _: Lessons | None, features: SceneFeatures | None) -> Attachment:
    """Return standard normal numbers and an uncertainty of 0.01 per Gaussian, and the codebook."""
    import torch

    from semsplat.train.codebook import train_codebook

    assert features is not None
    views, parts = training_maps(features, options.codebook.dino_weight)
    generator = torch.Generator().manual_seed(torch.initial_seed())
    table = train_codebook(views, parts, options.codebook, generator)
    shape = {"dim": options.dim, "entries": len(table), "out": parts.clip, "dino": parts.dino}
    module = cast("QuantisedField", decoder(**shape))
    module.codebook.copy_(table)
    start = torch.tensor([1.0] * options.dim + [0.0])
    rates = options.lr
    return Attachment(
        len(start),
        start,
        rates.semantics,
        shape,
        module,
        rates.decoder,
        decoder_decay=options.decoder_decay,
        facts={} if parts.dino else {"lacks": "DINO"},
    )


def training_maps(features: SceneFeatures, dino_weight: float) -> tuple[list[Tensor], Parts]:
    """Return the vectors of every training view, float32 [P, D], in the split's order, and parts.

    Raises:
        SemsplatError: the recipe makes no dense maps.
    """
    from semsplat.train.codebook import Parts

    found = [cells_of(features, name) for name in features.training]
    first, clip = found[0]
    parts = Parts(clip, len(first) - clip, dino_weight)
    return [cells.flatten(1).T for cells, _ in found], parts


def cells_of(features: SceneFeatures, name: str) -> tuple[Tensor, int]:
    """Return a view's CLIP and DINO vectors float32 [D, h, w], and how many numbers are CLIP's.

    Raises:
        SemsplatError: the recipe makes no dense maps.
    """
    import torch

    view = features.view(name)
    if view.dense is None:
        raise SemsplatError(f"{features.folder}: no dense maps; set pyramid_maps in the recipe")
    known = [part for part in (view.dense, view.dino) if part is not None]
    return torch.cat([torch.from_numpy(part).float() for part in known]), len(view.dense)


def decoder(dim: int, entries: int, out: int, dino: int) -> Module:
    """Return the untrained networks, which make CLIP's unit vectors [..., out] of blended maps."""
    from semsplat.train.quantised import QuantisedField

    return QuantisedField(dim, entries, out, dino)


def shown(semantics: Tensor) -> Tensor:
    """Return the numbers as they are, and the uncertainty in (0, 1), of [N, dim + 1]."""
    import torch

    return torch.cat([semantics[..., :-1], _unsure(semantics)[..., None]], dim=-1)


def _unsure(semantics: Tensor) -> Tensor:
    """Return the uncertainty [N] of what Gaussians hold."""
    return (UNSURE_AT_START + UNIT * semantics[..., -1]).sigmoid()


def semantic_terms(options: Options, stage: Stage) -> Terms:
    """Return L_sem + L_u at every step, and L_mlp + L_smooth at every ``every``-th."""
    from semsplat.train.attached import SEMANTICS
    from semsplat.train.quantised import smoothing_terms, sure_cross_entropy, uncertainty_cost

    field, smoothing = cast("QuantisedField", stage.decoder), options.smoothing
    entries_of = _entries_of(options, stage)

    def terms(step: int, view: Camera, blended: Tensor | None) -> dict[str, Tensor]:
        assert blended is not None  # it blends at every step
        unsure = blended[..., -1]
        parts = {
            "semantic": sure_cross_entropy(field.logits(blended), entries_of(view), unsure),
            "uncertainty": options.uncertainty_weight * uncertainty_cost(unsure),
        }
        if step % smoothing.every == 0:
            held, means = stage.gaussians[SEMANTICS], stage.gaussians["means"].detach()
            around = field.smooth(means)
            found = smoothing_terms(around, held[:, :-1], _unsure(held))
            parts |= {name: smoothing.weight * loss for name, loss in found.items()}
        return parts

    return terms


def reads(options: Options, stage: Stage) -> Ahead:
    """Return what reads a view's entries."""
    entries_of = _entries_of(options, stage)
    return lambda _, camera: entries_of(camera)


def _entries_of(options: Options, stage: Stage) -> Callable[[Camera], Tensor]:
    """Return what makes a training view's entries int64 [H, W] of its cells."""
    from semsplat.fit.views import fitted, of_view
    from semsplat.train.codebook import Parts, assigned

    field = cast("QuantisedField", stage.decoder)
    parts = Parts(field.out, field.dino, options.codebook.dino_weight)
    codebook = field.codebook.cpu()  # in a thread a GPU might multiply in a decoder's precision
    known: dict[str, NDArray[np.int32]] = {}  # on the host, where they are resized

    def read(camera: Camera) -> IdMap:
        if camera.name not in known:
            assert stage.features is not None
            cells = cells_of(stage.features, camera.name)[0].movedim(0, -1)
            known[camera.name] = assigned(cells, codebook, parts).int().numpy()
        return fitted(known[camera.name], camera)

    def entries(camera: Camera) -> Tensor:
        return of_view("entries", camera, partial(read, camera), stage.inputs).long()

    return entries


def vectors(field: SemanticField, frame: Viewpoint) -> Vectors:
    """Return what a view's entries mean, one level: the mean of the codebook's rows by softmax."""
    decoder = cast("QuantisedField", field.decoder)
    return Vectors(decoder.mixture(field.blend(frame)), None)
