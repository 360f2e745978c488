"""Click on what prompts ask for, and write what a trained field selects (CGC, section 4.2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from semsplat.data.images import write_png
from semsplat.data.manifest import write_manifest
from semsplat.data.scene import Frame, Scene, load_scene
from semsplat.errors import SemsplatError
from semsplat.evaluate.extraction import Palette, draw_alone
from semsplat.evaluate.grounders import PERSON, grounder, with_clicks
from semsplat.evaluate.grounding import Place, World
from semsplat.evaluate.predict import model_facts
from semsplat.evaluate.selection import DRAWN, THRESHOLD, cosine, query_features, selected
from semsplat.evaluate.selections import extracted_name
from semsplat.features.cache import Cache
from semsplat.features.hub import weights_path
from semsplat.features.queries import Texts
from semsplat.features.store import open_features, write_arrays
from semsplat.io import atomic_dir, sha256_file, write_json
from semsplat.log import progress
from semsplat.params.evaluate import SelectionsRun
from semsplat.paths import EXTRACTED, FEATURES, GROUNDING, SELECTIONS
from semsplat.train.model import FILE, SemanticField, open_field

NOTHING = -1
VIEWS_KEPT = 4
"""blended features of a large view fill a hundred megabytes"""


@dataclass(frozen=True, eq=False)
class Queries:
    """What one grounder asks, with the features found where it clicked."""

    places: dict[str, Place]  # of all prompts
    vectors: Tensor  # [P, D], of those that were found
    members: Tensor  # bool [P, N], Gaussians like each (Eq. 6 in 3-D)

    @property
    def found(self) -> list[str]:
        """The prompts that were found, in the order of the vectors."""
        return [prompt for prompt, place in self.places.items() if not place.missing]


@dataclass(frozen=True, eq=False)
class ClickableField:
    """A trained field, and its blended features view by view."""

    trained: SemanticField
    known: dict[str, tuple[Tensor, Tensor]] = field(default_factory=dict)

    def blended(self, frame: Frame) -> tuple[Tensor, Tensor]:
        """Return a view's features [H, W, D] and alpha [H, W]; the last few are remembered."""
        if frame.name not in self.known:
            if len(self.known) == VIEWS_KEPT:
                self.known.pop(next(iter(self.known)))
            held = self.trained.semantics
            values = torch.cat([held, torch.ones_like(held[:, :1])], dim=1)
            drawn = self.trained.blend(frame, values)
            self.known[frame.name] = drawn[..., :-1], drawn[..., -1]
        return self.known[frame.name]

    def ask(self, places: dict[str, Place], frames: dict[str, Frame], strict: bool) -> Queries:
        """Return the queries at places; a place without a feature is missing, or an error."""
        answered, vectors = {}, [self.trained.semantics[:0]]
        for prompt, place in places.items():
            try:
                answered[prompt] = place
                if not place.missing:
                    vectors.append(self._feature(place, frames))
            except SemsplatError as error:
                if strict:
                    raise
                answered[prompt] = Place(missing=str(error))
        queries = torch.cat(vectors)
        members = selected(cosine(self.trained.semantics, queries), THRESHOLD)
        return Queries(answered, queries, members)

    def _feature(self, place: Place, frames: dict[str, Frame]) -> Tensor:
        """Return the feature [1, D] at a place."""
        if place.view not in frames:
            raise SemsplatError(f"click: the scene has no view '{place.view}'; name one it has")
        features, alpha = self.blended(frames[place.view])
        return query_features(features, alpha, [place.pixel], place.view)


