"""Where Numba keeps compiled kernels: one folder per state of their sources, for all checkouts.

Numba's own cache goes by the path of the file that holds a kernel, so that every checkout compiles
anew, and does not watch the helpers and constants it imports; a changed helper would silently keep
its old machine code.  What a kernel was compiled for (the CPU) Numba notes itself.
"""

from __future__ import annotations

import hashlib
import os
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
LOCATORS = "semsplat.kernel_cache.locator.SourceLocator,UserProvidedCacheLocator"
"""Who tells Numba a folder: ours for our kernels, its own for those of libraries."""


def user_cache() -> Path:
    """Return the folder of what is cheaper to keep than to make again, for all checkouts."""
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "semsplat"


def use_kernel_cache() -> None:
    """Tell Numba where to keep kernels; must run before Numba is imported."""
    os.environ.setdefault("NUMBA_CACHE_DIR", str(user_cache()))
    os.environ.setdefault("NUMBA_CACHE_LOCATOR_CLASSES", LOCATORS)


@cache
def sources_digest(package: Path = PACKAGE) -> str:
    """Return what stands for the present sources of all kernels, 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for pattern in KERNELS:
        for path in sorted(package.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
