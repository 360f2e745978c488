"""``manifest.json``: the sha256 of every file of a folder, and one digest for all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from semsplat.errors import SemsplatError
from semsplat.folders import MARKER
from semsplat.io import canonical_json, read_json, sha256_file, sha256_text, write_sealed
from semsplat.verified import mismatches

NAME = "manifest.json"


def write_manifest(folder: Path, facts: dict[str, Any]) -> None:
    """Hash every file below ``folder`` and write the manifest there, with ``facts`` beside."""
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != MARKER)
    files = {path.relative_to(folder).as_posix(): sha256_file(path) for path in paths}
    write_sealed(folder / NAME, {**facts, "files": files, "digest": _digest(files)})


def verify_manifest(folder: Path) -> None:
    """Recompute every hash of the folder's manifest; raise at the first file that differs."""
    read_json(folder / NAME)  # compares it with its seal
    for mismatch in mismatches(folder):
        raise SemsplatError(f"{mismatch}; import again")


def _digest(files: dict[str, str]) -> str:
    """Return the sha256 that stands for all files."""
    return sha256_text(canonical_json(files))
