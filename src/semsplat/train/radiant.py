"""A radiance field with a method's features on it: how it starts, is trained, and answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import Module, Parameter, ParameterDict

from semsplat.data.scene import Scene, Viewpoint
from semsplat.fit.job import Task
from semsplat.fit.loop import Outcome
from semsplat.fit.trainee import Trainee
from semsplat.fit.views import View
from semsplat.params.geometry import Geometry
from semsplat.params.methods import Radiance
from semsplat.radiance.batches import Batch, Pixels, generator_at
from semsplat.radiance.colours import BETAS, EPS
from semsplat.radiance.field import RadianceField
from semsplat.radiance.march import Samples, portions, sampled, seen_colours, seen_depth
from semsplat.radiance.space import Rays, box_of, rays_of
from semsplat.splat.gaussians import SH_COEFFICIENTS
from semsplat.train.attached import attach_to
from semsplat.train.methods import Attachment, Stage, Vectors, method
from semsplat.train.model import FieldFacts

ROWS = {"means": (3,), "quats": (4,), "scales": (3,), "opacities": (), "sh0": (1, 3)}
ROWS |= {"shN": (SH_COEFFICIENTS - 1, 3)}
Terms = Callable[[int, Batch, Samples, torch.Generator], dict[str, Tensor]]
"""Step, its rays and their samples in, and what draws the step's random numbers; losses out."""


def start_radiant(scene: Scene, attachment: Attachment, geometry: Geometry, device: str) -> Trainee:
    """Return a trainee without Gaussians, whose decoder is a field in the scene's box."""
    none = {key: Parameter(torch.zeros(0, *row, device=device)) for key, row in ROWS.items()}
    for value in none.values():
        value.requires_grad_(False)
    radiance_of(attachment.decoder).bound(*box_of(scene, geometry.init.random_extent))
    trainee = Trainee(ParameterDict(none), {}, None, {})
    attach_to(trainee, attachment, EPS, torch.Generator())
    assert trainee.decoder and trainee.decoder.optimizer
    for group in trainee.decoder.optimizer.param_groups:
        group["betas"] = BETAS
    return trainee


def radiance_of(decoder: Module) -> RadianceField:
    """Return the radiance field of a decoder."""
    found = decoder.radiance
    assert isinstance(found, RadianceField)
    return found


def radiant_task(
    trainee: Trainee, stage: Stage, options: Radiance, steps: int, terms: Terms
) -> Task:
    """Return the steps: random rays of all training views, sampled in the field.

    The view that the loop brings is not looked at; random numbers are those of the step.
    """
    pixels, field = Pixels(stage.frames, stage.device), radiance_of(stage.decoder)

    def objective(step: int, _: View) -> Outcome:
        generator = generator_at(stage.run_seed, step)
        batch = pixels.drawn(options.rays, generator)
        samples = sampled(field, batch.rays, generator)
        return terms(step, batch, samples, generator), {}, {}

    return Task(trainee, objective, steps, _whole, stage.run_seed, None, False)


def _whole(_: int) -> float:
    return 1.0


def field_facts(decoder: Module, dino: bool) -> dict[str, Any]:
    """Return what the card says: the field's size, and what it lacks."""
    size = sum(weight.numel() * weight.element_size() for weight in decoder.parameters())
    return {"semantic_mb": round(size / 2**20, 3)} | ({} if dino else {"lacks": "DINO"})


@dataclass(frozen=True, eq=False)
class RadiantField:
    """A trained radiance field; answers what `semsplat.train.model.TrainedField` says."""

    decoder: Module
    facts: FieldFacts
    device: str

    @property
    def sizes(self) -> dict[str, int]:
        """There are no Gaussians, and nothing that they hold."""
        return {"n_gaussians": 0, "semantic_dim": 0}

    def looked(self, frame: Viewpoint) -> Iterator[tuple[Rays, Samples]]:
        """Yield a view's rays and their samples, row by row."""
        for rays in portions(rays_of(frame, self.device)):
            yield rays, sampled(radiance_of(self.decoder), rays, None)

    @torch.no_grad()
    def picture(self, frame: Viewpoint) -> tuple[NDArray[np.uint8], NDArray[np.float16]]:
        """Return colours uint8 [H, W, 3], and expected z float16 [H, W], 0 where nothing is."""
        field, colours, depths = radiance_of(self.decoder), [], []
        for rays, samples in self.looked(frame):
            colours.append(seen_colours(field, rays, samples).clamp(0, 1) * 255)
            depth, opacity = seen_depth(rays, samples)
            depths.append(torch.where(opacity > 0, depth, 0.0))
        size = frame.height, frame.width
        image = torch.cat(colours).round().byte().view(*size, 3)
        return image.cpu().numpy(), torch.cat(depths).half().view(size).cpu().numpy()

    def render(self, frame: Viewpoint) -> tuple[object, ...]:
        """Return a view's colours, depth and class map."""
        return *self.picture(frame), self.class_map(frame)

    @torch.no_grad()
    def class_map(self, frame: Viewpoint) -> NDArray[np.uint16]:
        """Return the class ids [H, W] of a frame's camera."""
        scores = method(self.facts.method).class_scores(self, frame)
        return self._class_ids[scores.argmax(-1)].cpu().numpy().astype(np.uint16)

    def vectors(self, frame: Viewpoint) -> Vectors:
        """Return what it says of a view's pixels."""
        said: Vectors = method(self.facts.method).vectors(self, frame)
        return said

    @torch.no_grad()
    def drawn(self, frame: Viewpoint) -> object:
        """Return what is rendered of a view before a prompt is asked: where its rays end."""
        return [samples for _, samples in self.looked(frame)]

    @cached_property
    def _class_ids(self) -> Tensor:
        return torch.tensor(self.facts.class_ids, device=self.device)
