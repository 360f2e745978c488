"""What was computed once for an image is not computed again.

An entry is named by what it depends on: the image, the model's hash, the parameters of that very
step, and the code of the step.  A parameter further down the line is not among them, so changing it
reads everything from here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from semsplat.arrays import read_arrays, write_arrays
from semsplat.fingerprint import fingerprint
from semsplat.io import canonical_json, sha256_text

Arrays = dict[str, NDArray[Any]]
SECONDS = "seconds"
"""What making an entry took, beside its arrays: who is served counts it as a cost."""


@dataclass
class Cache:
    """A folder of archives; ``made`` and ``served`` count what happened.

    ``saved_s`` are the seconds that took to make what was served.
    """

    folder: Path
    made: int = field(default=0, init=False)
    served: int = field(default=0, init=False)
    saved_s: float = field(default=0.0, init=False)

    def path(self, step: str, code: tuple[str, ...], **depends: Any) -> Path:
        """Return the place of an entry of ``step`` made by modules ``code`` from ``depends``."""
        key = sha256_text(canonical_json({"code": fingerprint(*code), **depends}))[:32]
        return self.folder / step / f"{key}.npz"

    def get(self, path: Path, compute: Callable[[], Arrays]) -> Arrays:
        """Return the arrays at a place; they are computed and kept if nothing is there."""
        if path.is_file():
            self.served += 1
            arrays = read_arrays(path)
            self.saved_s += float(arrays.pop(SECONDS, 0.0))
            return arrays
        self.made += 1
        start, saved = time.monotonic(), self.saved_s
        arrays = compute()
        within = self.saved_s - saved  # what was served meanwhile costs what it once cost
        seconds = np.array(time.monotonic() - start + within)
        write_arrays(path, {**arrays, SECONDS: seconds})
        return arrays

    def shared(self, path: Path, compute: Callable[[], Arrays]) -> Arrays:
        """Return the arrays at a place as `get`; of several processes that want them one computes.

        The others wait, because what they would compute takes longer than to read it.
        """
        lock = path.with_suffix(".lock")
        lock.parent.mkdir(parents=True, exist_ok=True)
        start = time.monotonic()
        with FileLock(lock):
            self.saved_s -= time.monotonic() - start  # the clock has counted this much already
            arrays = self.get(path, compute)
        lock.unlink(missing_ok=True)  # who waits for it finds the arrays, who comes later too
        return arrays