def predict_selections(
    scene_dir: Path,
    model_dir: Path,
    features_dir: Path,
    cache: Path,
    out_dir: Path,
    run: SelectionsRun,
    device: str,
) -> None:
    """Write what every grounder's prompts select in the held-out views.

    ``selections/{frame}.npz`` and ``grounding.json`` are as `semsplat.evaluate.selections`
    describes.  A prompt is asked in the labelled views that show it, a person's click in all.
    ``features/{frame}.png`` shows the features of each view in colours that mean the same in all;
    ``extracted/{grounder}/``, with names by `extracted_name`, the Gaussians alone that each prompt
    selects, seen from where it was asked.  ``cache``: where vectors of prompts are kept.
    """
    scene, clicked = load_scene(scene_dir), ClickableField(open_field(model_dir, device))
    features = open_features(features_dir)
    world = World(scene, features, Texts(features, device, Cache(cache)), run, device)
    queries = ask_all(world, clicked)
    with atomic_dir(out_dir) as partial:
        write_json(partial / GROUNDING, {name: _told(asked) for name, asked in queries.items()})
        _write_views(partial, world, clicked, queries)
        _write_alone(partial / EXTRACTED, scene, clicked.trained, queries)
        facts = {**model_facts(model_dir, device), "semantics": sha256_file(model_dir / FILE)}
        if run.grounding_dino:
            facts["grounding_dino"] = sha256_file(weights_path(run.grounding_dino.model))
        write_manifest(partial, {**facts, "threshold": THRESHOLD})


def ask_all(world: World, clicked: ClickableField) -> dict[str, Queries]:
    """Return what every grounder asks."""
    frames = {frame.name: frame for frame in world.scene.frames}
    return {
        name: clicked.ask(grounder(name).ground(world), frames, strict=name == PERSON)
        for name in with_clicks(world.run.grounders)
    }


def _write_views(
    folder: Path, world: World, clicked: ClickableField, queries: dict[str, Queries]
) -> None:
    """Write the selections and the colours of the features of every held-out view."""
    palette = Palette(clicked.trained.semantics)
    for frame in progress(world.scene.test, "select", total=len(world.scene.test)):
        arrays: dict[str, Any] = {}
        for name, asked in queries.items():
            shown = asked.found if name == PERSON else world.shown.get(frame.name, [])
            view = select_in(clicked, frame, asked, [p for p in asked.found if p in shown])
            arrays |= {f"{name}.{key}": value for key, value in view.items()}
        write_arrays(folder / SELECTIONS / f"{frame.name}.npz", arrays)
        picture = palette.picture(*clicked.blended(frame))
        write_png(folder / FEATURES / f"{frame.name}.png", picture)


def _write_alone(
    folder: Path, scene: Scene, field: SemanticField, queries: dict[str, Queries]
) -> None:
    """Write what every prompt cuts out of the scene, seen from where it was asked."""
    frames = {frame.name: frame for frame in scene.frames}
    for name, asked in queries.items():
        for prompt, members in zip(asked.found, asked.members, strict=True):
            alone = draw_alone(field, frames[asked.places[prompt].view], members)
            write_png(folder / name / extracted_name(asked.found, prompt), alone)


@torch.no_grad()
def select_in(
    clicked: ClickableField, frame: Frame, asked: Queries, prompts: list[str]
) -> dict[str, NDArray[Any]]:
    """Return the arrays of one grounder in one view; ``prompts`` are asked of what was found."""
    features, alpha = clicked.blended(frame)
    cosines = cosine(features, asked.vectors)  # [P, H, W]
    rows = [asked.found.index(prompt) for prompt in prompts]
    shares = clicked.trained.blend(frame, asked.members[rows].T.float().contiguous())
    nothing = torch.full_like(alpha, NOTHING, dtype=torch.int16)
    drawn = (alpha >= DRAWN) & bool(asked.found)
    best = cosines.argmax(dim=0).short() if asked.found else nothing
    return {
        "prompts": np.array(prompts, dtype=np.str_),
        "masks": selected(cosines[rows], THRESHOLD).cpu().numpy(),
        "gaussians": (shares > DRAWN).movedim(-1, 0).cpu().numpy(),
        "scene_prompts": np.array(asked.found, dtype=np.str_),
        "classes": torch.where(drawn, best, nothing).cpu().numpy(),
    }


def _told(asked: Queries) -> dict[str, dict[str, Any]]:
    """Return the content of ``grounding.json`` for one grounder."""
    return {
        prompt: {"missing": place.missing}
        if place.missing
        else {"view": place.view, "pixel": list(place.pixel)}
        for prompt, place in asked.places.items()
    }
