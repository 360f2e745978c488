"""Find what prompts ask for in one view each, and write what a trained field answers in all."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

from semsplat.arrays import write_arrays
from semsplat.data.annotations import load_annotations
from semsplat.data.scene import Frame
from semsplat.errors import SemsplatError
from semsplat.evaluate.answers import Asked
from semsplat.evaluate.grounders import gives_masks, grounder
from semsplat.evaluate.grounding import Place, World, interior
from semsplat.evaluate.text_masks import AskedByText
from semsplat.features.cache import Cache
from semsplat.features.hub import weights_path
from semsplat.features.queries import Texts
from semsplat.features.store import open_features
from semsplat.io import sha256_file, write_json
from semsplat.log import progress
from semsplat.params.evaluate import SelectionsJob
from semsplat.paths import FIELD_FILE, GROUNDING, SELECTIONS
from semsplat.train.methods import Reference, method
from semsplat.train.model import TrainedField, open_field


class Prompts(World):
    """A world whose prompts are those of annotations as well, of training views too."""

    @cached_property
    def shown(self) -> dict[str, list[str]]:
        """The prompts that every labelled view shows, held-out views first, by the view's name."""
        prompts = dict(super().shown)
        for frame in (*self.scene.test, *self.scene.train):
            annotations = load_annotations(frame) if frame.annotations_path else {}
            prompts[frame.name] = list(dict.fromkeys([*prompts.get(frame.name, ()), *annotations]))
        return {view: asked for view, asked in prompts.items() if asked}


@dataclass(frozen=True, eq=False)
class Asker:
    """A trained field, what makes masks of it, and what prompts may ask."""

    field: TrainedField
    kind: ModuleType | AskedByText
    world: Prompts

    def queries(self, places: dict[str, Place]) -> dict[str, torch.Tensor]:
        """Return what is asked by, of every prompt whose place has a mask."""
        frames = {frame.name: frame for frame in self.world.scene.frames}
        asked, device = {}, self.field.device
        for prompt, place in progress(list(places.items()), "ask"):
            if place.mask is not None:
                mask = torch.from_numpy(place.mask).to(device)
                text = self.world.texts.encode([prompt])[0]
                reference = Reference(frames[place.view], mask, text)
                asked[prompt] = self.kind.query(self.field, reference)
        return asked

    def arrays(self, frame: Frame, queries: dict[str, torch.Tensor]) -> dict[str, Any]:
        """Return one grounder's arrays of one view; prompts that it does not show are not asked."""
        prompts = [prompt for prompt in self.world.shown[frame.name] if prompt in queries]
        masks = np.zeros((0, frame.height, frame.width), bool)
        if prompts:
            stacked = torch.stack([queries[prompt] for prompt in prompts])
            masks = self.kind.select(self.field, frame, stacked).cpu().numpy()
        return {"prompts": np.array(prompts, dtype=np.str_), "masks": masks}


@torch.no_grad()
def write_masks(asked: Asked, folder: Path) -> dict[str, Any]:
    """Write the masks of every prompt in the labelled views that show it.

    ``selections/{frame}.npz`` and ``grounding.json`` are as `semsplat.evaluate.selections`
    describes, of the grounders that give masks.
    """
    assert asked.features_dir is not None
    field, features = open_field(asked.model_dir, asked.device), open_features(asked.features_dir)
    run = SelectionsJob.model_validate(asked.options)
    texts = Texts(features, asked.device, Cache(asked.cache))
    world = Prompts(asked.scene, features, texts, run, asked.device)
    asker = Asker(field, _selector(method(field.facts.method), texts), world)
    names = [name for name in run.grounders if gives_masks(name)]
    if not names:
        raise SemsplatError("masks: no grounder gives any; add clip_regions to evaluate.grounders")
    places = {name: grounder(name).ground(world) for name in names}
    queries = {name: asker.queries(found) for name, found in places.items()}
    write_json(folder / GROUNDING, {name: _told(found) for name, found in places.items()})
    shown = [frame for frame in world.scene.frames if frame.name in world.shown]
    for frame in progress(shown, "select"):
        arrays = {name: asker.arrays(frame, of) for name, of in queries.items()}
        flat = {f"{name}.{key}": value for name, of in arrays.items() for key, value in of.items()}
        write_arrays(folder / SELECTIONS / f"{frame.name}.npz", flat)
    facts = {"semantics": sha256_file(asked.model_dir / FIELD_FILE)}
    if run.grounding_dino:
        facts["grounding_dino"] = sha256_file(weights_path(run.grounding_dino.model))
    return facts


def _selector(kind: ModuleType, texts: Texts) -> ModuleType | AskedByText:
    """Return what makes queries and masks: the method, or what stands for it."""
    return kind if hasattr(kind, "select") else AskedByText(texts.canonical)


def _told(places: dict[str, Place]) -> dict[str, dict[str, Any]]:
    """Return the content of ``grounding.json`` for one grounder."""
    return {
        prompt: {"missing": place.missing}
        if place.mask is None
        else {"view": place.view, "pixel": list(interior(place.mask))}
        for prompt, place in places.items()
    }
