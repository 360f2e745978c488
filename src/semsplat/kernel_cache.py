"""Where Numba keeps compiled kernels: one folder per state of their sources.

Numba's own cache watches only the file that holds a kernel, not the helpers and constants it
imports; a changed helper would silently keep its old machine code.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

KERNEL_FOLDERS = ("splat/cpu", "data/world")


def use_kernel_cache() -> None:
    """Point Numba at the folder for the present sources; must run before Numba is imported."""
    digest = hashlib.sha256()
    for folder in KERNEL_FOLDERS:
        for path in sorted((Path(__file__).parent / folder).glob("*.py")):
            digest.update(path.read_bytes())
    root = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    os.environ.setdefault("NUMBA_CACHE_DIR", str(root / "semsplat" / digest.hexdigest()[:16]))
