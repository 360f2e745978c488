"""Commands of jobs: targets are checked before anything is computed, and an error is one line."""

from __future__ import annotations

import errno
import inspect
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import is_dataclass
from functools import wraps
from operator import attrgetter
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any, get_args, get_type_hints

import tyro

from semsplat.allocator import keep_freed_memory
from semsplat.errors import SemsplatError, one_line_errors
from semsplat.folders import check_ours

REFUSED = (
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.EEXIST),
    *(errno.ENAMETOOLONG, errno.ELOOP),
)
"""What the system says of a place that cannot be read or written."""
WRITTEN = "written as a whole"
OutFolder = Annotated[Path, WRITTEN]
"""The type of an argument that names a folder to write."""
Repeated = tyro.conf.UseAppendAction[tuple[tuple[str, ...], ...]]
"""An option with several words, all after it or each after its own: --o a b, --o a --o b."""


def run_command(command: Callable[..., None]) -> None:
    """Run the one command of a program."""
    keep_freed_memory()
    with one_line_errors(), places_are_told():
        tyro.cli(checked(command))


def run_one_of(commands: dict[str, Callable[..., None]], **options: Any) -> None:
    """Run the command that the first word names; ``options`` go to tyro."""
    keep_freed_memory()
    with one_line_errors(), places_are_told():
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
                _check_home(folder)
                check_ours(folder)
        command(*args, **kwargs)

    return wrapped


def _check_home(folder: Path) -> None:
    """Raise unless the folder could be made where it shall be."""
    home = next(place for place in folder.absolute().parents if os.path.lexists(place))
    if not (home.is_dir() and os.access(home, os.W_OK | os.X_OK)):
        raise SemsplatError(f"{folder}: nothing can be written in {home}; name another folder")


@contextmanager
def places_are_told() -> Iterator[None]:
    """Turn what the system says of a place that cannot be read or written into one line."""
    try:
        yield
    except OSError as error:
        if error.errno not in REFUSED or not error.filename:
            raise
        told = f"{error.filename}: {error.strerror}; name another place, or change that one"
        raise SemsplatError(told) from None


def out_folders(takes: Any) -> list[str]:
    """Return the arguments that are folders to write, with dots inside dataclasses: ``job.out``."""
    places = []
    for name, hint in get_type_hints(takes, include_extras=True).items():
        if any(WRITTEN in getattr(kind, "__metadata__", ()) for kind in (hint, *get_args(hint))):
            places.append(name)
        if is_dataclass(hint):
            places += [f"{name}.{inner}" for inner in out_folders(hint)]
    return places
