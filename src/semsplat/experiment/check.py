"""Check ``params.yaml`` before anything runs: one line per mistake, with the key and the fix."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from semsplat.errors import SemsplatError
from semsplat.experiment.mistakes import dangling, details, hint, line, twice
from semsplat.experiment.numbers import too_large
from semsplat.experiment.runs import merged
from semsplat.experiment.schema import Params
from semsplat.experiment.sections import (
    check_dataset,
    check_evaluate,
    check_external,
    check_figure,
    check_method,
    check_recipe,
    check_setting,
    check_teacher,
)
from semsplat.plugins import use_plugins, with_entries

NAME = re.compile(r"[a-z0-9][a-z0-9_]*")


class ParamsError(SemsplatError):
    """All mistakes of a parameter file, one line each."""

    def __init__(self, lines: list[str]) -> None:
        """Join the lines; `str` of the error is what the user reads."""
        super().__init__("\n".join(f"params.yaml: {line}" for line in lines))


def check(config: dict[str, Any]) -> Params:
    """Return the validated parameters, with what the chosen suite overrides.

    The overrides of all suites are checked, not the chosen one's alone.

    Args:
        config: the parsed file, with overrides from the command line already merged in.

    Raises:
        ParamsError: unknown keys (with the closest known one), wrong types, numbers that YAML read
            as text, references to what is not defined, names that cannot be folder names.
    """
    if lines := list(too_large(config)):
        raise ParamsError(lines)
    params = _checked(config, "")
    effective = {
        name: _checked(merged(config, override), f"suites.{name}.override: ")
        for name, override in ((n, s.model_dump()["override"]) for n, s in params.suites.items())
        if override
    }
    return effective.get(params.suite, params)


def _checked(config: dict[str, Any], before: str) -> Params:
    """Return validated parameters; ``before`` stands at the head of every mistake's line."""
    try:
        params = Params.model_validate(config)
    except ValidationError as error:
        raise ParamsError([before + line(e, Params, ()) for e in details(error)]) from None
    lines = [*_dangling(params), *_bad_names(params)]
    for name, dataset in params.datasets.items():
        lines += check_dataset(name, dataset)
    for name, figure in params.figures.items():
        lines += check_figure(name, figure, params)
    for name, recipe in params.features.recipes.items():
        lines += check_recipe(name, recipe, params.features)
    for name, teacher in params.features.teachers.items():
        lines += check_teacher(name, teacher, params.features)
    for name, options in params.methods.items():
        lines += check_method(name, options, params.features)
    for name in params.settings:
        lines += check_setting(name, params)
    for name, entry in params.external.items():
        lines += check_external(name, entry, params)
    lines += check_evaluate(params.evaluate, params.features)
    if lines:
        raise ParamsError([before + each for each in lines])
    return params


def plugins_named(config: dict[str, Any]) -> list[str]:
    """Return the folders of plugins that parameters name; raise where these are no list."""
    named = config.get("plugins") or []
    if not (isinstance(named, list) and all(isinstance(folder, str) for folder in named)):
        raise SemsplatError("params.yaml: plugins: no list of folders; write it as [my_plugin]")
    return named


def with_plugins(config: dict[str, Any]) -> dict[str, Any]:
    """Return parameters with what the plugins add that they name, which are in use from then on.

    Raises:
        SystemExit: a plugin cannot be used, in one line on stderr.
    """
    try:
        use_plugins(plugins_named(config))
        return with_entries(config)
    except SemsplatError as error:
        print(error, file=sys.stderr)
        sys.exit(1)


def check_or_exit(config: dict[str, Any]) -> Params:
    """Return the validated parameters, or print the mistakes to stderr and exit with status 1."""
    try:
        return check(config)
    except SemsplatError as error:
        print(error, file=sys.stderr)
        sys.exit(1)


def _dangling(params: Params) -> list[str]:
    """List references to suites, scenes and figures that do not exist."""
    lines = []
    if params.suite not in params.suites:
        known = hint(params.suite, list(params.suites))
        lines.append(f"suite: unknown suite '{params.suite}'{known}")
    scenes = [f"{name}/{scene}" for name, d in params.datasets.items() for scene in d.scenes]
    lines += dangling(("evaluate", "clicks"), params.evaluate.clicks, scenes)
    for name, suite in params.suites.items():
        where = ("suites", name)
        lines += dangling((*where, "scenes"), suite.scenes, scenes)
        lines += dangling((*where, "settings"), suite.settings, params.shown)
        lines += dangling((*where, "without"), suite.without, params.shown)
        lines += dangling((*where, "figures"), suite.figures, params.figures)
        for kind in ("scenes", "seeds", "settings", "without", "figures"):
            lines += twice((*where, kind), getattr(suite, kind))
    return lines


def _bad_names(params: Params) -> list[str]:
    """List names that would not be safe as folder names or wildcards."""
    groups: dict[str, Iterable[str]] = {
        "suites": params.suites,
        "datasets": params.datasets,
        "figures": params.figures,
        "features.recipes": params.features.recipes,
        "features.teachers": params.features.teachers,
        "settings": params.settings,
        "external": params.external,
    }
    groups |= {f"datasets.{name}.scenes": d.scenes for name, d in params.datasets.items()}
    lines = [
        f"{group}: '{name}' must be lower-case letters, digits and underscores"
        for group, names in groups.items()
        for name in names
        if not NAME.fullmatch(name)
    ]
    if "native" in params.datasets:
        lines.append("datasets: 'native' is the folder of drawn worlds; choose another name")
    told = "is the folder of something else; choose another name"
    taken: dict[str, Iterable[str]] = {"settings": (), "external": params.settings}
    return lines + [
        f"{group}: '{name}' {told}"
        for group, others in taken.items()
        for name in getattr(params, group)
        if name in ("geometry", "features", *others)
    ]
