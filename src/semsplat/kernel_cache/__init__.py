"""Where Numba keeps compiled kernels: one folder per state of their sources, for all checkouts.

Numba's own cache goes by the path of the file that holds a kernel, so that every checkout compiles
anew, and does not watch the helpers and constants it imports; a changed helper would silently keep
its old machine code.  What a kernel was compiled for (the CPU) Numba notes itself.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
KERNELS = (
    "splat/cpu/*.py",
    "data/world/*.py",
    "fit/ssim_cpu.py",
    "train/contrast_cpu.py",
    "bench/plain.py",
)
PATIENCE_S = 180
"""Longer than all kernels take to compile."""
LOCATORS = "semsplat.kernel_cache.locator.SourceLocator,UserProvidedCacheLocator"
"""Who tells Numba a folder: ours for our kernels, its own for those of libraries."""


def user_cache() -> Path:
    """Return the folder of what is cheaper to keep than to make again, for all checkouts."""
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "semsplat"


def use_kernel_cache() -> None:
    """Tell Numba where to keep kernels; must run before Numba is imported."""
    os.environ.setdefault("NUMBA_CACHE_DIR", str(user_cache()))
    os.environ.setdefault("NUMBA_CACHE_LOCATOR_CLASSES", LOCATORS)


@contextmanager
def compiled_once() -> Iterator[None]:
    """Let one process at a time meet its kernels: the next ones find them compiled.

    Where the folder takes no locks, or its holder needs minutes, each compiles for itself.
    """
    from filelock import FileLock, Timeout  # this module is imported by every program

    lock = FileLock(user_cache() / "compiling.lock", timeout=PATIENCE_S)
    with suppress(OSError, Timeout):
        user_cache().mkdir(parents=True, exist_ok=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@cache
def sources_digest(package: Path = PACKAGE) -> str:
    """Return what stands for the present sources of all kernels, 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for pattern in KERNELS:
        for path in sorted(package.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
