"""What methods are told of the truth: a scene's manifest and every card list what holds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

POINTS_OF_DEPTH = "initial points: drawn from the true depth of the training views"
TEACHER_OF_TRUTH = "teacher: labels or regions from the true maps of the views"
TRACKS_OF_TRUTH = "tracks: the true instances of the training views"
CLASSES_OF_LABELS = "class list: the classes in the true labels of the training views"
CLASSES_OF_ALL_LABELS = (
    "class list: the classes in the true labels of the whole scene's training views"
)


def without_others(labels: NDArray[np.int32], classes: set[int]) -> NDArray[np.int32]:
    """Return labels [H, W] with 0, void, for classes that no training view shows."""
    return np.where(np.isin(labels, list(classes)), labels, 0).astype(np.int32)
