"""A user's own kinds, in folders of theirs: they join the package's without a fork of it.

::

    my_plugin/
        methods/NAME.py       and the other folders of `PLACES`: files as the package's own
        tables/NAME.yaml      definitions of tables, as in src/semsplat/figures/published
        params.yaml           what these need there; it adds entries and changes none

The folders are named in params.yaml, or on the command line of Snakemake; jobs learn them from the
environment.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from semsplat.errors import SemsplatError, did_you_mean

VARIABLE = "SEMSPLAT_PLUGINS"
PARAMS, TABLES = "params.yaml", "tables"
PLACES = {
    "methods": "semsplat.train.methods",
    "datasets": "semsplat.data.datasets",
    "segmenters": "semsplat.features.segmenters",
    "teachers": "semsplat.features.teachers",
    "tracks": "semsplat.features.tracks",
    "grounders": "semsplat.evaluate.grounders",
    "answers": "semsplat.evaluate.answers",
    "protocols": "semsplat.evaluate.protocols",
    "preconditions": "semsplat.figures.referee.preconditions",
    "figures": "semsplat.figures",
}
"""folder of a plugin: the package that its files join."""


def use_plugins(folders: Sequence[str | Path]) -> None:
    """Let this process, and those that it starts, know the kinds in further folders.

    Raises:
        SemsplatError: a folder is not there, or holds nothing of a plugin.
    """
    for folder in map(Path, folders):
        inside = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
        known = {*PLACES, TABLES, PARAMS}
        if not inside & known:
            raise SemsplatError(f"{folder}: no folder with any of {', '.join(sorted(known))}")
        for name in sorted(inside - known):
            if hint := did_you_mean(name, sorted(known)):
                raise SemsplatError(f"{folder / name}: is nothing of a plugin{hint}")
    together = dict.fromkeys([*plugin_folders(), *(Path(folder).resolve() for folder in folders)])
    os.environ[VARIABLE] = os.pathsep.join(map(str, together))


def plugin_folders() -> list[Path]:
    """Return the folders in use."""
    return [Path(text) for text in os.environ.get(VARIABLE, "").split(os.pathsep) if text]


def join(package: str) -> None:
    """Let an imported package find the files that plugins have for it.

    Raises:
        SemsplatError: a file is called as one of the package's own.
    """
    path = sys.modules[package].__path__
    for folder in _folders_of(package):
        if str(folder) not in path:
            for file in sorted(folder.glob("*.py")):
                if any(Path(own, file.name).is_file() for own in path):
                    raise SemsplatError(f"{file}: there is a {file.stem} already; rename it")
            path.append(str(folder))


def _folders_of(package: str) -> list[Path]:
    """Return the folders whose files join a package."""
    places = [place for place, of in PLACES.items() if of == package]
    return [f / p for p in places for f in plugin_folders() if (f / p).is_dir()]


def file_of(module: str) -> Path | None:
    """Return a plugin's file of a module of the package, None where no plugin has it."""
    package, _, name = module.rpartition(".")
    files = (folder / f"{name}.py" for folder in _folders_of(package))
    return next((file for file in files if file.is_file()), None)


def tables() -> Iterator[Path]:
    """Yield the definitions of tables that plugins have."""
    for folder in plugin_folders():
        yield from sorted((folder / TABLES).glob("*.yaml"))


def with_entries(config: dict[str, Any]) -> dict[str, Any]:
    """Return parameters with the entries that plugins add.

    Raises:
        SemsplatError: a plugin's params.yaml is not YAML, or changes what is there.
    """
    for folder in plugin_folders():
        path = folder / PARAMS
        if path.is_file():
            try:
                config = _added(config, yaml.safe_load(path.read_text()) or {}, (), path)
            except yaml.YAMLError as error:
                reason = str(error).splitlines()[-1].strip()
                raise SemsplatError(f"{path}: not valid YAML ({reason})") from None
    return config


def _added(base: Any, more: Any, where: tuple[str, ...], path: Path) -> Any:
    """Return a section with a plugin's entries."""
    if not (isinstance(base, dict) and isinstance(more, dict)):
        if base == more:
            return base
        raise SemsplatError(f"{path}: {'.'.join(where)}: is in params.yaml already; choose another")
    both = {k: _added(base[k], more[k], (*where, str(k)), path) for k in more if k in base}
    return {**base, **more, **both}
