"""What is there of all that comes from elsewhere; no network, no file is read."""

from __future__ import annotations

from pathlib import Path

from semsplat.data.register.entries import entries, entry_named, file_of, how_to_get
from semsplat.data.register.fetch import is_checked, is_filled_by_hand, is_unpacked
from semsplat.data.register.part import part_of


def status_lines() -> list[str]:
    """Return a line for each entry: its name, what is there, what to do."""
    width = max(map(len, entries()))
    return [f"{name:{width}}  {status(name)}" for name in entries()]


def status(name: str) -> str:
    """Say what is there of an entry, and after a colon what to do if that is not all."""
    entry, path = entry_named(name), file_of(entry_named(name))
    if is_unpacked(name):
        return f"verified and unpacked in {entry.folder}/"
    if entry.folder is not None and is_filled_by_hand(Path(entry.folder)):
        return f"present, put there by hand, in {entry.folder}/"
    if path is not None and path.is_file():
        return _file_status(name, path)
    if path is not None and part_of(path).is_file():
        size = part_of(path).stat().st_size / 2**20
        return f"begun, {size:.1f} MiB are there: {how_to_get(name)} goes on"
    return f"missing: {how_to_get(name)}"


def _file_status(name: str, path: Path) -> str:
    """Say whether a file was checked, and against what."""
    entry = entry_named(name)
    if not is_checked(name):
        return f"present, not checked, at {path}: semsplat data fetch {name}"
    published = entry.sha256 or entry.sha256_start
    against = "" if published else " (no hash is published, its own is recorded)"
    todo = f": semsplat data fetch {name} unpacks it" if entry.folder else ""
    return f"verified{against} at {path}{todo}"
