"""gsplat's compiled kernels: built on first use, by one process while all others wait.

gsplat compiles its CUDA sources the first time that a machine uses them, and begins by removing the
lock of whoever compiles them already.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import psutil
from filelock import FileLock

from semsplat.errors import SemsplatError
from semsplat.gpu import LOCK_DIR, host_lock

GB_PER_COMPILER = 4
"""Memory that one of nvcc's jobs takes at most, of gsplat's sources."""


def compilers() -> int:
    """Return how many compilers run at a time: one a core, as many as memory has room for."""
    room = psutil.virtual_memory().available // (GB_PER_COMPILER * 2**30)
    return max(1, min(len(os.sched_getaffinity(0)), room))


def built_library() -> Path | None:
    """Return the compiled library, None where it is to be built."""
    from importlib.util import find_spec

    from torch.utils.cpp_extension import _get_build_directory

    if shipped := find_spec("gsplat.csrc"):
        return Path(str(shipped.origin))
    library = Path(_get_build_directory("gsplat_cuda", False)) / "gsplat_cuda.so"
    return library if library.is_file() else None


@cache
def load_kernels() -> None:
    """Build the kernels where that has not been done, and load them.

    Raises:
        SemsplatError: they cannot be built here.
    """
    os.environ.setdefault("MAX_JOBS", str(compilers()))
    LOCK_DIR.mkdir(parents=True, exist_ok=True)
    with FileLock(host_lock("gsplat")):
        from gsplat.cuda import _backend
    if _backend._C is None:
        raise SemsplatError(
            "gsplat's kernels were not built: nvcc of torch's CUDA is needed; run semsplat doctor"
        )
