"""Checks of single sections: options against their kind's model, names against what exists."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from semsplat.evaluate.answers import answer_names
from semsplat.evaluate.external import external_names
from semsplat.evaluate.grounders import askable_names, with_clicks
from semsplat.experiment.mistakes import Where, dangling, hint, line, mistakes, no_such, twice
from semsplat.experiment.runs import is_frozen, merged
from semsplat.experiment.schema import FAMILIES, Dataset, Figure, Params
from semsplat.features.segmenters import segmenter_kinds
from semsplat.figures import figure_kind, unfit
from semsplat.params.base import Kind
from semsplat.params.evaluate import Evaluate
from semsplat.params.external import External
from semsplat.params.features import Features, Recipe
from semsplat.params.geometry import Geometry
from semsplat.params.methods import Joint, MethodOptions, OnGeometry, Radiant
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
    if lines := _kind("figure", figure, where) or [
        f"{'.'.join((*where, 'kind'))}: {wrong}" for wrong in unfit(figure_kind(figure.kind))
    ]:
        return lines
    place = (*where, "options")
    for key, recipe in figure.recipes.items():
        lines += dangling((*place, key), [recipe], params.features.recipes)
    grounder, asked = figure.options.get("grounder"), with_clicks(params.evaluate.grounders)
    if grounder and grounder not in asked:
        reason = f"'{grounder}' is not asked; add it to evaluate.grounders"
        lines.append(f"{'.'.join((*place, 'grounder'))}: {reason}")
    # A table's data sets may be ones that nobody has here; it says so in their cells.
    lines += dangling((*place, "settings"), figure.settings, params.shown)
    lines += dangling((*place, "systems"), figure.options.get("systems", ()), params.shown)
    voting = figure.options.get("votes_of")  # what was made elsewhere has no votes
    named = [voting] if isinstance(voting, str) else []
    lines += dangling((*place, "votes_of"), named, params.settings)
    known = {
        "datasets": list(params.datasets),
        "scenes": [f"{name}/{scene}" for name, d in params.datasets.items() for scene in d.scenes],
    }
    for key, names in known.items():
        lines += dangling((*place, key), figure.options.get(key, []), names)
    return lines


def check_recipe(name: str, recipe: Recipe, features: Features) -> list[str]:
    """Validate a recipe's segmenter with its kind's own model, and the names it refers to."""
    where = ("features", "recipes", name)
    options = recipe.segmenter.options
    lines = _kind("segmenter", recipe.segmenter, (*where, "segmenter"))
    if recipe.segmenter.kind not in segmenter_kinds():
        return lines
    lines += dangling((*where, "clip"), [recipe.clip], features.clip_models)
    lines += dangling((*where, "templates"), [recipe.templates], features.templates)
    sams = [options["model"]] if "model" in options else []
    return lines + dangling((*where, "segmenter.options.model"), sams, features.sam_models)


def check_teacher(name: str, teacher: Teacher, features: Features) -> list[str]:
    """Validate the options of a teacher's kinds, and the recipe that it reads."""
    where = ("features", "teachers", name)
    lines = _kind("labels", teacher.labels, (*where, "labels"))
    lines += _kind("tracks", teacher.tracks, (*where, "tracks"))
    recipe = teacher.labels.options.get("recipe")
    named = [recipe] if isinstance(recipe, str) else []
    return lines + dangling((*where, "labels.options.recipe"), named, features.recipes)


def check_evaluate(evaluate: Evaluate, features: Features) -> list[str]:
    """Validate the names of grounders, and that those that are asked have what they need."""
    asked, dino, where = evaluate.grounders, evaluate.grounding_dino, ("evaluate", "grounding_dino")
    lines = dangling(("evaluate", "grounders"), asked, askable_names())
    lines += twice(("evaluate", "grounders"), asked)
    if dino is None and "grounding_dino" in asked:
        reason = "null, though evaluate.grounders asks it; name its model, or remove it there"
        lines.append(f"{'.'.join(where)}: {reason}")
    return lines + dangling((*where, "sam"), [dino.sam] if dino else [], features.sam_models)


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
    if not issubclass(module.Options, Joint | OnGeometry | Radiant):
        kinds = "a Taught, a Masked, a Frozen, a Lifted or a Radiant of params/methods.py"
        return [f"{where}: Options must be {kinds}"]
    lines = []
    if module.Options.scaled is MethodOptions.scaled:
        lines.append(f"{where}: Options has no 'scaled'; say what steps and rates multiply")
    by_text = hasattr(module, "vectors")  # its masks can be cut from its relevancy
    needs = {"relevancy": ("vectors",), "masks": () if by_text else ("query", "select")}
    lines += [
        f"{where}: answers {kind} without '{part}'"
        for kind in module.ANSWERS
        for part in needs.get(kind, ())
        if not hasattr(module, part)
    ]
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


def check_external(name: str, entry: External, params: Params) -> list[str]:
    """Validate what predictions that were made elsewhere answer, and the scenes that they name."""
    where = ("external", name)
    scenes = [f"{name}/{scene}" for name, data in params.datasets.items() for scene in data.scenes]
    lines = dangling((*where, "answers"), entry.answers, external_names())
    lines += dangling((*where, "scenes"), entry.scenes, scenes)
    for key in ("answers", "scenes", "seeds"):
        lines += twice((*where, key), getattr(entry, key))
    return lines


def _method_options(
    name: str, options: dict[str, Any], where: Where, features: Features
) -> list[str]:
    lines = _options(method_options(name), options, where)
    for key, known in (("teacher", features.teachers), ("recipe", features.recipes)):
        named = [options[key]] if isinstance(options.get(key), str) else []
        lines += dangling((*where, key), named, known)
    return lines


def _kind(family: str, entry: Kind | Figure, where: Where) -> list[str]:
    """Return the mistakes in the kind that an entry at ``where`` names, or in its options."""
    names, module = FAMILIES[family]
    if entry.kind not in names():
        return [no_such(where, "kind", entry.kind, names())]
    return _options(module(entry.kind).Options, entry.options, (*where, "options"))


def _options(model: type[BaseModel], options: dict[str, Any], where: Where) -> list[str]:
    """Return the mistakes in options that stand at ``where``."""
    return [line(error, model, where) for error in mistakes(model, options)]
