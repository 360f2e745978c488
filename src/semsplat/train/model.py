"""A trained semantic field on disk, and what it says about a view."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import Module

from semsplat.data.scene import Viewpoint
from semsplat.errors import SemsplatError, one_line, readable
from semsplat.fit.inputs import Inputs
from semsplat.fit.trainee import Trainee
from semsplat.fit.views import camera_of
from semsplat.geometry.trained import Trained, open_geometry, render, render_frame
from semsplat.io import atomic_path, canonical_json
from semsplat.paths import FIELD_FILE
from semsplat.splat.gaussians import splat_values
from semsplat.train.attached import SEMANTICS
from semsplat.train.methods import Shape, Vectors, method, shown_of
from semsplat.verified import verified

DECODER = "decoder."
FACTS = "field"
"""The one entry of the archive's metadata: safetensors writes several in any order."""


@dataclass(frozen=True)
class FieldFacts:
    """What a field is beside its tensors."""

    method: str
    class_ids: list[int]  # the scene's ids of the classes; empty where the method knows none
    shape: Shape  # of the decoder


class TrainedField(Protocol):
    """What every trained field answers, of Gaussians or not."""

    @property
    def facts(self) -> FieldFacts:
        """What it is beside its tensors."""

    @property
    def device(self) -> str:
        """Where it computes."""

    @property
    def sizes(self) -> dict[str, int]:
        """How many Gaussians there are, ``n_gaussians``, and numbers each, ``semantic_dim``."""

    def picture(self, frame: Viewpoint) -> tuple[NDArray[np.uint8], NDArray[np.float16]]:
        """Return colours uint8 [H, W, 3]; expected z float16 [H, W], 0 where nothing is drawn."""

    def render(self, frame: Viewpoint) -> tuple[object, ...]:
        """Return colours and class ids together, as one draws them: what is timed."""

    def class_map(self, frame: Viewpoint) -> NDArray[np.uint16]:
        """Return the class ids [H, W] of a frame's camera."""

    def vectors(self, frame: Viewpoint) -> Vectors:
        """Return what texts are compared with; of a method that answers relevancy."""

    def drawn(self, frame: Viewpoint) -> object:
        """Return what is rendered for a text, before it is asked: what is timed."""


@dataclass(frozen=True, eq=False)
class SemanticField:
    """A trained geometry with what a method attached to it."""

    trained: Trained
    semantics: Tensor  # [N, dim], as they are blended
    decoder: Module
    facts: FieldFacts

    @property
    def device(self) -> str:
        """Where it computes."""
        return self.trained.device

    @property
    def sizes(self) -> dict[str, int]:
        """How many Gaussians there are, and numbers each."""
        return {"n_gaussians": len(self.semantics), "semantic_dim": self.semantics.shape[1]}

    def picture(self, frame: Viewpoint) -> tuple[NDArray[np.uint8], NDArray[np.float16]]:
        """Return colours and depth, see `TrainedField`."""
        return render_frame(self.trained, frame)

    def vectors(self, frame: Viewpoint) -> Vectors:
        """Return what the method says of a view."""
        said: Vectors = method(self.facts.method).vectors(self, frame)
        return said

    def drawn(self, frame: Viewpoint) -> object:
        """Return all that is blended for a text."""
        passes = getattr(method(self.facts.method), "rendered", None)
        return passes(self, frame) if passes else self.blend(frame)

    @torch.no_grad()
    def blend(self, frame: Viewpoint, values: Tensor | None = None) -> Tensor:
        """Return the attachment, or other values [N, E], blended over zeros: [H, W, E]."""
        camera = camera_of(frame, 1.0, Inputs(self.trained.device))
        shown = self.semantics if values is None else values
        blended, _, _ = splat_values(self.trained.gaussians, shown, *camera.alone)
        return blended[0]

    @torch.no_grad()
    def render(self, frame: Viewpoint) -> tuple[Tensor, Tensor, Tensor]:
        """Draw a frame's camera: image and alpha as `render`, and class ids int64 [H, W]."""
        image, alpha = render(self.trained, frame, self.semantics)
        return image, alpha, self._classes(image[..., 3:-1])

    @torch.no_grad()
    def class_map(self, frame: Viewpoint) -> NDArray[np.uint16]:
        """Return the class ids [H, W] of a frame's camera."""
        return self._classes(self.blend(frame)).cpu().numpy().astype(np.uint16)

    def _classes(self, blended: Tensor) -> Tensor:
        """Return class ids int64 [H, W] of the blended attachment [H, W, dim]."""
        return self._class_ids[self.decoder(blended).argmax(dim=-1)]

    @cached_property
    def _class_ids(self) -> Tensor:
        return torch.tensor(self.facts.class_ids, device=self.trained.device)


