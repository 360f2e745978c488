"""The folder of one kernel in Numba's cache; Numba imports this, see `semsplat.kernel_cache`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import UserProvidedCacheLocator

from semsplat.kernel_cache import PACKAGE, sources_digest


class SourceLocator(UserProvidedCacheLocator):
    """Goes by the sources of all kernels, Numba's version and the place within the package."""

    @classmethod
    def from_function(cls, py_func: Callable[..., Any], py_file: str) -> SourceLocator | None:
        """Return a locator for a kernel of ours, None for any other function."""
        if PACKAGE not in Path(py_file).parents:
            return None
        locator: SourceLocator | None = super().from_function(py_func, py_file)
        return locator

    @classmethod
    def get_suitable_cache_subpath(cls, py_file: str) -> str:
        """Return the folder below Numba's cache that holds the kernels of a file."""
        place = "_".join(Path(py_file).relative_to(PACKAGE).parent.parts)
        return f"{sources_digest()}-numba-{numba.__version__}/{place}"
