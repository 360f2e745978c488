"""What was computed once for an image is not computed again.

An entry is named by what it depends on: the image, the model's hash, the parameters of that very
step, and the code of the step.  A parameter further down the line is not among them, so changing it
reads everything from here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock
from numpy.typing import NDArray

from semsplat.arrays import read_arrays, write_arrays
from semsplat.fingerprint import fingerprint
from semsplat.io import canonical_json, sha256_text

Arrays = dict[str, NDArray[Any]]


@dataclass
class Cache:
    """A folder of archives; ``made`` and ``served`` count what happened."""

    folder: Path
    made: int = field(default=0, init=False)
    served: int = field(default=0, init=False)

    def path(self, step: str, code: tuple[str, ...], **depends: Any) -> Path:
        """Return the place of an entry of ``step`` made by modules ``code`` from ``depends``."""
        key = sha256_text(canonical_json({"code": fingerprint(*code), **depends}))[:32]
        return self.folder / step / f"{key}.npz"

    def get(self, path: Path, compute: Callable[[], Arrays]) -> Arrays:
        """Return the arrays at a place; they are computed and kept if nothing is there."""
        if path.is_file():
            self.served += 1
            return read_arrays(path)
        self.made += 1
        arrays = compute()
        write_arrays(path, arrays)
        return arrays

    def shared(self, path: Path, compute: Callable[[], Arrays]) -> Arrays:
        """Return the arrays at a place as `get`; of several processes that want them one computes.

        The others wait, because what they would compute takes longer than to read it.
        """
        lock = path.with_suffix(".lock")
        lock.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(lock):
            arrays = self.get(path, compute)
        lock.unlink(missing_ok=True)  # who waits for it finds the arrays, who comes later too
        return arrays
