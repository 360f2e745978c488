"""Checks of single sections: options against their kind's model, names against what exists."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from semsplat.evaluate.answers import answer_names
from semsplat.evaluate.grounders import askable_names, with_clicks
from semsplat.experiment.mistakes import Where, hint, line, mistakes, no_such
from semsplat.experiment.runs import is_frozen, merged
from semsplat.experiment.schema import FAMILIES, Dataset, Figure, Params
from semsplat.features.segmenters import segmenter_kinds
from semsplat.params.base import Kind
from semsplat.params.evaluate import Evaluate
from semsplat.params.features import Features, Recipe
from semsplat.params.geometry import Geometry
from semsplat.params.methods import Frozen, Joint, MethodOptions
from semsplat.params.teachers import Teacher
from semsplat.train.methods import method, method_names, method_options


def check_dataset(name: str, dataset: Dataset) -> list[str]:
    """Validate every scene's merged options with the importer's own model.

    A mistake is reported where it stands: once for the options common to all scenes, else at the
    scene.
    """
    where = ("datasets", name)
    names, module = FAMILIES["importer"]
    if dataset.importer not in names():
        return [no_such(where, "importer", dataset.importer, names())]
    model = module(dataset.importer).Options
    lines = []
    for scene, diff in dataset.scenes.items():
        for error in mistakes(model, {**dataset.options, **diff}):
            common = error["loc"] and error["loc"][0] not in diff
            place = (*where, "options") if common else (*where, "scenes", scene)
            lines.append(line(error, model, place))
    return list(dict.fromkeys(lines))


def check_figure(name: str, figure: Figure, params: Params) -> list[str]:
    """Validate a figure's options with its kind's own model, and the names in them."""
    where = ("figures", name)
    if lines := _kind("figure", figure, where):
        return lines
    place = (*where, "options")
    recipes = list(params.features.recipes)
    lines = [
        _dangling((*place, key), recipe, recipes)
        for key, recipe in figure.recipes.items()
        if recipe not in recipes
    ]
    grounder, asked = figure.options.get("grounder"), with_clicks(params.evaluate.grounders)
    if grounder and grounder not in asked:
        reason = f"'{grounder}' is not asked; add it to evaluate.grounders"
        lines.append(f"{'.'.join((*place, 'grounder'))}: {reason}")
    # A table's data sets may be ones that nobody has here; it says so in their cells.
    groups = {"settings": (figure.settings, list(params.settings))}
    groups["datasets"] = (figure.options.get("datasets", []), list(params.datasets))
    return lines + [
        _dangling((*place, key), item, known)
        for key, (used, known) in groups.items()
        for item in used
        if item not in known
    ]


def check_recipe(name: str, recipe: Recipe, features: Features) -> list[str]:
    """Validate a recipe's segmenter with its kind's own model, and the names it refers to."""
    where = ("features", "recipes", name)
    options = recipe.segmenter.options
    lines = _kind("segmenter", recipe.segmenter, (*where, "segmenter"))
    if recipe.segmenter.kind not in segmenter_kinds():
        return lines
    used: list[tuple[str, str, list[str]]] = [
        ("clip", recipe.clip, list(features.clip_models)),
        ("templates", recipe.templates, list(features.templates)),
    ]
    if "model" in options:
        used.append(("segmenter.options.model", options["model"], list(features.sam_models)))
    return lines + [_dangling((*where, k), v, known) for k, v, known in used if v not in known]


def check_teacher(name: str, teacher: Teacher, features: Features) -> list[str]:
    """Validate the options of a teacher's kinds, and the recipe that it reads."""
    where = ("features", "teachers", name)
    lines = _kind("labels", teacher.labels, (*where, "labels"))
    lines += _kind("tracks", teacher.tracks, (*where, "tracks"))
    recipe = teacher.labels.options.get("recipe")
    if isinstance(recipe, str) and recipe not in features.recipes:
        lines.append(_dangling((*where, "labels.options.recipe"), recipe, list(features.recipes)))
    return lines


