"""Which 2-D features a suite computes, and what each extraction is told."""

from __future__ import annotations

from collections.abc import Iterator

from semsplat.experiment.runs import own_keys, setting_options, setting_teacher, shown_runs
from semsplat.experiment.schema import Params
from semsplat.features.segmenters import follows_geometry
from semsplat.features.teachers import teacher_with_options
from semsplat.figures import figure_kind
from semsplat.keys import ALL, FeaturesKey
from semsplat.params.features import FeaturesJob


def seed_of(params: Params, recipe: str, seed: int | str) -> str:
    """Return whose features of a recipe runs of a seed read: their own, or those of `ALL`.

    Where prompts follow a geometry, every seed has its own: were they shared, what chance makes of
    the prompts would move all seeds together, and their spread would not show it.
    """
    kind = params.features.recipes[recipe].segmenter.kind
    return str(seed) if follows_geometry(kind) else ALL


def features_job(params: Params, run: FeaturesKey) -> FeaturesJob:
    """Return everything that one extraction is told."""
    features = params.features
    recipe = features.recipes[run.recipe]
    sam = recipe.segmenter.options.get("model")
    return FeaturesJob(
        dataset=run.dataset,
        scene=run.scene,
        name=run.recipe,
        seed=None if run.seed == ALL else int(run.seed),
        recipe=recipe,
        clip=features.clip_models[recipe.clip],
        sam=features.sam_models[sam] if sam else None,
        templates=features.templates[recipe.templates],
    )


def features_keys(params: Params) -> list[FeaturesKey]:
    """Return the features that figures show or trainings learn from, sorted, each once."""
    return sorted({*_shown(params), *_learnt(params)})


def first_seed(params: Params) -> int:
    """Return the seed whose features a figure of a whole scene shows."""
    return params.suites[params.suite].seeds[0]


def _shown(params: Params) -> Iterator[FeaturesKey]:
    for name in params.suites[params.suite].figures:
        figure = params.figures[name]
        per_scene = figure_kind(figure.kind).SCOPE == "scene"
        for recipe in figure.recipes.values():
            for run in shown_runs(params, name):
                seed = first_seed(params) if per_scene else run.seed
                whose = seed_of(params, recipe, seed)
                yield FeaturesKey(run.dataset, run.scene, recipe, whose)


def _learnt(params: Params) -> Iterator[FeaturesKey]:
    for run in own_keys(params):
        recipe = setting_recipe(params, run.setting)
        if recipe:
            whose = seed_of(params, recipe, run.seed)
            yield FeaturesKey(run.dataset, run.scene, recipe, whose)


def setting_recipe(params: Params, setting: str) -> str | None:
    """Return the recipe that a setting's method, or else its teacher, reads here, if any."""
    if setting in params.external:
        return None
    teacher = setting_teacher(params, setting)
    if teacher:
        return teacher_recipe(params, teacher)
    name: str = setting_options(params, setting)["recipe"]
    return name


def teacher_recipe(params: Params, teacher: str) -> str | None:
    """Return the feature recipe that a teacher reads, if it reads any."""
    kind, options = teacher_with_options(params.features.teachers[teacher].labels)
    recipe: str | None = kind.recipe(options)
    return recipe
