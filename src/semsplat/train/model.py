"""A trained semantic field on disk, and what it says about a view."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import Module

from semsplat.data.scene import Frame
from semsplat.errors import SemsplatError
from semsplat.fit.trainee import Trainee
from semsplat.geometry.trained import Trained, open_geometry, pixels, render
from semsplat.io import atomic_path, canonical_json
from semsplat.train.methods import method
from semsplat.train.start import SEMANTICS

FILE = "semantics.safetensors"
DECODER = "decoder."
FACTS = "field"
"""The one entry of the archive's metadata: safetensors writes several in any order."""


@dataclass(frozen=True, eq=False)
class SemanticField:
    """A trained geometry with classes."""

    trained: Trained
    semantics: Tensor  # [N, dim]
    decoder: Module
    class_ids: Tensor  # int64 [C], the scene's ids of the classes

    @torch.no_grad()
    def render(self, frame: Frame) -> tuple[Tensor, Tensor, Tensor]:
        """Draw a frame's camera: image and alpha as `render`, and class ids int64 [H, W]."""
        image, alpha = render(self.trained, frame, self.semantics)
        return image, alpha, self.class_ids[self.decoder(image[..., 3:-1]).argmax(dim=-1)]

    def view(
        self, frame: Frame
    ) -> tuple[NDArray[np.uint8], NDArray[np.float16], NDArray[np.uint16]]:
        """Return colours, expected depth and class ids [H, W] of a frame's camera."""
        image, alpha, classes = self.render(frame)
        return *pixels(image, alpha), classes.cpu().numpy().astype(np.uint16)


def write_field(path: Path, trainee: Trainee, method_name: str, class_ids: list[int]) -> None:
    """Write semantics, decoder and class ids, atomically."""
    assert trainee.decoder is not None
    tensors = {SEMANTICS: trainee.gaussians[SEMANTICS].detach()}
    weights = trainee.decoder.module.state_dict()
    tensors |= {f"{DECODER}{name}": weight for name, weight in weights.items()}
    facts = {FACTS: canonical_json({"method": method_name, "class_ids": class_ids})}
    with atomic_path(path) as partial:
        save_file({k: v.cpu().contiguous() for k, v in tensors.items()}, partial, metadata=facts)


def open_field(folder: Path, device: str) -> SemanticField:
    """Return the field in ``results/train/{dataset}/{scene}/{setting}/{seed}``.

    Raises:
        SemsplatError: its files are missing, broken, or not of one training.
    """
    path, trained = folder / FILE, open_geometry(folder, device)
    try:
        with safe_open(path, framework="pt", device=device) as archive:
            facts = archive.metadata()
            tensors = {name: archive.get_tensor(name) for name in archive.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise SemsplatError(f"{path}: no such file; train first") from None
    except SafetensorError as error:
        raise SemsplatError(f"{path}: not a readable archive ({error})") from None
    if not facts or FACTS not in facts or SEMANTICS not in tensors:
        raise SemsplatError(f"{path}: not a semantic field; train again")
    semantics = tensors.pop(SEMANTICS)
    if len(semantics) != len(trained.gaussians["means"]):
        raise SemsplatError(f"{path}: of other Gaussians than point_cloud.ply; train again")
    written = json.loads(facts[FACTS])
    class_ids = torch.tensor(written["class_ids"], device=device)
    decoder = method(written["method"]).decoder(semantics.shape[1], len(class_ids)).to(device)
    try:
        decoder.load_state_dict({name.removeprefix(DECODER): t for name, t in tensors.items()})
    except RuntimeError:
        raise SemsplatError(f"{path}: its decoder fits no semantics; train again") from None
    return SemanticField(trained, semantics, decoder, class_ids)
