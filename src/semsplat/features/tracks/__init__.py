"""Tracks: regions of neighbouring training views that show one thing share an id.

One kind per file.  A kind has ``Options`` (what ``params.yaml`` may say), ``folders(options)``
(the folders of maps that it reads), ``models(options)`` (what it runs, each a `HubModel`),
``needs_geometry(options)``, ``declares_truth(options)`` and ``track(frames, regions, options,
depths, device)``, which yields the id map of every view in order.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from semsplat.discovery import kinds_of
from semsplat.params.base import Kind

track_kinds, track_kind = kinds_of(
    __name__,
    "kind of tracks",
    ("Options", "folders", "models", "needs_geometry", "declares_truth", "track"),
)


def ignores_geometry(_: Any) -> bool:
    """Tell that no depth is needed: what kinds do that look at views alone."""
    return False


def tracks_with_options(entry: Kind) -> tuple[ModuleType, Any]:
    """Return the kind that ``params.yaml`` names, and its options."""
    kind = track_kind(entry.kind)
    return kind, kind.Options.model_validate(entry.options)
