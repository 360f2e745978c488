"""One protocol per file, versioned by name; a changed definition gets a new version.

A protocol has ``NAME``, ``METRICS`` and functions on arrays; its docstring states its "Definition",
"Source" and "Disputes", of which ``docs/protocols.md`` is made.  A new file is a new protocol.
Importing one is cheap, so that all can be listed: libraries that take seconds are imported in the
functions that need them.
"""

from __future__ import annotations

from types import ModuleType

from semsplat.discovery import kinds_of

_files, _module = kinds_of(__name__, "protocol")


def protocols() -> dict[str, ModuleType]:
    """Return {``NAME``: module} of all protocols, in the order of their files."""
    return {module.NAME: module for module in map(_module, _files())}


def protocol_of(metric: str) -> str:
    """Return the name of the protocol that defines a metric; prefixes are the caller's to strip."""
    return {m: name for name, module in protocols().items() for m in module.METRICS}[metric]
