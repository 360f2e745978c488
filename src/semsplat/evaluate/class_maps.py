"""Class maps of views by where they come from: predicted, taught, or voted for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np

from semsplat.conventions import NO_ID
from semsplat.data.scene import Frame, Scene, load_ids
from semsplat.evaluate.confusion import Labels, load_truth, majorities
from semsplat.features.lessons import Lessons
from semsplat.paths import CLASSES

MapOf = Callable[[Frame], Labels | None]
"""A view in, its class ids int32 [H, W] out, 0 = none; None where the map is missing."""


def predicted(predictions_dir: Path) -> MapOf:
    """Return what reads a view's predicted classes."""

    def classes(frame: Frame) -> Labels | None:
        path = map_path(predictions_dir, frame)
        return load_ids(path, frame) if path.is_file() else None

    return classes


def map_path(predictions_dir: Path, frame: Frame) -> Path:
    """Return where the class map of a view is, if it is there."""
    return predictions_dir / CLASSES / f"{frame.name}.png"


def taught(lessons: Lessons) -> Callable[[Frame], Labels]:
    """Return what reads the classes that a view was taught."""
    class_of = np.array([0, *lessons.class_ids], np.int32)
    return lambda frame: class_of[lessons.view(frame.name).labels]


def best_votes(lessons: Lessons, class_ids: Labels) -> MapOf:
    """Return the best that any vote of a view's own regions could say.

    Every region takes its most frequent true class; pixels outside all regions, and views without a
    label map, keep what was taught.  No label that is constant on regions is right more often.
    """
    own = taught(lessons)

    def best(frame: Frame) -> Labels:
        labels, truth = own(frame), load_truth(frame, class_ids)
        if truth is None:
            return labels
        regions = lessons.view(frame.name).regions
        winners = np.append(majorities(regions, truth - 1) + 1, 0)  # no region is the last place
        return np.where(regions >= 0, winners[regions], labels).astype(np.int32)

    return best


def own_votes(scene: Scene, lessons: Lessons, map_of: MapOf) -> Iterator[tuple[Frame, Labels]]:
    """Yield of each training view with a map what 3DCS would teach it (CLIP-GS, section 3.3).

    The regions that a view shares with its neighbours vote on their class by its own map and
    theirs; pixels outside all regions keep theirs.  This asks the vote of the maps as they are in
    the end; training asks it at every step from T on.
    """
    opened = lru_cache(maxsize=4)(
        lambda place: (_tracks(lessons, scene.train[place]), map_of(scene.train[place]))
    )
    for place, frame in enumerate(scene.train):
        near = [i for i in (place, place - 1, place + 1) if 0 <= i < len(scene.train)]
        views = [
            (tracks.ravel(), labels.ravel())
            for tracks, labels in map(opened, near)
            if labels is not None
        ]
        tracks, own = opened(place)
        if own is None:
            continue
        ids, classes = (np.concatenate(parts) for parts in zip(*views, strict=True))
        winners = np.append(majorities(ids, classes - 1) + 1, 0)
        voted = winners[tracks]
        yield frame, np.where((tracks != NO_ID) & (voted > 0), voted, own).astype(np.int32)


def _tracks(lessons: Lessons, frame: Frame) -> Labels:
    """Return the regions of a view that vote: those tracked through its neighbours."""
    lesson = lessons.view(frame.name)
    return lesson.regions if lesson.tracks is None else lesson.tracks
