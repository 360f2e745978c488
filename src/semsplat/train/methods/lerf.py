"""LERF (Kerr et al., ICCV 2023): CLIP's vectors of every point and scale, on a radiance field.

Colours and language learn from the same random rays; language moves no density.  Every ray draws a
size of crops, its target is what the pyramid says at its pixel between two of its sizes, and each
sample is asked at its own physical scale (`semsplat.train.lerf_field`).  Asked for a prompt, all
scales are tried, and the one at which the prompt is most relevant anywhere in the view is taken.

Reconstructions: nerfacto's hash grids are planes and lines (`semsplat.radiance`), and so are those
of the language; all learn by Adam, where the code has RAdam and a weight decay of 1e-9 for the
language; the pyramid's levels lie on the cells of the finest.  CLIP-GS compares class maps with
LERF and does not say how it made them: here the class whose relevancy, each at its own scale, is
largest.  Without DINO, as in the embedded world, only CLIP is learned, and the card says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self, cast

from pydantic import Field

from semsplat.errors import SemsplatError
from semsplat.features.lessons import Lessons
from semsplat.features.store import SceneFeatures
from semsplat.params.base import Count, Positive, Strict
from semsplat.params.geometry import Geometry
from semsplat.params.methods import Radiant
from semsplat.train.methods import Attachment, Stage, Vectors

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch
    from torch import Tensor
    from torch.nn import Module

    from semsplat.data.scene import Scene, Viewpoint
    from semsplat.fit.job import Task
    from semsplat.fit.trainee import Trainee
    from semsplat.radiance.batches import Batch
    from semsplat.radiance.march import Samples
    from semsplat.train.lerf_field import LerfField
    from semsplat.train.model import FieldFacts
    from semsplat.train.radiant import RadiantField
    from semsplat.train.scale_targets import ScaleTargets

ANSWERS = ("pictures", "classes", "relevancy", "masks")


class Language(Strict):
    """The language field."""

    components: Count
    """of every grid"""
    cells: Annotated[list[Annotated[int, Field(ge=2, le=4096)]], Field(min_length=1)]
    """of each grid, each way"""
    hidden: Count
    """width of CLIP's and DINO's networks; the code has 256"""
    layers: Count
    """hidden layers of CLIP's network; the code has 4"""
    samples: Count
    """of every ray, those with the largest weights; the code has 24"""
    weight: float = Field(ge=0)
    """of CLIP's loss; the code has 0.1"""
    lr: Positive
    """Adam's rate at the first step"""
    last: Annotated[float, Field(gt=0, le=1)]
    """share of it that is left after ``decay_steps``, and from then on"""
    decay_steps: Count
    """steps over which it falls, log-linear"""


class Search(Strict):
    """The scales at which a prompt is asked."""

    scales: Annotated[int, Field(ge=1, le=1000)]
    """how many, from 0 on; the code has 30"""
    largest: Positive
    """the last, in units in which the cameras lie within [-1, 1]; the code has 1.5"""


class Options(Radiant):
    """Parameters of LERF."""

    language: Language
    """the language field"""
    search: Search
    """the scales at which a prompt is asked"""

    def scaled(self, steps: float, rates: float) -> Self:
        """Return the options with the steps scaled, down to a floor, and the decay with them.

        No rate is scaled: Adam's first hundreds of steps fill the grids at any of these.
        """
        radiance = self.radiance.at_least(steps)
        decay = max(1, round(self.language.decay_steps * radiance.steps / self.radiance.steps))
        language = self.language.model_copy(update={"decay_steps": decay})
        return self.model_copy(update={"radiance": radiance, "language": language})


def attach(options: Options, _: Lessons | None, features: SceneFeatures | None) -> Attachment:
    """Return an untrained field that knows the texts of its class maps.

    Raises:
        SemsplatError: the recipe keeps no pyramid's sizes apart.
    """
    import torch

    from semsplat.radiance.colours import rates_of
    from semsplat.train.radiant import field_facts

    assert features is not None
    shares_of(features)
    texts = [torch.from_numpy(features.text_vectors(name)) for name in ("classes", "canonical")]
    maps, keys = features.scales(features.training[0])
    dims = maps.shape[1], 0 if keys is None else len(keys)
    shape = options.model_dump(exclude={"recipe"})
    shape |= {"out": dims[0], "dino": dims[1], "texts": [len(rows) for rows in texts]}
    field = cast("LerfField", decoder(**shape))
    for name, rows in zip(("classes", "canonical"), texts, strict=True):
        getattr(field, name).copy_(rows)
    return Attachment(
        0, 0.0, options.language.lr, shape, field, options.language.lr,
        rates_of=rates_of(field.radiance, options.radiance, "radiance."),
        facts=field_facts(field, keys is not None),
        class_ids=features.manifest["class_ids"],
    )  # fmt: skip


def shares_of(features: SceneFeatures) -> list[float]:
    """Return the sides of the pyramid's tiles in heights of the image."""
    pyramid = features.manifest["config"]["pyramid_maps"]
    if pyramid is None or len(pyramid["height_shares"]) < 2:
        raise SemsplatError(
            f"{features.folder}: lerf learns between sizes of tiles; give its recipe a pyramid_maps"
            " of two height_shares or more, and apart: true"
        )
    shares: list[float] = pyramid["height_shares"]
    return shares


