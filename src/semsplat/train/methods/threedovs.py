"""3D-OVS (Liu et al., NeurIPS 2023): CLIP's vectors on a radiance field, by a list of classes.

First the scene is reconstructed; then a field of features and a field that chooses among sizes of
crops, point by point, learn from CLIP's crops of the training views and from the class list
(`semsplat.train.threedovs_field`).  The density learns from no feature; colours learn on from a
third of these steps.  A view's class is the one whose text is most similar.

Reconstructions: the crops of a size stand on a regular grid, where the code moves each edge at
random by up to a quarter of a side; how DINO's correlations are averaged over pairs; the features
are a linear map of planes' and lines' products.  Without DINO, as in the embedded world, both
correlation terms are left out, and the card says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self, cast

from pydantic import Field

from semsplat.features.lessons import Lessons
from semsplat.features.store import SceneFeatures
from semsplat.params.base import Count, Fraction, Positive, Strict
from semsplat.params.geometry import Geometry
from semsplat.params.methods import Radiance, RadianceRates, Radiant
from semsplat.train.methods import Attachment, Stage

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from torch.nn import Module

    from semsplat.data.scene import Scene, Viewpoint
    from semsplat.fit.job import Task
    from semsplat.fit.trainee import Trainee
    from semsplat.radiance.batches import Batch
    from semsplat.radiance.march import Samples
    from semsplat.train.model import FieldFacts
    from semsplat.train.radiant import RadiantField
    from semsplat.train.scale_targets import ScaleTargets
    from semsplat.train.threedovs_field import ThreeDovsField

ANSWERS = ("pictures", "classes")


class Correlations(Strict):
    """The alignment with DINO's correlations, where the recipe has DINO."""

    positive: float = Field(ge=0)
    """weight of pairs above the shift; the code has 200"""
    negative: float = Field(ge=0)
    """weight of pairs below it; the code has 0.2, or 0.22 of bed and room"""
    shift: Fraction
    """cosine from which on a pair belongs together; the code has 0.7"""
    temperature: Positive
    """of the softmax over classes; the code has 0.2"""
    rays: Count
    """of a step whose pairs are compared"""


class Options(Radiant):
    """Parameters of 3D-OVS."""

    components: Count
    """of the features' planes, and of those that choose among sizes of crops"""
    cells: Annotated[int, Field(ge=2, le=4096)]
    """of these planes, each way"""
    samples: Count
    """of every ray that features are learned and drawn from, those with the largest weights"""
    steps: Count
    """iterations after the reconstruction"""
    steps_floor: Count
    """unscaled: a suite does not take fewer"""
    colours_from: int = Field(ge=0)
    """of these, the first that learns colours too"""
    lr: RadianceRates
    """Adam's learning rates of both fields"""
    relevancy_weight: float = Field(ge=0)
    """of the divergence of class distributions; the code has 1"""
    temperature: Positive
    """of the softmaxes over classes in it"""
    correlations: Correlations
    """the alignment with DINO's"""

    def scaled(self, steps: float, rates: float) -> Self:
        """Return the options with all steps scaled, down to their floors; no rate is scaled."""
        taken = max(round(self.steps * steps), min(self.steps, self.steps_floor))
        colours_from = round(self.colours_from * taken / self.steps)
        new = {"radiance": self.radiance.at_least(steps), "steps": taken}
        return self.model_copy(update={**new, "colours_from": colours_from})


def attach(options: Options, _: Lessons | None, features: SceneFeatures | None) -> Attachment:
    """Return an untrained field that knows the texts of the class list."""
    import torch

    from semsplat.radiance.colours import rates_of
    from semsplat.train.radiant import field_facts

    assert features is not None
    texts = torch.from_numpy(features.text_vectors("classes"))
    maps, keys = features.scales(features.training[0])
    shape = options.model_dump(include={"radiance", "components", "cells", "samples"})
    shape |= {"dim": maps.shape[1], "scales": len(maps), "classes": len(texts)}
    field = cast("ThreeDovsField", decoder(**shape))
    field.classes.copy_(texts)
    own = {f"{name}.weight": options.lr.networks for name in ("features", "choices")} | rates_of(
        field.radiance, options.radiance, "radiance."
    )
    return Attachment(
        0, 0.0, options.lr.grids, shape, field, options.lr.grids,
        rates_of=own, facts=field_facts(field, keys is not None),
        class_ids=features.manifest["class_ids"],
    )  # fmt: skip


