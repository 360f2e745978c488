"""Files of results are read together with the digests that were recorded of them.

A folder of results has a ``manifest.json`` of all its files, a card ``run.json`` of those that a
run wrote, or ``scores.json`` of what was written beside it.  A file that none of them lists is
anybody's, and is read as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from semsplat.errors import SemsplatError
from semsplat.io import sha256_file

RECORDS = {"manifest.json": "files", "run.json": "outputs", "scores.json": "files"}
"""{file: its table of digests}."""

_Look = tuple[int, int]
_seen: dict[Path, _Look] = {}
"""Files that were compared in this process, and what they looked like."""
_tables: dict[Path, tuple[_Look, dict[str, str]]] = {}
"""Records that were read in this process."""


def verified(path: Path) -> Path:
    """Return ``path`` once its content is what was recorded, where anything was.

    Files are compared once in a process, and again when size or time of change differ.

    Raises:
        SemsplatError: the file is not the recorded one.
    """
    look = _look(path)
    if look is None or _seen.get(path) == look:
        return path
    for record, expected in recorded(path).items():
        if sha256_file(path) != expected:
            raise SemsplatError(
                f"{path}: is not the file that {record} records; delete {record.parent} and run"
                " again: what needs it is made anew"
            )
    _seen[path] = look
    return path


def recorded(path: Path) -> dict[Path, str]:
    """Return the digests that are recorded of a file, by the records in the folders around it."""
    tables = {f / name: (f, _table(f / name)) for f in path.parents for name in RECORDS}
    names = {record: path.relative_to(folder).as_posix() for record, (folder, _) in tables.items()}
    return {r: table[names[r]] for r, (_, table) in tables.items() if names[r] in table}


def mismatches(folder: Path) -> Iterator[str]:
    """Yield what is no longer as a folder's records say, each file of each record compared."""
    for record in (folder / name for name in RECORDS):
        for name, expected in sorted(_table(record).items()):
            path = folder / name
            if not path.is_file():
                yield f"{path}: no such file, though {record.name} records it"
            elif sha256_file(path) != expected:
                yield f"{path}: changed since {record.name} was written"


def _table(record: Path) -> dict[str, str]:
    """Return a record's digests by file; none of a record that is missing or broken.

    Whoever needs the record itself reads it with `semsplat.io.read_json`, which says so.
    """
    look = _look(record)
    if look is None:
        return {}
    if record not in _tables or _tables[record][0] != look:
        try:
            table: Any = json.loads(record.read_bytes())[RECORDS[record.name]]
        except (ValueError, KeyError, TypeError):
            table = {}
        _tables[record] = (look, table if isinstance(table, dict) else {})
    return _tables[record][1]


def _look(path: Path) -> _Look | None:
    """Return by what a file is known again without reading it, None where there is none."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_size, stat.st_mtime_ns
