"""Label maps and masks from disk: any 2-D segmenter that a user has, or declared ground truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from semsplat.errors import SemsplatError
from semsplat.features.teachers import Ids, PseudoLabels, Sources
from semsplat.params.base import Strict

if TYPE_CHECKING:
    from semsplat.data.scene import Frame
SCENE = "scene"
COMPONENTS = "components"


class Options(Strict):
    """Where the maps lie; a folder holds one PNG of integer ids per view, named as the view."""

    labels: str
    """folder of class ids, 0 = void; scene: the scene's own label maps, its ground truth"""
    masks: str
    """folder of region ids, 0 = none; scene: the scene's instances, its ground truth; components:
    the connected pieces of equal label"""


def recipe(_: Options) -> str | None:
    """Return no recipe: no network looks at the images."""
    return None


def folders(options: Options) -> list[str]:
    """Return the folders that are read."""
    return [folder for folder in (options.labels, options.masks) if _is_folder(folder)]


def declares_truth(options: Options) -> bool:
    """Tell whether the scene's ground truth is the teacher."""
    return SCENE in (options.labels, options.masks)


def teach(frame: Frame, options: Options, sources: Sources) -> PseudoLabels:
    """Return a view's label map in the scene's classes, and its regions numbered from 0."""
    labels = _labels(frame, options, sources.class_ids)
    return PseudoLabels(labels, _regions(frame, options, labels))


def _is_folder(place: str) -> bool:
    return place not in (SCENE, COMPONENTS)


def _labels(frame: Frame, options: Options, class_ids: list[int]) -> Ids:
    """Return the label map with classes numbered 1 to C; raise at one the scene does not name."""
    path = frame.labels_path if options.labels == SCENE else _file(options.labels, frame)
    if path is None:
        raise SemsplatError(f"view '{frame.name}' has no label map; name a folder of them")
    ids = _read(path, frame)
    known = np.array([0, *class_ids])
    strange = np.setdiff1d(ids, known)
    if strange.size:
        raise SemsplatError(f"{path}: class {strange[0]} is not in the scene's semantics.json")
    number = np.zeros(known.max() + 1, np.int32)
    number[known] = np.arange(len(known))
    return number[ids]


def _regions(frame: Frame, options: Options, labels: Ids) -> Ids:
    """Return region ids from 0 on, -1 for none."""
    if options.masks == COMPONENTS:
        from skimage.measure import label

        return np.asarray(label(labels, background=0, connectivity=2), np.int32) - 1
    path = frame.instances_path if options.masks == SCENE else _file(options.masks, frame)
    if path is None:
        raise SemsplatError(f"view '{frame.name}' has no instances; set masks to components")
    ids = _read(path, frame)
    values, number = np.unique(ids, return_inverse=True)
    return (number.reshape(ids.shape) - (values[0] == 0)).astype(np.int32)


def _file(folder: str, frame: Frame) -> Path:
    return Path(folder) / f"{frame.name}.png"


def _read(path: Path, frame: Frame) -> Ids:
    from semsplat.data.scene import load_ids

    return load_ids(path, frame)
