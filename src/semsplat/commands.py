"""Commands of jobs: targets are checked before anything is computed, and an error is one line."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import is_dataclass
from functools import wraps
from operator import attrgetter
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any, get_args, get_type_hints

import tyro

from semsplat.allocator import keep_freed_memory
from semsplat.errors import one_line_errors
from semsplat.folders import check_ours

WRITTEN = "written as a whole"
OutFolder = Annotated[Path, WRITTEN]
"""The type of an argument that names a folder to write."""


def run_command(command: Callable[..., None]) -> None:
    """Run the one command of a program."""
    keep_freed_memory()
    with one_line_errors():
        tyro.cli(checked(command))


def run_one_of(commands: dict[str, Callable[..., None]], **options: Any) -> None:
    """Run the command that the first word names; ``options`` go to tyro."""
    keep_freed_memory()
    with one_line_errors():
        tyro.extras.subcommand_cli_from_dict(
            {name: checked(command) for name, command in commands.items()}, **options
        )


def checked(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command that raises, and does nothing, where a target folder is not ours."""
    places = out_folders(command)

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        told = SimpleNamespace(**inspect.signature(command).bind(*args, **kwargs).arguments)
        for place in places:
            if (folder := attrgetter(place)(told)) is not None:
                check_ours(folder)
        command(*args, **kwargs)

    return wrapped


def out_folders(takes: Any) -> list[str]:
    """Return the arguments that are folders to write, with dots inside dataclasses: ``job.out``."""
    places = []
    for name, hint in get_type_hints(takes, include_extras=True).items():
        if any(WRITTEN in getattr(kind, "__metadata__", ()) for kind in (hint, *get_args(hint))):
            places.append(name)
        if is_dataclass(hint):
            places += [f"{name}.{inner}" for inner in out_folders(hint)]
    return places
