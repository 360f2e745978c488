"""Click on what prompts ask for, and write what a trained field selects (CGC, section 4.2)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from torch import Tensor
from torch.nn.functional import normalize

from semsplat.arrays import write_arrays
from semsplat.data.images import write_png
from semsplat.data.scene import Frame, Scene
from semsplat.evaluate.answers import Asked
from semsplat.evaluate.clickable import ClickableField, Queries, ask_all, select_in
from semsplat.evaluate.grounders import PERSON
from semsplat.evaluate.grounding import World
from semsplat.evaluate.selection import DRAWN, THRESHOLD
from semsplat.evaluate.selections import extracted_name
from semsplat.features.cache import Cache
from semsplat.features.hub import weights_path
from semsplat.features.queries import Texts
from semsplat.features.store import open_features
from semsplat.geometry.trained import render_frame
from semsplat.io import sha256_file, write_json
from semsplat.log import progress
from semsplat.params.evaluate import SelectionsJob
from semsplat.paths import EXTRACTED, FEATURES, FIELD_FILE, GROUNDING, SELECTIONS
from semsplat.splat.gaussians import chosen
from semsplat.train.model import SemanticField, open_gaussians

Picture = NDArray[np.uint8]
SPREAD = (1.0, 99.0)  # percentiles that become the darkest and the brightest of a channel
SMALLEST_RANGE = 1e-6  # an axis along which nothing differs has no colours to give


class Palette:
    """Colours of features that mean the same in all views of a scene.

    The three principal axes of the unit features of all Gaussians, fewer where there are fewer; in
    every scene and setting of their own: colours of two fields cannot be compared.
    """

    def __init__(self, semantics: Tensor) -> None:
        """Find the axes of features [N, D]."""
        unit = normalize(semantics, dim=-1).cpu().numpy()
        self._axes = PCA(n_components=min(3, *unit.shape), svd_solver="full").fit(unit)
        low, high = np.percentile(self._axes.transform(unit), SPREAD, axis=0)
        self._low, self._range = low, np.maximum(high - low, SMALLEST_RANGE)

    def picture(self, features: Tensor, alpha: Tensor) -> Picture:
        """Return a view's features [H, W, D] as colours [H, W, 3]; white where nothing is drawn."""
        unit = normalize(features.flatten(0, 1), dim=-1).cpu().numpy()
        values = (self._axes.transform(unit) - self._low) / self._range
        colours = np.zeros((len(values), 3), np.uint8)
        colours[:, : values.shape[1]] = (values.clip(0, 1) * 255).round()
        drawn = (alpha >= DRAWN).cpu().numpy()
        return np.where(drawn[..., None], colours.reshape(*drawn.shape, 3), np.uint8(255))


def draw_alone(field: SemanticField, frame: Frame, members: Tensor) -> Picture:
    """Return the Gaussians ``members`` bool [N] on white, uint8 [H, W, 3]."""
    if not members.any():
        return np.full((frame.height, frame.width, 3), 255, np.uint8)
    gaussians = chosen(field.trained.gaussians, members)
    alone = replace(field.trained, gaussians=gaussians, background="white")
    with torch.no_grad():
        return render_frame(alone, frame)[0]


def write_selections(asked: Asked, folder: Path) -> dict[str, Any]:
    """Write what every grounder's prompts select in the held-out views.

    ``selections/{frame}.npz`` and ``grounding.json`` are as `semsplat.evaluate.selections`
    describes.  A prompt is asked in the labelled views that show it, a person's click in all.
    ``features/{frame}.png`` shows the features of each view in colours that mean the same in all;
    ``extracted/{grounder}/``, with names by `extracted_name`, the Gaussians alone that each prompt
    selects, seen from where it was asked.
    """
    assert asked.features_dir is not None
    clicked = ClickableField(open_gaussians(asked.model_dir, asked.device))
    features = open_features(asked.features_dir)
    run = SelectionsJob.model_validate(asked.options)
    texts = Texts(features, asked.device, Cache(asked.cache))
    world = World(asked.scene, features, texts, run, asked.device)
    queries = ask_all(world, clicked)
    write_json(folder / GROUNDING, {name: _told(one) for name, one in queries.items()})
    _write_views(folder, world, clicked, queries)
    _write_alone(folder / EXTRACTED, asked.scene, clicked.trained, queries)
    facts = {"semantics": sha256_file(asked.model_dir / FIELD_FILE), "threshold": THRESHOLD}
    if run.grounding_dino:
        facts["grounding_dino"] = sha256_file(weights_path(run.grounding_dino.model))
    return facts


def _write_views(
    folder: Path, world: World, clicked: ClickableField, queries: dict[str, Queries]
) -> None:
    """Write the selections and the colours of the features of every held-out view."""
    palette = Palette(clicked.trained.semantics)
    for frame in progress(world.scene.test, "select"):
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


def _told(asked: Queries) -> dict[str, dict[str, Any]]:
    """Return the content of ``grounding.json`` for one grounder."""
    return {
        prompt: {"missing": place.missing}
        if place.missing
        else {"view": place.view, "pixel": list(place.pixel)}
        for prompt, place in asked.places.items()
    }
