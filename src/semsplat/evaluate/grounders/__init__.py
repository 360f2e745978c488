"""Where to click for a prompt, one grounder per file: file name = its name in scores.

Each file has ``ground(world)``, which returns a `Place` for every prompt.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType

PERSON = "clicks"
"""The grounder of the user's own clicks: a wrong one is an error, and there is no truth to them."""


def grounder_names() -> list[str]:
    """Return the names of all grounders, without importing them."""
    return sorted(p.stem for p in Path(__file__).parent.glob("*.py") if p.stem != "__init__")


def askable_names() -> list[str]:
    """Return the names of the grounders that params.yaml may ask: all but the person's clicks."""
    return [name for name in grounder_names() if name != PERSON]


def with_clicks(names: list[str]) -> list[str]:
    """Return the grounders that are asked, in order: the person's clicks always are."""
    return sorted([PERSON, *names])


def grounder(name: str) -> ModuleType:
    """Return the module of a grounder that `grounder_names` lists."""
    return import_module(f"semsplat.evaluate.grounders.{name}")
