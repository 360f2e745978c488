"""A scene's Gaussians with what each of them answers, for the 3-D scene of the suite's page.

The one figure that asks trained fields: what a single Gaussian says is measured nowhere.  See
`semsplat.figures.packed` for the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from semsplat.data.scene import Scene, load_scene
from semsplat.errors import SemsplatError
from semsplat.figures import FEATURE_FILES, PREDICTION_FILES
from semsplat.figures.packed.arrays import Blob, write_packed
from semsplat.figures.packed.cameras import cameras_of
from semsplat.figures.packed.channels import GROUPS, Asked, Channel, channels_of, prompts_of
from semsplat.figures.packed.palettes import Palettes, known_classes
from semsplat.figures.packed.shapes import digest, most_visible, pack_model
from semsplat.figures.style import setting_keys
from semsplat.keys import GeometryKey, SceneKey
from semsplat.params.base import Count, Positive, Strict
from semsplat.paths import features_dir

if TYPE_CHECKING:
    from semsplat.geometry.trained import Trained
SCOPE = "scene"
EXTENSION = "json"
TRAINED = "results/train/{dataset}/{scene}/{setting}/{seed}"
NEEDS = (
    *PREDICTION_FILES,
    FEATURE_FILES[1],
    f"{TRAINED}/point_cloud.ply",
    f"{TRAINED}/semantics.safetensors",
)
MEGABYTE = 1_000_000
TRUE_NOTE = (
    "By the label maps of all views: each pixel votes by the weight with which a Gaussian is"
    " blended into it. To look at; nothing is scored by it."
)
COLOUR_NOTE = "Without the part of the colour that depends on the view."


class Options(Strict):
    """Whose Gaussians, and how many."""

    settings: dict[str, str] = Field(min_length=1)
    """setting: what it is called, in their order"""
    scenes: list[str]
    """of the suite's scenes, dataset/scene, these; empty for all.  The page shows the first"""
    seed: Annotated[int, Field(ge=0)] | None
    """whose trainings are shown; null for the suite's first"""
    recipe: str
    """the features whose CLIP encodes prompts: the one that the trainings learned of"""
    grounder: Literal["clicks", "points", "clip_regions", "grounding_dino"]
    """whose clicks select"""
    n_prompts: Count
    """prompts whose relevancy is shown: those that most held-out views name"""
    max_gaussians: Count
    """of each training, the most visible ones"""
    max_mb: Positive
    """megabytes that the file may have; fewer Gaussians are kept where it had more"""


class Model(NamedTuple):
    """Gaussians that some trainings share, and what can be shown of them."""

    trained: Trained
    channels: list[Channel]
    whose: list[str]


def modules() -> list[str]:
    """Return the methods, which are imported by name."""
    from semsplat.train.methods import method_names

    return [f"semsplat.train.methods.{name}" for name in method_names()]


def draw(places: list[SceneKey], options: Options, out: Path) -> None:
    """Pack one scene."""
    (place,) = places
    if options.seed is None:
        raise SemsplatError("splats: no seed; the workflow names the suite's first")
    run, scene = GeometryKey(*place, options.seed), load_scene(place.scene_dir)
    models = _models(run, scene, options)
    palettes = Palettes(scene)
    header = {
        **{"scene": "/".join(place), "seed": options.seed},
        **{"sources": setting_keys(run, options.settings)},
        **cameras_of(scene, models[0].trained.gaussians["means"].numpy()),
    }
    count, limit = options.max_gaussians, options.max_mb * MEGABYTE
    while (size := len((packed := _packed(models, palettes, count))[1].text())) > limit:
        count = min(int(count * limit / size), count - 1)
    write_packed(out, header | packed[0] | {"palettes": palettes.told()}, packed[1])


def _models(run: GeometryKey, scene: Scene, options: Options) -> list[Model]:
    """Return the different Gaussians of the trainings, in the order of the settings."""
    from semsplat.features.queries import Texts
    from semsplat.features.store import open_features
    from semsplat.train.model import open_gaussians

    features = open_features(features_dir(run.dataset, run.scene, *options.recipe.split("/")))
    prompts = prompts_of(scene, options.n_prompts)
    asked = Asked(scene, Texts(features, "cpu"), prompts, options.grounder)
    models: dict[str, Model] = {}
    for setting, label in options.settings.items():
        field = open_gaussians(run.train_dir(setting), "cpu")
        key = digest(field.trained.gaussians)
        model = models.setdefault(key, Model(field.trained, [], []))
        model.whose.append(label)
        predictions = run.setting_dir(setting) / "predictions"
        model.channels.extend(channels_of(field, label, asked, predictions))
    return [_with_truth(model, scene) for model in models.values()]


def _with_truth(model: Model, scene: Scene) -> Model:
    """Return a model whose first channels are its colours and the true classes, if any."""
    from semsplat.figures.packed.votes import true_classes

    others, nothing = len(model.whose) - 1, np.zeros(0, np.uint8)
    whose = model.whose[0] + (f" and {others} with the same Gaussians" if others else "")
    first = [Channel("colours", whose, "colours", nothing, note=COLOUR_NOTE)]
    truth = true_classes(model.trained, scene, list(known_classes(scene)))
    if truth is not None:
        first.append(Channel("true classes", whose, "classes", truth, note=TRUE_NOTE))
    return model._replace(channels=[*first, *model.channels])


def _packed(models: list[Model], palettes: Palettes, count: int) -> tuple[dict[str, Any], Blob]:
    """Return models and channels of at most so many Gaussians each, and their arrays."""
    blob, entries, told = Blob(), [], []
    for index, model in enumerate(models):
        kept = most_visible(model.trained.gaussians, count)
        entries.append(pack_model(model.trained.gaussians, kept, blob))
        told += [_told(c, index, kept, palettes, blob) for c in model.channels]
    told.sort(key=lambda channel: GROUPS.index(channel["group"]))
    return {"models": entries, "channels": told}, blob


def _told(
    channel: Channel, model: int, kept: NDArray[np.int64], palettes: Palettes, blob: Blob
) -> dict[str, Any]:
    """Append a channel's array, and return its entry."""
    named = {name: getattr(channel, name) for name in ("group", "whose", "asked", "kind", "note")}
    if channel.kind == "colours":
        return named | {"model": model}
    return named | {"model": model, "at": blob.add(palettes.rows(channel)[kept])}