def write_field(path: Path, trainee: Trainee, facts: FieldFacts) -> None:
    """Write semantics, decoder and facts, atomically."""
    assert trainee.decoder is not None
    tensors = {SEMANTICS: trainee.gaussians[SEMANTICS].detach()}
    weights = trainee.decoder.module.state_dict()
    tensors |= {f"{DECODER}{name}": weight for name, weight in weights.items()}
    written = {FACTS: canonical_json(vars(facts))}
    with atomic_path(path) as partial:
        save_file({k: v.cpu().contiguous() for k, v in tensors.items()}, partial, metadata=written)


def open_gaussians(folder: Path, device: str) -> SemanticField:
    """Return a field as `open_field` does; raise a `SemsplatError` where it has no Gaussians."""
    field = open_field(folder, device)
    if not isinstance(field, SemanticField):
        raise SemsplatError(no_gaussians(folder, field))
    return field


def no_gaussians(folder: Path, field: TrainedField) -> str:
    """Return the line that says why a field cannot be asked as Gaussians are."""
    lies = "its answers are the predictions in results/evaluate"
    return f"{folder}: {field.facts.method} is a radiance field and has no Gaussians; {lies}"


def open_field(folder: Path, device: str) -> TrainedField:
    """Return the field in ``results/train/{dataset}/{scene}/{setting}/{seed}``.

    Raises:
        SemsplatError: its files are missing, broken, or not of one training.
    """
    path = folder / FIELD_FILE
    facts, tensors = _read(path, device)
    if facts is None or SEMANTICS not in tensors:
        raise SemsplatError(f"{path}: not a semantic field of this version; train again")
    semantics = tensors.pop(SEMANTICS)
    if not all(bool(torch.isfinite(tensor).all()) for tensor in (semantics, *tensors.values())):
        raise SemsplatError(f"{path}: holds values that are not finite; train again")
    decoder = _decoder(path, facts, tensors).to(device)
    if opened := getattr(method(facts.method), "opened", None):
        field: TrainedField = opened(decoder, facts, device)
        return field
    trained = open_geometry(folder, device)
    if len(semantics) != len(trained.gaussians["means"]):
        raise SemsplatError(f"{path}: of other Gaussians than point_cloud.ply; train again")
    return SemanticField(trained, shown_of(facts.method)(semantics), decoder, facts)


def _decoder(path: Path, facts: FieldFacts, tensors: dict[str, Tensor]) -> Module:
    """Return the decoder with the weights in an archive's tensors; raise where they do not fit."""
    with readable(path, "a field that its decoder fits", "train again"):
        decoder: Module = method(facts.method).decoder(**facts.shape)
        decoder.load_state_dict({name.removeprefix(DECODER): t for name, t in tensors.items()})
    return decoder


def _read(path: Path, device: str) -> tuple[FieldFacts | None, dict[str, Tensor]]:
    """Return an archive's facts and tensors; raise where it is missing, changed or broken."""
    try:
        with (
            readable(path, "a readable archive", "train again"),
            safe_open(verified(path), framework="pt") as archive,
        ):
            names = archive.keys()
            tensors = {name: archive.get_tensor(name).to(device) for name in names}
            return _facts(archive.metadata()), tensors
    except SafetensorError as error:
        raise SemsplatError(
            f"{path}: not a readable archive ({one_line(error)}); train again"
        ) from None


def _facts(written: dict[str, str] | None) -> FieldFacts | None:
    """Return the facts in an archive's metadata, None where they are not all there."""
    stored = json.loads((written or {}).get(FACTS, "{}"))
    names = {field.name for field in fields(FieldFacts)}
    return FieldFacts(**stored) if stored.keys() == names else None
