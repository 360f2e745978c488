"""From an entry to a checked file and, where it is an archive, to its folder; what is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from semsplat.data.register.archives import unpack_archive
from semsplat.data.register.entries import (
    entries,
    entry_named,
    file_of,
    how_to_get,
    place_of,
    receipt_of,
    unpacked_receipt_of,
)
from semsplat.data.register.part import part_of
from semsplat.data.register.transfer import Content, WrongContentError, transfer
from semsplat.errors import SemsplatError
from semsplat.folders import atomic_dir, is_ours
from semsplat.io import read_json, write_json


def download(name: str) -> None:
    """Fetch and check the file of an entry, or check the one that lies there; write the receipt.

    Files with terms or without a direct address are never fetched: the error says what to do.

    Args:
        name: its name in the register.
    """
    entry, path = entry_named(name), file_of(entry_named(name))
    if path is None or not (path.is_file() or entry.urls):
        raise SemsplatError(f"{name} is not fetched: {how_to_get(name)}")
    url = None
    if path.is_file():
        try:
            sha256 = Content.of(entry).check(path)
        except WrongContentError as error:  # it is left to its owner
            raise SemsplatError(f"{error}; it is another file, remove or replace it") from None
    else:
        url, sha256 = transfer(entry.urls, path, Content.of(entry))
    write_json(receipt_of(name), {**_look(path), "sha256": sha256, "url": url})


def unpack(name: str, times_lost: int) -> None:
    """Unpack the archive of an entry into its folder, and write a receipt of that.

    A folder of the same name that somebody else filled is left alone: a one-line error.

    Args:
        name: its name in the register.
        times_lost: how often the folder was removed since it was unpacked first; goes into the
            receipt, for the function of that name.
    """
    entry, path = entry_named(name), file_of(entry_named(name))
    if path is None or entry.folder is None:
        raise SemsplatError(f"{name} is not an archive: there is nothing to unpack")
    if not is_checked(name):
        download(name)
    folder = Path(entry.folder)
    with atomic_dir(folder) as partial:
        files = unpack_archive(path, partial)
    sha256 = read_json(receipt_of(name))["sha256"]
    receipt = {"folder": entry.folder, "files": files, "of": sha256, "times_lost": times_lost}
    write_json(unpacked_receipt_of(name), receipt)


def fetch(name: str) -> Path:
    """Bring an entry to where it is used, and return that place; what is done is not done again.

    A folder that a person filled is used as it is.
    """
    entry = entry_named(name)
    if entry.folder is not None and is_filled_by_hand(Path(entry.folder)):
        return Path(entry.folder)
    if not is_checked(name):
        download(name)
    if entry.folder is not None and not is_unpacked(name):
        unpack(name, _times_noted(name))
    return place_of(entry)


def status_lines() -> list[str]:
    """Return a line for each entry: its name, what is there, what to do.

    No network is asked, and no file of an entry is read.
    """
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


def is_checked(name: str) -> bool:
    """Tell whether the file is the one that was checked, by its size and time."""
    path, receipt = file_of(entry_named(name)), receipt_of(name)
    if path is None or not path.is_file() or not receipt.is_file():
        return False
    known: dict[str, Any] = read_json(receipt)
    sha256 = Content.of(entry_named(name)).sha256
    same = {key: known.get(key) for key in ("bytes", "mtime_ns")} == _look(path)
    return same and str(known.get("sha256")).startswith(sha256)


def is_filled_by_hand(folder: Path) -> bool:
    """Tell whether a folder holds what this program did not put there."""
    return folder.is_dir() and any(folder.iterdir()) and not is_ours(folder)


def is_unpacked(name: str) -> bool:
    """Tell whether the folder holds what this program unpacked."""
    folder = entry_named(name).folder
    if folder is None or not unpacked_receipt_of(name).is_file():
        return False
    return is_ours(Path(folder))


def times_lost(name: str) -> int:
    """Return how often an unpacked folder was removed by somebody, now included.

    A workflow takes a receipt for done, but not one that it wrote when this was another number.
    """
    lost = unpacked_receipt_of(name).is_file() and not is_unpacked(name)
    return _times_noted(name) + lost


def _times_noted(name: str) -> int:
    receipt = unpacked_receipt_of(name)
    return read_json(receipt).get("times_lost", 0) if receipt.is_file() else 0


def _look(path: Path) -> dict[str, int]:
    """Return by what a file is known again without reading it."""
    stat = path.stat()
    return {"bytes": stat.st_size, "mtime_ns": stat.st_mtime_ns}
