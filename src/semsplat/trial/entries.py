"""What a trial adds to params.yaml: a scene, settings, figures and a suite, all of one name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from semsplat.errors import SemsplatError
from semsplat.evaluate.grounding import Place
from semsplat.experiment.runs import merged
from semsplat.experiment.schema import Params
from semsplat.features.weights import EMBEDDED
from semsplat.params.features import ClipModel, SamModel

Config = dict[str, Any]
PHOTOS, NERFSTUDIO = "photos", "nerfstudio"
PACKED: Config = {
    "seed": 0,
    "grounder": "clicks",
    "n_prompts": 12,
    "max_gaussians": 50000,
    "max_mb": 4.0,
}
SHEET: Config = {"datasets": [], "row_height_in": 1.5, "dpi": 150}


def entries(
    params: Params,
    folder: Path,
    name: str,
    clicks: Mapping[str, Place],
    *,
    test_every: int,
    max_width_px: int,
    steps_scaler: float,
) -> Config:
    """Return the further parameters of a trial of a folder.

    With weights of a real CLIP and a real SAM on disk it is GAGS, asked by text, and CGC on SAM's
    masks; without, CGC on masks that need no network, asked by clicks.

    Args:
        params: those of params.yaml, which name the models.
        folder: with photographs, or with nerfstudio's transforms.json.
        name: of the scene; settings and figures are called after it.
        clicks: a person's, by the object's name.
        test_every: each so many views are held out.
        max_width_px: wider photographs are reduced.
        steps_scaler: of the papers' iteration counts.

    Raises:
        SemsplatError: params.yaml has a scene or a suite of that name.
    """
    dataset = dataset_of(folder)
    if name in params.suites or name in params.datasets[dataset].scenes:
        raise SemsplatError(f"'{name}' is in params.yaml already; choose another --name")
    real = real_models(params)
    recipe, masks = f"{name}_regions", "regions" if real else "weightless"
    settings = {f"{name}_cgc": "CGC"}
    taken = {"test_every": test_every, "max_width_px": max_width_px}
    place = _photos(name) if dataset == PHOTOS else {"root": str(folder.resolve())}
    found: Config = {
        "suite": name,
        "datasets": {dataset: {"scenes": {name: {**place, **taken}}}},
        "settings": {f"{name}_cgc": _setting("cgc", recipe)},
        "features": {"recipes": {recipe: _recipe(params, masks, real)}},
        "evaluate": {"clicks": {f"{dataset}/{name}": _clicks(clicks)}},
        "figures": _figures(name, f"{dataset}/{name}", settings, recipe, bool(clicks)),
    }
    if real:
        levels = f"{name}_granular"
        found["features"]["recipes"][levels] = _recipe(params, "granular", real)
        found["settings"][f"{name}_gags"] = _setting("gags", levels)
    found["suites"] = {name: _suite(f"{dataset}/{name}", [*found["figures"]], steps_scaler)}
    return found


def real_models(params: Params) -> tuple[str, str] | None:
    """Return the names of the first CLIP and the first SAM whose weights are on disk, if any."""
    clip = _first(params.features.clip_models)
    sam = _first(params.features.sam_models)
    return (clip, sam) if clip and sam else None


def _first(models: Mapping[str, ClipModel] | Mapping[str, SamModel]) -> str | None:
    """Return the first model that is not embedded and whose file is there."""
    named = (n for n, m in models.items() if m.weights != EMBEDDED and Path(m.weights).is_file())
    return next(named, None)


def dataset_of(folder: Path) -> str:
    """Return the data set that a folder's scene is of."""
    return NERFSTUDIO if (folder / "transforms.json").is_file() else PHOTOS


def _photos(name: str) -> Config:
    """Return where the photographs and their cameras are."""
    return {"images": f"{name}/images", "sparse": f"{name}/sparse/0"}


def _setting(method: str, recipe: str) -> Config:
    """Return a setting of a method on a recipe."""
    return {"method": method, "override": {"recipe": recipe}, "geometry": {}}


def _recipe(params: Params, kind: str, real: tuple[str, str] | None) -> Config:
    """Return a recipe of params.yaml, with real models where they are there.

    Then it is as the suite ``paper`` sets it, but for the models' names.
    """
    recipe: Config = params.features.recipes[kind].model_dump(mode="json")
    if real is None:
        return recipe
    told = params.suites["paper"].override["features"]["recipes"].get(kind, {})
    recipe = merged(recipe, told)
    recipe["clip"], recipe["segmenter"]["options"]["model"] = real
    return recipe


def _clicks(clicks: Mapping[str, Place]) -> Config:
    """Return a person's clicks as params.yaml writes them."""
    return {name: {"view": at.view, "pixel": list(at.pixel)} for name, at in clicks.items()}


def _figures(
    name: str, place: str, settings: Mapping[str, str], recipe: str, clicked: bool
) -> Config:
    """Return the figures of a trial of the scene ``place``."""
    shown = {"settings": dict(settings), **SHEET}
    in_3d = {"settings": dict(settings), "scenes": [place], "recipe": recipe, **PACKED}
    found: Config = {
        f"{name}_scene": {"kind": "splats", "options": in_3d},
        f"{name}_features": {
            "kind": "feature_colours",
            "options": {**shown, "recipe": recipe, "n_views": 3},
        },
        f"{name}_clusters": {"kind": "clusters", "options": {**shown, "n_views": 3}},
    }
    if clicked:
        asked = {**shown, "grounder": "clicks", "n_prompts": 8}
        found[f"{name}_clicks"] = {"kind": "clicks", "options": {**asked, "n_views": 2}}
        found[f"{name}_objects"] = {"kind": "extraction", "options": asked}
    return found


def _suite(place: str, figures: list[str], steps_scaler: float) -> Config:
    """Return the suite of a trial."""
    return {
        "scenes": [place],
        "seeds": [0],
        "steps_scaler": steps_scaler,
        "rates_scaler": 1 / steps_scaler,
        "settings": [],
        "without": [],
        "figures": ["views", *figures, "curves", "gaussians", "scores"],
        "override": {},
    }
