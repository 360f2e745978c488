"""Label maps and masks from disk: any 2-D segmenter that a user has, or declared ground truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from semsplat.data.scene import Frame, load_ids
from semsplat.errors import SemsplatError
from semsplat.features.teachers import Ids, Lesson, Sources
from semsplat.params.base import Strict

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
    places = (options.labels, options.masks)
    return [place for place in places if place not in (SCENE, COMPONENTS)]


def declares_truth(options: Options) -> bool:
    """Tell whether the scene's ground truth is the teacher."""
    return SCENE in (options.labels, options.masks)


def teach(frame: Frame, options: Options, sources: Sources) -> Lesson:
    """Return a view's label map in the scene's classes, and its regions numbered from 0."""
    labels = _labels(frame, options, sources.class_ids)
    return Lesson(labels, _regions(frame, options, labels))


def _labels(frame: Frame, options: Options, class_ids: list[int]) -> Ids:
    """Return the label map with classes numbered 1 to C; raise at one the scene does not name."""
    path, ids = _read(options.labels, frame.labels_path, frame, "label map; name a folder of them")
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
    lacks = "instances; set masks to components"
    _, ids = _read(options.masks, frame.instances_path, frame, lacks)
    values, number = np.unique(ids, return_inverse=True)
    return (number.reshape(ids.shape) - (values[0] == 0)).astype(np.int32)


def _read(place: str, own: Path | None, frame: Frame, lacks: str) -> tuple[Path, Ids]:
    """Return the map in a folder, or the scene's own, and its path; raise what a view lacks."""
    path = own if place == SCENE else Path(place) / f"{frame.name}.png"
    if path is None:
        raise SemsplatError(f"view '{frame.name}' has no {lacks}")
    return path, load_ids(path, frame)
