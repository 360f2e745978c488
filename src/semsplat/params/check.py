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
from semsplat.figures import figure_kind, figure_kinds
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
        raise ParamsError(_lines(error, Params, ())) from None
    lines = [*_dangling(params), *_bad_names(params)]
    for name, dataset in params.datasets.items():
        lines += _check_dataset(name, dataset)
    for name, figure in params.figures.items():
        lines += _check_figure(name, figure)
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
    """Validate every scene's merged options with the importer's own model."""
    where = ("datasets", name)
    if dataset.importer not in importer_names():
        return [_no_such(where, "importer", dataset.importer, importer_names())]
    model: type[BaseModel] = importer(dataset.importer).Options
    return [
        line
        for scene, diff in dataset.scenes.items()
        for line in _invalid(model, {**dataset.options, **diff}, (*where, "scenes", scene))
    ]


def _check_figure(name: str, figure: Figure) -> list[str]:
    """Validate a figure's options with its kind's own model."""
    where = ("figures", name)
    if figure.kind not in figure_kinds():
        return [_no_such(where, "kind", figure.kind, figure_kinds())]
    return _invalid(figure_kind(figure.kind).Options, figure.options, (*where, "options"))


def _no_such(where: tuple[str, ...], what: str, name: str, known: list[str]) -> str:
    return f"{'.'.join(where)}.{what}: no {what} '{name}'{did_you_mean(name, known)}"


def _invalid(model: type[BaseModel], values: dict[str, Any], where: tuple[str, ...]) -> list[str]:
    """Return one line per mistake in the values of a model."""
    try:
        model.model_validate(values, strict=True)
    except ValidationError as error:
        return _lines(error, model, where)
    return []


def _dangling(params: Params) -> list[str]:
    """List references to suites, scenes and figures that do not exist."""
    lines = []
    if params.suite not in params.suites:
        hint = did_you_mean(params.suite, list(params.suites))
        lines.append(f"suite: unknown suite '{params.suite}'{hint or _known(params.suites)}")
    scenes = [f"{name}/{scene}" for name, d in params.datasets.items() for scene in d.scenes]
    for name, suite in params.suites.items():
        for kind, used, known in (
            ("scenes", suite.scenes, scenes),
            ("figures", suite.figures, list(params.figures)),
        ):
            for item in used:
                if item not in known:
                    hint = did_you_mean(item, known) or _known(known)
                    lines.append(f"suites.{name}.{kind}: '{item}' is not defined{hint}")
            if len(set(used)) < len(used):
                twice = next(item for item in used if used.count(item) > 1)
                lines.append(f"suites.{name}.{kind}: '{twice}' stands twice; remove one")
    return lines


def _bad_names(params: Params) -> list[str]:
    """List names that would not be safe as folder names or wildcards."""
    groups: dict[str, typing.Iterable[str]] = {
        "suites": params.suites,
        "datasets": params.datasets,
        "figures": params.figures,
    }
    groups |= {f"datasets.{name}.scenes": d.scenes for name, d in params.datasets.items()}
    return [
        f"{group}: '{name}' must be lower-case letters, digits and underscores"
        for group, names in groups.items()
        for name in names
        if not NAME.fullmatch(name) or name == "native"
    ]


def _known(names: typing.Iterable[str]) -> str:
    return "; known: " + ", ".join(names)


def _lines(error: ValidationError, model: type[BaseModel], prefix: tuple[str, ...]) -> list[str]:
    """Turn pydantic's errors into one line each."""
    return [_line(dict(e), model, prefix) for e in error.errors(include_url=False)]


def _line(error: dict[str, Any], model: type[BaseModel], prefix: tuple[str, ...]) -> str:
    where = ".".join(str(part) for part in (*prefix, *error["loc"]))
    value = error["input"]
    if error["type"] == "extra_forbidden":
        known = _fields(model, error["loc"])
        return f"{where}: unknown key{did_you_mean(str(error['loc'][-1]), known)}"
    if error["type"] == "missing":
        return f"{where}: missing; the file must be complete"
    if isinstance(value, str) and NUMBER_AS_TEXT.fullmatch(value):
        mantissa, exponent = value.lower().split("e")
        return f"{where}: '{value}' is text in YAML; write {float(mantissa)}e{exponent}"
    shown = f" (got {value!r})" if isinstance(value, str | int | float | bool | None) else ""
    return f"{where}: {error['msg'][0].lower()}{error['msg'][1:]}{shown}"


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
