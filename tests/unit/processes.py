"""Processes that tests start."""

from __future__ import annotations

import os
import sys


def environment(**more: str) -> dict[str, str]:
    """Return this process's environment with all that it imports from, and ``more``.

    mutmut's mutants import mutmut, which is on this process's path alone.
    """
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **more}
