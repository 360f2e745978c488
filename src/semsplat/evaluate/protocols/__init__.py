"""One protocol per file, versioned by name; a changed definition gets a new version.

A protocol has ``NAME``, ``METRICS`` and functions on arrays; its docstring states its "Definition",
"Source" and "Disputes", of which ``docs/protocols.md`` is made.  A new file is a new protocol.
Importing one is cheap, so that all can be listed: libraries that take seconds are imported in the
functions that need them.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType


def protocols() -> dict[str, ModuleType]:
    """Return {``NAME``: module} of all protocols, in the order of their files."""
    modules = [import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__)]
    return {module.NAME: module for module in modules}


def protocol_of(metric: str) -> str:
    """Return the name of the protocol that defines a metric; prefixes are the caller's to strip."""
    return {m: name for name, module in protocols().items() for m in module.METRICS}[metric]
