"""Folders that are written as a whole: ours carry a marker, those of others are left alone."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from semsplat.errors import SemsplatError

MARKER = ".semsplat"
"""In each folder that this program made: the files it put there, a line each."""
NOTED_BY_ENGINES = (".snakemake_timestamp",)
"""What Snakemake leaves in folders that are outputs."""


def check_ours(folder: Path) -> None:
    """Raise unless writing ``folder`` anew loses nothing that somebody else put there.

    It may be absent or empty, or hold what its marker lists and no more.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise SemsplatError(f"{folder}: is no plain folder; move it away, or name another")
    for name in added_by_others(folder):
        raise SemsplatError(
            f"{folder}: has '{name}', which semsplat did not put there; move that away, or name"
            " another folder"
        )


def added_by_others(folder: Path) -> Iterator[str]:
    """Yield the files below ``folder`` that its marker does not list, all where it has none."""
    listed = {MARKER, *NOTED_BY_ENGINES, *_listed(folder)}
    yield from (name for name in sorted(_files(folder)) if name not in listed)


def is_ours(folder: Path) -> bool:
    """Tell whether this program made a folder."""
    return (folder / MARKER).is_file()


def mark(folder: Path, names: Iterable[str] = ()) -> None:
    """Note that ``folder`` is ours, with what is there, or with files that are to come."""
    noted = sorted(names) or sorted(_files(folder))
    (folder / MARKER).write_text("".join(f"{name}\n" for name in noted), encoding="utf-8")


def claim(folder: Path, names: Iterable[str]) -> None:
    """Make a folder for files that are written one by one; raise where it is somebody else's."""
    check_ours(folder)
    folder.mkdir(parents=True, exist_ok=True)
    mark(folder, names)


def _listed(folder: Path) -> list[str]:
    marker = folder / MARKER
    return marker.read_text(encoding="utf-8").splitlines() if marker.is_file() else []


def _files(folder: Path) -> Iterator[str]:
    """Yield all files, links and empty folders below a folder, relative to it."""
    for place, folders, files in os.walk(folder):
        links = [name for name in folders if Path(place, name).is_symlink()]
        yield from (Path(place, name).relative_to(folder).as_posix() for name in [*files, *links])
        if not (folders or files or Path(place) == folder):
            yield Path(place).relative_to(folder).as_posix()


@contextmanager
def atomic_dir(path: Path) -> Iterator[Path]:
    """Yield an empty temporary sibling folder that replaces ``path`` when the block succeeds.

    When it fails nothing stays behind: the partial folder goes, and so do empty parents that a
    workflow engine made for the output.  Raises before the block, and changes nothing, where
    ``path`` has files that this program did not put there.
    """
    check_ours(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        yield partial
        mark(partial)
        check_ours(path)  # somebody may have put a file there meanwhile
        shutil.rmtree(path, ignore_errors=True)
        os.replace(partial, path)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        _remove_empty(path)
        raise


def _remove_empty(path: Path) -> None:
    """Remove ``path`` and its parent where they are empty."""
    for folder in (path, path.parent):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
