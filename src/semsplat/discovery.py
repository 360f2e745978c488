"""Kinds of things, one file each: a new file in their package, or a plugin's, is a new kind."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import cast

from semsplat.errors import SemsplatError, did_you_mean
from semsplat.plugins import join

Names = Callable[[], list[str]]
Module = Callable[[str], ModuleType]


def kinds_of(
    package: str, what: str, parts: tuple[str, ...], helpers: tuple[str, ...] = ()
) -> tuple[Names, Module]:
    """Return two functions: one lists a package's kinds, one returns the module of one by name.

    Listing imports nothing.  ``what`` a kind is called stands in the errors about one that is
    unknown or lacks some of the ``parts`` that every kind has, one or the other where "a or b"
    stands; ``helpers`` are the files that are no kinds, packages never are.
    """

    def names() -> list[str]:
        join(package)
        folders = tuple(sys.modules[package].__path__)
        times = tuple(Path(folder).stat().st_mtime_ns for folder in folders)
        return [name for name in _files(folders, times) if name not in helpers]

    checked: set[ModuleType] = set()

    def module(name: str) -> ModuleType:
        if (imported := sys.modules.get(f"{package}.{name}")) in checked:
            return cast("ModuleType", imported)
        if name not in (known := names()):
            fix = did_you_mean(name, known) or "; known: " + ", ".join(known)
            raise SemsplatError(f"no {what} '{name}'{fix}")
        kind = import_module(f"{package}.{name}")
        if lacking := [part for part in parts if not _has(kind, part)]:
            raise SemsplatError(f"{kind.__file__}: a {what} without {', '.join(lacking)}")
        checked.add(kind)
        return kind

    return names, module


def _has(kind: ModuleType, part: str) -> bool:
    """Tell whether a module has a part, or one of several that stand for each other."""
    return any(hasattr(kind, one) for one in part.split(" or "))


@cache
def _files(folders: tuple[str, ...], times: tuple[int, ...]) -> list[str]:
    """Return the modules in folders that were last changed at these times."""
    return sorted(file.name for file in iter_modules(folders) if not file.ispkg)
