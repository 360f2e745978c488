"""Named arrays on disk: archives without pickle, written whole and read verified."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semsplat.errors import SemsplatError, readable
from semsplat.io import atomic_path
from semsplat.verified import verified

_ALONE = Lock()
"""Held while numpy reads.  It takes an array's header for a Python literal, and of two threads that
make a syntax tree at once one can fail in Python 3.11: both count their depth in one place."""


def write_arrays(path: Path, arrays: dict[str, Any], compressed: bool = True) -> None:
    """Write named arrays without pickle, atomically."""
    save = np.savez_compressed if compressed else np.savez
    with atomic_path(path) as partial:
        save(partial, allow_pickle=False, **arrays)


def read_arrays(path: Path, only: tuple[str, ...] = ()) -> dict[str, NDArray[Any]]:
    """Return the named arrays, of some names only where ``only`` gives any.

    A missing, broken or changed file is a one-line `SemsplatError`.
    """
    with readable(path, "a readable archive of arrays", "delete it and run again"):
        whole = verified(path)
        with _ALONE, np.load(whole, allow_pickle=False) as archive:
            return {n: archive[n] for n in archive.files if not only or n in only}


def read_array(path: Path, shape: tuple[int, ...] | None = None) -> NDArray[Any]:
    """Return the one array of a ``.npy``; its shape is compared before its numbers are read.

    A missing or broken file, objects, or another shape than ``shape`` are a one-line
    `SemsplatError`.
    """
    with readable(path, "a readable array", "write it anew by numpy.save"):
        whole = verified(path)
        with _ALONE:
            array = np.load(whole, mmap_mode="r", allow_pickle=False)
        if shape is not None and array.shape != shape:
            raise SemsplatError(f"{path}: shape {list(array.shape)}, expected {list(shape)}")
        return np.array(array)
