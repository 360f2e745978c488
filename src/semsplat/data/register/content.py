"""Whether a file is the one that the register means."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from semsplat.data.register.entries import Entry
from semsplat.errors import SemsplatError
from semsplat.io import sha256_file


class WrongContentError(SemsplatError):
    """A file is there, but another one than was meant."""


@dataclass(frozen=True)
class Content:
    """What is known of a file before it is there."""

    size_bytes: int | None
    sha256: str  # as many hex digits as are known, from none to 64

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """Return what the register knows of a file."""
        return cls(entry.size_bytes, entry.sha256 or entry.sha256_start or "")

    def check(self, path: Path) -> str:
        """Return the file's sha256 or raise a `WrongContentError`; the size is looked at first."""
        size = path.stat().st_size
        if self.size_bytes is not None and size != self.size_bytes:
            raise WrongContentError(f"{path}: {size} bytes, expected {self.size_bytes}")
        digest = sha256_file(path)
        if not digest.startswith(self.sha256):
            raise WrongContentError(
                f"{path}: sha256 {digest[:12]}..., expected {self.sha256[:12]}..."
            )
        return digest
