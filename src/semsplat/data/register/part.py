"""The beginning of a file that is being fetched: kept over cut connections and killed processes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from semsplat.errors import SemsplatError
from semsplat.io import read_json, write_json


class Part:
    """``NAME.part``, and ``NAME.part.json`` beside it: the address it came from and its version."""

    def __init__(self, target: Path, handle: BinaryIO) -> None:
        """Take over what lies there; without its companion nobody knows what it is part of."""
        self._target = target
        self._handle = handle
        self._note = note_of(target)
        self.url, self.version = "", ""
        if self.size and self._note.is_file():
            note = read_json(self._note)
            self.url, self.version = note["url"], note["version"]
        else:
            self.empty()

    @property
    def size(self) -> int:
        """How many bytes are there."""
        return self._handle.seek(0, os.SEEK_END)

    def begin(self, url: str, version: str) -> None:
        """Note what the following bytes are part of: an address, and what it calls its version."""
        self.url, self.version = url, version
        write_json(self._note, {"url": url, "version": version})

    def add(self, data: bytes) -> None:
        """Append to it."""
        self._handle.write(data)

    def empty(self) -> None:
        """Forget all of it."""
        self._handle.truncate(0)
        self._note.unlink(missing_ok=True)
        self.url, self.version = "", ""

    def flush(self) -> Path:
        """Bring all of it to the disk and return where it lies."""
        self._handle.flush()
        os.fsync(self._handle.fileno())
        return part_of(self._target)

    def finish(self) -> None:
        """Make it the file."""
        os.replace(self.flush(), self._target)
        self._note.unlink(missing_ok=True)


def part_of(target: Path) -> Path:
    """Return where the beginning of a file lies."""
    return target.with_name(f"{target.name}.part")


def note_of(target: Path) -> Path:
    """Return where it is noted what the beginning of a file is."""
    return target.with_name(f"{target.name}.part.json")


@contextmanager
def sole_part(target: Path) -> Iterator[Part]:
    """Yield the beginning of a file, or raise if another process is fetching it.

    When the block ends an empty one goes, any other stays for the next time.  The kernel frees the
    lock with the process, even on SIGKILL.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    path, lock = part_of(target), target.with_name(f"{target.name}.part.lock")
    try:
        held = FileLock(lock).acquire(blocking=False)
    except Timeout:
        raise SemsplatError(f"{target} is being fetched by another process; wait for it") from None
    with held, path.open("ab") as handle:
        part = Part(target, handle)
        try:
            yield part
        finally:
            if path.exists() and not part.size:
                part.empty()
                path.unlink()
            lock.unlink()  # while it is held: whoever opened it before sees that it is gone
