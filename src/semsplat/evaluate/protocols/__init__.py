"""One protocol per file, versioned by name; a changed definition gets a new version.

A protocol's docstring states its "Definition", "Source" and "Disputes", of which
``docs/protocols.md`` is made.  It has

- ``NAME``, and ``METRICS``: {metric: its value for a perfect prediction, None where that depends};
- ``CASES``: what it scores one by one, a kind of case that some answer makes of its predictions;
- ``score(prediction, truth)``: what it says of one case, whose prediction is None where it is
  missing;
- ``aggregate(cases)``: its metrics over cases; empty where none of them counts.

A new file is a new protocol, and every answer that makes such cases is scored by it.  Importing one
is cheap, so that all can be listed: libraries that take seconds are imported in the functions that
need them.
"""

from __future__ import annotations

from types import ModuleType

from semsplat.discovery import kinds_of

_files, _module = kinds_of(__name__, "protocol", ("NAME", "METRICS", "CASES", "score", "aggregate"))


def protocols() -> dict[str, ModuleType]:
    """Return {``NAME``: module} of all protocols, in the order of their files."""
    return {module.NAME: module for module in map(_module, _files())}


def protocols_of(cases: str) -> list[ModuleType]:
    """Return the protocols that score one kind of case."""
    return [module for module in protocols().values() if cases == module.CASES]


def protocol_of(metric: str) -> str:
    """Return the name of the protocol that defines a metric, whatever its prefixes say it is about.

    A `KeyError` where none does.
    """
    defined = {m: name for name, module in protocols().items() for m in module.METRICS}
    words = metric.split("_")
    for start in range(len(words)):
        if (name := "_".join(words[start:])) in defined:
            return defined[name]
    raise KeyError(metric)
