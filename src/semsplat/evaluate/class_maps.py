"""Class maps of views: predicted ones, taught ones, and the best that any vote could say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from semsplat.data.scene import Frame, load_ids
from semsplat.evaluate.confusion import Labels, load_truth
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
        counted = (regions >= 0) & (truth > 0)
        votes = np.zeros((int(regions.max(initial=-1)) + 1, int(truth.max(initial=0)) + 1), int)
        np.add.at(votes, (regions[counted], truth[counted]), 1)
        winners = votes.argmax(axis=1) if votes.size else np.zeros(1, int)
        return np.where(regions >= 0, winners[regions], labels).astype(np.int32)

    return best