def decoder(out: int, dino: int, texts: list[int], **options: object) -> Module:
    """Return the untrained field; ``options`` are all of `Options` but the recipe."""
    from semsplat.train.lerf_field import LerfField

    told = Options.model_validate({"recipe": "", **options})
    of = told.language
    sizes = (of.components, of.cells, of.hidden, of.layers)
    field = LerfField(told.radiance, *sizes, (out, dino), (texts[0], texts[1]))
    field.asked = of.samples, told.search.scales, told.search.largest
    return field


def start(
    options: Options, scene: Scene, geometry: Geometry, attachment: Attachment, device: str
) -> Trainee:
    """Return the field in the scene's box, with the unit in which scales are told."""
    import numpy as np
    import torch

    from semsplat.data.poses import camera_centre
    from semsplat.train.lerf_field import unit_of
    from semsplat.train.radiant import start_radiant

    centres = np.stack([camera_centre(frame.viewmat) for frame in scene.train])
    field = cast("LerfField", attachment.decoder)
    field.unit.fill_(unit_of(torch.from_numpy(centres)))
    return start_radiant(scene, attachment, geometry, device)


def task(options: Options, trainee: Trainee, stage: Stage) -> Task:
    """Return the steps: L_rgb + 0.1 L_CLIP + L_DINO on the same rays (LERF, section 3.3)."""
    import torch

    from semsplat.fit.schedules import log_linear
    from semsplat.radiance.colours import colour_terms, set_rates
    from semsplat.train.lerf_field import drawn_scales
    from semsplat.train.radiant import radiant_task
    from semsplat.train.scale_targets import ScaleTargets

    assert stage.features is not None and trainee.decoder and trainee.decoder.optimizer
    field, optimizer = cast("LerfField", stage.decoder), trainee.decoder.optimizer
    radiance, language = options.radiance, options.language
    targets = ScaleTargets(stage.features, [frame.name for frame in stage.frames], stage.device)
    shares = torch.tensor(shares_of(stage.features))

    def terms(
        step: int, batch: Batch, samples: Samples, generator: torch.Generator
    ) -> dict[str, Tensor]:
        first, others = optimizer.param_groups[:1], optimizer.param_groups[1:]
        set_rates(first, log_linear(step, language.decay_steps, 1.0, language.last))
        set_rates(others, log_linear(step, radiance.steps, 1.0, radiance.lr.last))
        drawn = drawn_scales(len(batch.rays), shares, generator)
        said = language_terms(field, language, batch, samples, drawn, targets)
        return colour_terms(field.radiance, radiance, batch, samples) | said

    return radiant_task(trainee, stage, radiance, radiance.steps, terms)


def language_terms(
    field: LerfField,
    options: Language,
    batch: Batch,
    samples: Samples,
    drawn: tuple[Tensor, Tensor, Tensor],
    targets: ScaleTargets,
) -> dict[str, Tensor]:
    """Return 0.1 L_CLIP, and L_DINO where there is one, of the heaviest samples of rays."""
    from semsplat.train.lerf_field import clip_loss, dino_loss, sample_scales

    lower, share, size = (part.to(batch.views.device) for part in drawn)
    heavy = samples.heaviest(options.samples)
    points, scales = field.points(heavy), sample_scales(size, heavy.distances, batch.fy)
    said = field.vectors(field.placed(points), scales, heavy.weights)
    wanted = targets.between(batch.views, batch.places, lower, share)
    parts = {"clip": options.weight * clip_loss(said, wanted)}
    if field.dino is not None:
        keys = targets.dino_at(batch.views, batch.places)
        parts["dino"] = dino_loss(field.keys(points, heavy.weights), keys)
    return parts


def opened(decoder: Module, facts: FieldFacts, device: str) -> RadiantField:
    """Return the trained field."""
    from semsplat.train.radiant import RadiantField

    return RadiantField(decoder, facts, device)


def vectors(field: RadiantField, frame: Viewpoint) -> Vectors:
    """Return a view's vectors at all scales, of which each prompt takes its own."""
    import torch

    from semsplat.train.scaled import Scaled

    known = cast("LerfField", field.decoder)
    samples, scales, largest = known.asked
    asked = torch.linspace(0, largest, scales, device=field.device)

    def portions() -> Iterator[Tensor]:
        for _, looked in field.looked(frame):
            yield known.at_scales(looked.heaviest(samples), asked)

    return Vectors(Scaled(portions, (frame.height, frame.width)), None)


def class_scores(field: RadiantField, frame: Viewpoint) -> Tensor:
    """Return scores [H, W, C] that are ordered as the relevancies of classes, each at its scale."""
    from semsplat.train.scaled import Scaled

    said, known = vectors(field, frame).asked, cast("LerfField", field.decoder)
    assert isinstance(said, Scaled)

    def scores(part: Tensor) -> Tensor:
        best = (part @ known.canonical.T).amax(-1, keepdim=True)
        return (part @ known.classes.T - best).movedim(-1, 0)

    return said.chosen(scores)[:, 0].movedim(0, -1)