def decoder(
    radiance: dict[str, object],
    components: int,
    cells: int,
    samples: int,
    dim: int,
    scales: int,
    classes: int,
) -> Module:
    """Return the untrained field."""
    from semsplat.train.threedovs_field import ThreeDovsField

    told = Radiance.model_validate(radiance)
    field = ThreeDovsField(told, components, cells, dim, scales, classes)
    field.samples = samples
    return field


def start(
    options: Options, scene: Scene, geometry: Geometry, attachment: Attachment, device: str
) -> Trainee:
    """Return the field in the scene's box."""
    from semsplat.train.radiant import start_radiant

    return start_radiant(scene, attachment, geometry, device)


def task(options: Options, trainee: Trainee, stage: Stage) -> Task:
    """Return the steps: colours alone, then features, then both."""
    from semsplat.fit.schedules import log_linear
    from semsplat.radiance.colours import colour_terms, set_rates
    from semsplat.train.radiant import radiant_task
    from semsplat.train.scale_targets import ScaleTargets

    assert stage.features is not None and trainee.decoder and trainee.decoder.optimizer
    field, radiance = cast("ThreeDovsField", stage.decoder), options.radiance
    targets = ScaleTargets(stage.features, [frame.name for frame in stage.frames], stage.device)
    optimizer = trainee.decoder.optimizer

    def terms(step: int, batch: Batch, samples: Samples, _: torch.Generator) -> dict[str, Tensor]:
        now = step - radiance.steps  # of the steps after the reconstruction
        groups = optimizer.param_groups  # others after a resume
        set_rates(groups[:N_OWN], log_linear(max(now, 0), options.steps, 1.0, options.lr.last))
        set_rates(groups[N_OWN:], log_linear(step, radiance.steps, 1.0, radiance.lr.last))
        parts: dict[str, Tensor] = {}
        if now < 0 or now >= options.colours_from:
            parts |= colour_terms(field.radiance, radiance, batch, samples)
        if now >= 0:
            parts |= feature_terms(field, options, batch, samples, targets)
        return parts

    return radiant_task(trainee, stage, radiance, radiance.steps + options.steps, terms)


N_OWN = 3
"""Groups of the optimiser before those of the radiance field: planes, features, choices."""


def feature_terms(
    field: ThreeDovsField,
    options: Options,
    batch: Batch,
    samples: Samples,
    targets: ScaleTargets,
) -> dict[str, Tensor]:
    """Return the supervision, the relevancy's alignment and, with DINO, that of correlations."""
    from semsplat.train.threedovs_field import correlation_terms, cosine_loss, relevancy_loss

    heavy = samples.heaviest(options.samples)
    said, chosen = field.rendered(heavy), field.chosen(heavy)
    crops = targets.all_at(batch.views, batch.places)
    crops = crops / crops.norm(dim=-1, keepdim=True)
    told = relevancy_loss(said, chosen, crops, field.classes, options.temperature)
    parts = {
        "crops": cosine_loss(said, chosen, crops),
        "relevancy": options.relevancy_weight * told,
    }
    if targets.dino is not None:
        some, of = batch[: options.correlations.rays], options.correlations
        keys = targets.dino_at(some.views, some.places)
        scores = field.class_scores(said[: of.rays])
        positive, negative = correlation_terms(scores, keys, of.shift, of.temperature)
        parts |= {"positive": of.positive * positive, "negative": of.negative * negative}
    return parts


def opened(decoder: Module, facts: FieldFacts, device: str) -> RadiantField:
    """Return the trained field."""
    from semsplat.train.radiant import RadiantField

    return RadiantField(decoder, facts, device)


def class_scores(field: RadiantField, frame: Viewpoint) -> Tensor:
    """Return the cosines [H, W, C] of a view's vectors with the class list."""
    import torch

    known = cast("ThreeDovsField", field.decoder)
    rows = [
        known.class_scores(known.rendered(looked.heaviest(known.samples)))
        for _, looked in field.looked(frame)
    ]
    return torch.cat(rows).unflatten(0, (frame.height, frame.width))
