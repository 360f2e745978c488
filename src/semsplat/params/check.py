"""Check ``params.yaml`` before anything runs: one line per mistake, with the key and the fix."""

from __future__ import annotations

import re
import sys
import types
import typing
from typing import Any

from pydantic import BaseModel, ValidationError

from semsplat.data.datasets import importer, importer_names
from semsplat.errors import SemsplatError, did_you_mean
from semsplat.features.segmenters import segmenter_kind, segmenter_kinds
from semsplat.figures import figure_kind, figure_kinds
from semsplat.params.features import Features, Recipe
from semsplat.params.schema import Dataset, Figure, Params

NUMBER_AS_TEXT = re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+")
NAME = re.compile(r"[a-z0-9][a-z0-9_]*")


class ParamsError(SemsplatError):
    """All mistakes of a parameter file, one line each."""

    def __init__(self, lines: list[str]) -> None:
        """Join the lines; `str` of the error is what the user reads."""
        super().__init__("\n".join(f"params.yaml: {line}" for line in lines))


def check(config: dict[str, Any]) -> Params:
    """Return the validated parameters.

    Args:
        config: the parsed file, with overrides from the command line already merged in.

    Raises:
        ParamsError: unknown keys (with the closest known one), wrong types, numbers that YAML read
            as text, references to what is not defined, names that cannot be folder names.
    """
    try:
        params = Params.model_validate(config)
    except ValidationError as error:
        raise ParamsError([_line(e, Params, ()) for e in _details(error)]) from None
    lines = [*_dangling(params), *_bad_names(params)]
    for name, dataset in params.datasets.items():
        lines += _check_dataset(name, dataset)
    for name, figure in params.figures.items():
        lines += _check_figure(name, figure, list(params.features.recipes))
    for name, recipe in params.features.recipes.items():
        lines += _check_recipe(name, recipe, params.features)
    if lines:
        raise ParamsError(lines)
    return params


def check_or_exit(config: dict[str, Any]) -> Params:
    """Return the validated parameters, or print the mistakes to stderr and exit with status 1."""
    try:
        return check(config)
    except ParamsError as error:
        print(error, file=sys.stderr)
        sys.exit(1)


def _check_dataset(name: str, dataset: Dataset) -> list[str]:
    """Validate every scene's merged options with the importer's own model.

    A mistake is reported where it stands: once for the options common to all scenes, else at the
    scene.
    """
    where = ("datasets", name)
    if dataset.importer not in importer_names():
        return [_no_such(where, "importer", dataset.importer, importer_names())]
    model: type[BaseModel] = importer(dataset.importer).Options
    lines = []
    for scene, diff in dataset.scenes.items():
        for error in _mistakes(model, {**dataset.options, **diff}):
            common = error["loc"] and error["loc"][0] not in diff
            place = (*where, "options") if common else (*where, "scenes", scene)
            lines.append(_line(error, model, place))
    return list(dict.fromkeys(lines))


def _check_figure(name: str, figure: Figure, recipes: list[str]) -> list[str]:
    """Validate a figure's options with its kind's own model; a recipe that it names must exist."""
    where = ("figures", name)
    if figure.kind not in figure_kinds():
        return [_no_such(where, "kind", figure.kind, figure_kinds())]
    model: type[BaseModel] = figure_kind(figure.kind).Options
    options = (*where, "options")
    lines = [_line(e, model, options) for e in _mistakes(model, figure.options)]
    recipe = figure.options.get("recipe")
    if isinstance(recipe, str) and recipe not in recipes:
        lines.append(_no_such(options, "recipe", recipe, recipes))
    return lines


def _check_recipe(name: str, recipe: Recipe, features: Features) -> list[str]:
    """Validate a recipe's segmenter with its kind's own model, and the names it refers to."""
    where = ("features", "recipes", name)
    kind, options = recipe.segmenter.kind, recipe.segmenter.options
    if kind not in segmenter_kinds():
        return [_no_such((*where, "segmenter"), "kind", kind, segmenter_kinds())]
    model: type[BaseModel] = segmenter_kind(kind).Options
    place = (*where, "segmenter", "options")
    lines = [_line(e, model, place) for e in _mistakes(model, options)]
    used: list[tuple[str, str, list[str]]] = [
        ("clip", recipe.clip, list(features.clip_models)),
        ("templates", recipe.templates, list(features.templates)),
    ]
    if "model" in options:
        used.append(("segmenter.options.model", options["model"], list(features.sam_models)))
    for key, value, known in used:
        if value not in known:
            lines.append(f"{'.'.join(where)}.{key}: '{value}' is not defined{_hint(value, known)}")
    return lines


