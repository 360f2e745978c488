"""``manifest.json``: the sha256 of every file of a folder, and one digest for all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from semsplat.errors import SemsplatError
from semsplat.io import canonical_json, read_json, sha256_file, sha256_text, write_json

NAME = "manifest.json"


def write_manifest(folder: Path, facts: dict[str, Any]) -> None:
    """Hash every file below ``folder`` and write the manifest there, with ``facts`` beside."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    files = {path.relative_to(folder).as_posix(): sha256_file(path) for path in paths}
    write_json(folder / NAME, {**facts, "files": files, "digest": _digest(files)})


def verify_manifest(folder: Path) -> None:
    """Recompute every hash of the folder's manifest; raise at the first file that differs."""
    path = folder / NAME
    manifest = read_json(path)
    for relative, expected in sorted(manifest["files"].items()):
        file = folder / relative
        if not file.is_file():
            raise SemsplatError(f"{file}: no such file, though {NAME} lists it; import again")
        if sha256_file(file) != expected:
            raise SemsplatError(f"{file}: changed since {NAME} was written; import again")
    if _digest(manifest["files"]) != manifest["digest"]:
        raise SemsplatError(f"{path}: digest and file list differ; import again")


def _digest(files: dict[str, str]) -> str:
    """Return the sha256 that stands for all files."""
    return sha256_text(canonical_json(files))
