"""Files: atomic writes, hashes, canonical JSON.  No partial file is ever taken for a result."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import yaml

from semsplat.errors import SemsplatError, readable


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary sibling of ``path`` that replaces it when the block succeeds.

    The temporary name keeps the suffix, because writers choose a format by it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}.partial-{os.getpid()}{path.suffix}")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


SEAL = "sha256_of_the_rest"
"""The key of a record's own digest: what nothing else records would change unnoticed."""


def write_sealed(path: Path, data: dict[str, Any]) -> None:
    """Write a record of results as `write_json`, with a digest of itself in it."""
    plain = json.loads(canonical_json(data))  # as it will be read: with texts for keys
    write_json(path, {**plain, SEAL: sha256_text(canonical_json(plain))})


def write_json(path: Path, data: Any) -> None:
    """Write ``data`` as indented, key-sorted JSON, atomically; NaN is refused."""
    with atomic_path(path) as partial:
        partial.write_text(json.dumps(data, indent=1, sort_keys=True, allow_nan=False) + "\n")


def parse_yaml(text: str) -> Any:
    """Return what a YAML text says, read by libyaml where it is there: in a seventh of the time.

    Raises yaml.YAMLError.
    """
    return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def is_sealed(path: Path) -> bool:
    """Tell whether a file of JSON has a digest of itself; that it fits, `read_json` sees to."""
    with readable(path, "valid JSON", "run what writes it again"):
        return SEAL in json.loads(path.read_text(encoding="utf-8"))


def read_json(path: Path) -> Any:
    """Return the parsed JSON file without its seal.

    A missing or broken file, one with Infinity or NaN, and one that no longer fits its seal are
    one-line errors.
    """
    with readable(path, "valid JSON", "replace it, or run what writes it again"):
        data = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
    seal = data.pop(SEAL, None) if isinstance(data, dict) else None
    if seal is not None and seal != sha256_text(canonical_json(data)):
        raise SemsplatError(f"{path}: changed since it was written; delete it and run again")
    return data


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a file that has one in each line; raise as `read_json`."""
    with readable(path, "JSON in lines", "run what writes it again"):
        lines = path.read_text(encoding="utf-8").splitlines()
        objects = [json.loads(line, parse_constant=_refuse) for line in lines]
        if not all(isinstance(entry, dict) for entry in objects):
            raise ValueError("a line is no object")
        return objects


def read_lines(path: Path, hint: str) -> list[str]:
    """Return the lines of a file of text; ``hint`` says what to do where there is no such file."""
    if not path.is_file():
        raise SemsplatError(f"{path}: no such file; {hint}")
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise SemsplatError(f"{path}: not UTF-8 text; save it as such") from None


def canonical_json(data: Any) -> str:
    """Return compact key-sorted JSON: equal data gives equal text."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)


def sha256_file(path: Path) -> str:
    """Return the hex sha256 of a file's content."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def sha256_text(text: str) -> str:
    """Return the hex sha256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()