def _no_such(where: tuple[str, ...], what: str, name: str, known: list[str]) -> str:
    return f"{'.'.join(where)}.{what}: no {what} '{name}'{_hint(name, known)}"


def _mistakes(model: type[BaseModel], values: dict[str, Any]) -> list[dict[str, Any]]:
    """Return pydantic's description of each mistake in the values of a model."""
    try:
        model.model_validate(values, strict=True)
    except ValidationError as error:
        return _details(error)
    return []


def _details(error: ValidationError) -> list[dict[str, Any]]:
    return [dict(e) for e in error.errors(include_url=False)]


def _dangling(params: Params) -> list[str]:
    """List references to suites, scenes and figures that do not exist."""
    lines = []
    if params.suite not in params.suites:
        hint = _hint(params.suite, list(params.suites))
        lines.append(f"suite: unknown suite '{params.suite}'{hint}")
    scenes = [f"{name}/{scene}" for name, d in params.datasets.items() for scene in d.scenes]
    for name, suite in params.suites.items():
        for kind, used, known in (
            ("scenes", suite.scenes, scenes),
            ("figures", suite.figures, list(params.figures)),
        ):
            lines += [
                f"suites.{name}.{kind}: '{item}' is not defined{_hint(item, known)}"
                for item in used
                if item not in known
            ]
        repeatable: dict[str, list[Any]] = {
            "scenes": suite.scenes,
            "seeds": suite.seeds,
            "figures": suite.figures,
        }
        for kind, items in repeatable.items():
            twice = [item for i, item in enumerate(items) if items.index(item) < i]
            lines += [
                f"suites.{name}.{kind}: '{item}' stands twice; remove one"
                for item in dict.fromkeys(twice)
            ]
    return lines


def _bad_names(params: Params) -> list[str]:
    """List names that would not be safe as folder names or wildcards."""
    groups: dict[str, typing.Iterable[str]] = {
        "suites": params.suites,
        "datasets": params.datasets,
        "figures": params.figures,
        "features.recipes": params.features.recipes,
    }
    groups |= {f"datasets.{name}.scenes": d.scenes for name, d in params.datasets.items()}
    return [
        f"{group}: '{name}' must be lower-case letters, digits and underscores"
        for group, names in groups.items()
        for name in names
        if not NAME.fullmatch(name)
    ] + [
        f"datasets: '{name}' is the folder of drawn worlds; choose another name"
        for name in params.datasets
        if name == "native"
    ]


def _hint(name: str, known: list[str]) -> str:
    """Return the closest known name, or all of them where none is close."""
    return did_you_mean(name, known) or "; known: " + ", ".join(known)


def _line(error: dict[str, Any], model: type[BaseModel], prefix: tuple[str, ...]) -> str:
    """Turn one of pydantic's errors into one line; ``model`` stands at ``prefix``."""
    where = ".".join(str(part) for part in (*prefix, *error["loc"])) or "the whole file"
    value = error["input"]
    if error["type"] == "extra_forbidden":
        known = _fields(model, error["loc"])
        return f"{where}: unknown key{_hint(str(error['loc'][-1]), known)}"
    if error["type"] == "missing":
        return f"{where}: missing; the file must be complete"
    if isinstance(value, str) and NUMBER_AS_TEXT.fullmatch(value):
        return f"{where}: '{value}' is text in YAML; write {_as_number(value, error['type'])}"
    shown = f" (got {value!r})" if isinstance(value, str | int | float | bool | None) else ""
    return f"{where}: {error['msg'][0].lower()}{error['msg'][1:]}{shown}"


def _as_number(text: str, error_type: str) -> str:
    """Return what YAML reads as the number that was meant: a dot and a signed exponent it needs."""
    if error_type.startswith("int") and float(text).is_integer():
        return str(int(float(text)))
    mantissa, exponent = text.lower().split("e")
    sign = "" if exponent[0] in "+-" else "+"
    return f"{float(mantissa)}e{sign}{exponent}"


def _fields(model: type[BaseModel], loc: tuple[str | int, ...]) -> list[str]:
    """Return the field names known where the last part of ``loc`` stands."""
    current: list[type[BaseModel]] = [model]
    for part in loc[:-1]:
        annotations = [
            m.model_fields[str(part)].annotation for m in current if part in m.model_fields
        ]
        current = [m for a in annotations for m in _models(a)] or current
    return [name for m in current for name in m.model_fields]


def _models(annotation: Any) -> list[type[BaseModel]]:
    """Return the pydantic models inside a type such as ``dict[str, A | B]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if isinstance(annotation, types.GenericAlias | types.UnionType) or typing.get_args(annotation):
        return [m for part in typing.get_args(annotation) for m in _models(part)]
    return []
