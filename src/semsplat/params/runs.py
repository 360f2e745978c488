"""What a suite computes: its runs, and the effective parameters of each."""

from __future__ import annotations

from typing import Any, NamedTuple

from semsplat.io import sha256_text
from semsplat.params.features import FeaturesRun
from semsplat.params.geometry import Geometry, GeometryRun
from semsplat.params.schema import Dataset, Params
from semsplat.paths import GEOMETRY


class Run(NamedTuple):
    """One training and its evaluation."""

    dataset: str
    scene: str
    seed: int


class FeatureRun(NamedTuple):
    """The 2-D features of one scene under one recipe, and their scores."""

    dataset: str
    scene: str
    recipe: str


def geometry_run(params: Params, run: Run) -> GeometryRun:
    """Return the effective parameters of one geometry run."""
    factor = params.suites[params.suite].steps_scaler
    return GeometryRun(
        **run._asdict(),
        run_seed=run_seed(params.seed, run, GEOMETRY),
        steps_scaler=factor,
        geometry=scaled_geometry(params.geometry, factor),
        log_every=params.training.log_every,
    )


def features_run(params: Params, dataset: str, scene: str, name: str) -> FeaturesRun:
    """Return everything that the extraction of one scene under one recipe is told."""
    features = params.features
    recipe = features.recipes[name]
    sam = recipe.segmenter.options.get("model")
    return FeaturesRun(
        dataset=dataset,
        scene=scene,
        name=name,
        recipe=recipe,
        clip=features.clip_models[recipe.clip],
        sam=features.sam_models[sam] if sam else None,
        templates=features.templates[recipe.templates],
    )


def runs(params: Params) -> list[Run]:
    """Return the runs of the chosen suite, in the order of the file."""
    suite = params.suites[params.suite]
    places = [scene.split("/") for scene in suite.scenes]
    return [Run(dataset, scene, seed) for dataset, scene in places for seed in suite.seeds]


def feature_runs(params: Params) -> list[FeatureRun]:
    """Return the features that the figures of the chosen suite show, sorted, each once."""
    suite = params.suites[params.suite]
    options = [params.figures[name].options for name in suite.figures]
    recipes = {each["recipe"] for each in options if "recipe" in each}
    places = [scene.split("/") for scene in suite.scenes]
    return sorted(FeatureRun(dataset, scene, r) for dataset, scene in places for r in recipes)


def scene_options(params: Params, dataset: str, scene: str) -> dict[str, Any]:
    """Return the importer's options for one scene: the data set's, then the scene's own."""
    entry: Dataset = params.datasets[dataset]
    return {**entry.options, **entry.scenes[scene]}


def run_seed(master: int, run: Run, setting: str) -> int:
    """Return the random seed of a run, 0 to 2^31 - 1; different for each (run, setting)."""
    text = f"{master}/{run.dataset}/{run.scene}/{setting}/{run.seed}"
    return int(sha256_text(text)[:8], 16) % 2**31


def scaled_geometry(geometry: Geometry, factor: float) -> Geometry:
    """Return the geometry parameters with every iteration count times ``factor``."""

    def steps(count: int, floor: int = 1) -> int:
        return max(round(count * factor), min(count, floor))

    densify, progressive = geometry.densify, geometry.progressive
    new_densify = {
        "start": steps(densify.start),
        "stop": steps(densify.stop),
        "every": steps(densify.every, densify.every_floor),
        "reset_every": steps(densify.reset_every, densify.reset_floor),
    }
    new_progressive = {
        "scale_steps": steps(progressive.scale_steps),
        "interval_start": steps(progressive.interval_start, 2 * densify.every_floor),
        "interval_steps": steps(progressive.interval_steps),
    }
    new = {
        "steps": steps(geometry.steps),
        "sh_every": steps(geometry.sh_every),
        "densify": densify.model_copy(update=new_densify),
        "progressive": progressive.model_copy(update=new_progressive),
    }
    return geometry.model_copy(update=new)
