"""Class maps: ``classes/{view}.png`` or ``.npy`` of every view, class ids of ``semantics.json``.

PNG: 8 or 16 bits, one channel.  Array: integers [H, W].  0 stands for no class.
"""

from __future__ import annotations

import shutil
from pathlib import Path, PurePosixPath

import numpy as np

from semsplat.arrays import read_array
from semsplat.data.images import MAX_ID, write_png
from semsplat.data.scene import Frame, Scene, load_ids
from semsplat.errors import SemsplatError
from semsplat.evaluate.class_maps import map_path
from semsplat.evaluate.confusion import Labels, check_known, class_ids_of
from semsplat.evaluate.external.given import only
from semsplat.paths import CLASSES
from semsplat.verified import verified

SUFFIXES = (".png", ".npy")


def view_of(path: PurePosixPath) -> str:
    """Return the view of a file: its path without the suffix."""
    return str(path.with_suffix(""))


def views(scene: Scene) -> tuple[Frame, ...]:
    """Return all views: those of training views tell whether neighbours agree."""
    return scene.frames


def read(paths: list[Path], frame: Frame, scene: Scene) -> Labels:
    """Return class ids int32 [H, W], 0 = none; the scene's own, where it has label maps."""
    path = only(paths)
    labels = load_ids(path, frame) if path.suffix == ".png" else _read_array(path, frame)
    known = class_ids_of(scene)
    if known.size:
        check_known(labels, known, str(path))
    return labels


def write(folder: Path, frame: Frame, said: Labels) -> None:
    """Write ``classes/{frame}.png``, 16-bit."""
    write_png(map_path(folder, frame), said.astype(np.uint16))


def give(predictions_dir: Path, frame: Frame, scene: Scene, folder: Path) -> None:
    """Copy the 16-bit PNG of a view."""
    target = folder / CLASSES / f"{frame.name}.png"
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(verified(map_path(predictions_dir, frame)), target)


def _read_array(path: Path, frame: Frame) -> Labels:
    ids = read_array(path, (frame.height, frame.width))
    if ids.dtype.kind not in "iu":
        raise SemsplatError(f"{path}: {ids.dtype}; class ids are integers")
    if ids.min() < 0 or ids.max() > MAX_ID:
        raise SemsplatError(f"{path}: ids outside 0..{MAX_ID}; renumber them")
    return ids.astype(np.int32)
