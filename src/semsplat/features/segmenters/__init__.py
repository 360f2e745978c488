"""Segmenters: an image in, candidate masks per layer out.  One kind per file.

A kind has ``Options`` (what ``params.yaml`` may say; ``model`` names a SAM where one is needed),
``LAYERS`` (the names of its lists of masks) and ``segment(image, options, sam)``, which returns
`semsplat.features.masks.Masks` per layer.  Ground truth is out of reach: a segmenter gets pixels.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType


def segmenter_kinds() -> list[str]:
    """Return the names of all kinds, without importing them."""
    return sorted(p.stem for p in Path(__file__).parent.glob("*.py") if p.stem != "__init__")


def segmenter_kind(name: str) -> ModuleType:
    """Return the module of a kind that `segmenter_kinds` lists; cheap, models come with use."""
    return import_module(f"semsplat.features.segmenters.{name}")
