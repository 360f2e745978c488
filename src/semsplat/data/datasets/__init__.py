"""One importer per file: file name = importer name in ``params.yaml``.

Each file has ``Options`` (a pydantic model, what ``params.yaml`` may say), ``sources(options)``
(files the import reads) and ``import_scene(scene, options, out_dir)`` (writes a canonical scene).
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType


def importer_names() -> list[str]:
    """Return the names of all importers, without importing them."""
    return sorted(p.stem for p in Path(__file__).parent.glob("*.py") if p.stem != "__init__")


def importer(name: str) -> ModuleType:
    """Return the module of an importer that `importer_names` lists."""
    return import_module(f"semsplat.data.datasets.{name}")
