"""Tracks: regions of neighbouring training views that show one thing share an id.

One kind per file.  A kind has ``Options`` (what ``params.yaml`` may say), ``folders(options)``
(the folders of maps that it reads), ``models(options)`` (what it runs, each a `HubModel`),
``needs_geometry(options)`` and ``track(frames, regions, options, depths, device)``, which yields
the id map of every view in order.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from semsplat.params.base import Kind


def track_kinds() -> list[str]:
    """Return the names of all kinds, without importing them."""
    return sorted(p.stem for p in Path(__file__).parent.glob("*.py") if p.stem != "__init__")


def track_kind(name: str) -> ModuleType:
    """Return the module of a kind that `track_kinds` lists."""
    return import_module(f"semsplat.features.tracks.{name}")


def tracks_with_options(entry: Kind) -> tuple[ModuleType, Any]:
    """Return the kind that ``params.yaml`` names, and its options."""
    kind = track_kind(entry.kind)
    return kind, kind.Options.model_validate(entry.options)
