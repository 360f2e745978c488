"""Processes that tests start."""

from __future__ import annotations

import os
import sys


def environment(**more: str) -> dict[str, str]:
    """Return this process's environment with all that it imports from, and ``more``.

    mutmut's mutants import mutmut, which is on this process's path alone; which functions tests
    call it can tell in its own process alone.
    """
    found = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **more}
    if found.get("MUTANT_UNDER_TEST") == "stats":
        del found["MUTANT_UNDER_TEST"]
    return found
