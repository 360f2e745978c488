"""Colours: ``colours/{view}.png`` of every held-out view, 8-bit sRGB."""

from __future__ import annotations

import shutil
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from semsplat.data.images import read_rgb, write_png
from semsplat.data.scene import Frame, Scene
from semsplat.evaluate.answers import COLOURS
from semsplat.evaluate.external.given import only
from semsplat.verified import verified

SUFFIXES = (".png",)


def view_of(path: PurePosixPath) -> str:
    """Return the view of a file: its path without the suffix."""
    return str(path.with_suffix(""))


def views(scene: Scene) -> tuple[Frame, ...]:
    """Return the held-out views."""
    return scene.test


def read(paths: list[Path], frame: Frame, scene: Scene) -> NDArray[np.uint8]:
    """Return uint8 [H, W, 3] sRGB."""
    return read_rgb(only(paths), (frame.width, frame.height))


def write(folder: Path, frame: Frame, said: NDArray[np.uint8]) -> None:
    """Write ``{frame}.png``; there is no depth."""
    write_png(folder / f"{frame.name}.png", said)


def give(predictions_dir: Path, frame: Frame, scene: Scene, folder: Path) -> None:
    """Copy the PNG of a view."""
    target = folder / COLOURS / f"{frame.name}.png"
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(verified(predictions_dir / f"{frame.name}.png"), target)