def check_evaluate(evaluate: Evaluate, features: Features) -> list[str]:
    """Validate the names of grounders, and that those that are asked have what they need."""
    asked, dino, where = evaluate.grounders, evaluate.grounding_dino, ("evaluate", "grounding_dino")
    lines = [
        _dangling(("evaluate", "grounders"), name, askable_names())
        for name in asked
        if name not in askable_names()
    ]
    twice = [name for i, name in enumerate(asked) if name in asked[:i]]
    lines += [f"evaluate.grounders: '{n}' stands twice; remove one" for n in dict.fromkeys(twice)]
    if dino is None and "grounding_dino" in asked:
        reason = "null, though evaluate.grounders asks it; name its model, or remove it there"
        lines.append(f"{'.'.join(where)}: {reason}")
    if dino and dino.sam not in features.sam_models:
        lines.append(_dangling((*where, "sam"), dino.sam, list(features.sam_models)))
    return lines


def check_method(name: str, options: dict[str, Any], features: Features) -> list[str]:
    """Validate a method's parameters with its own model."""
    if name not in method_names():
        return [no_such(("methods",), "method", name, method_names())]
    if lines := _contract(name):
        return lines
    return _method_options(name, options, ("methods", name), features)


def _contract(name: str) -> list[str]:
    """Say what is wrong with a method's file, before a job finds out."""
    module, where = method(name), f"methods.{name}: src/semsplat/train/methods/{name}.py"
    if not issubclass(module.Options, Joint | Frozen):
        return [f"{where}: Options must be a Taught, a Masked or a Frozen of params/methods.py"]
    lines = []
    if module.Options.scaled is MethodOptions.scaled:
        lines.append(f"{where}: Options has no 'scaled'; say what steps and rates multiply")
    if "relevancy" in module.ANSWERS and not hasattr(module, "vectors"):
        lines.append(f"{where}: answers relevancy without 'vectors'")
    known = answer_names()
    unknown = [kind for kind in module.ANSWERS if kind not in known]
    return lines + [f"{where}: no answer '{kind}'{hint(kind, known)}" for kind in unknown]


def check_setting(name: str, params: Params) -> list[str]:
    """Validate what a setting makes of its method's parameters and of the geometry's."""
    where, setting = ("settings", name), params.settings[name]
    if setting.method not in params.methods:
        return [no_such(where, "method", setting.method, list(params.methods))]
    if setting.method not in method_names():
        return []  # said once, where the method stands
    whole = merged(params.methods[setting.method], setting.override)
    place, features = (*where, "override"), params.features
    known = set(_method_options(setting.method, params.methods[setting.method], place, features))
    lines = [
        each
        for each in _method_options(setting.method, whole, place, features)
        if each not in known  # said once, where the method stands
    ]
    if setting.geometry and is_frozen(params, name):
        reason = f"{setting.method} leaves the geometry as it is; write {{}}"
        lines.append(f"{'.'.join((*where, 'geometry'))}: {reason}")
    geometry = merged(params.geometry.model_dump(), setting.geometry)
    return lines + _options(Geometry, geometry, (*where, "geometry"))


def _method_options(
    name: str, options: dict[str, Any], where: Where, features: Features
) -> list[str]:
    lines = _options(method_options(name), options, where)
    groups = {"teacher": list(features.teachers), "recipe": list(features.recipes)}
    return lines + [
        _dangling((*where, key), options[key], known)
        for key, known in groups.items()
        if isinstance(options.get(key), str) and options[key] not in known
    ]


def _kind(family: str, entry: Kind | Figure, where: Where) -> list[str]:
    """Return the mistakes in the kind that an entry at ``where`` names, or in its options."""
    names, module = FAMILIES[family]
    if entry.kind not in names():
        return [no_such(where, "kind", entry.kind, names())]
    return _options(module(entry.kind).Options, entry.options, (*where, "options"))


def _options(model: type[BaseModel], options: dict[str, Any], where: Where) -> list[str]:
    """Return the mistakes in options that stand at ``where``."""
    return [line(error, model, where) for error in mistakes(model, options)]


def _dangling(where: Where, name: str, known: list[str]) -> str:
    return f"{'.'.join(where)}: '{name}' is not defined{hint(name, known)}"
