"""Label maps counted against the truth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semsplat.conventions import NO_ID
from semsplat.data.scene import Frame, Scene, load_ids, load_semantics
from semsplat.errors import SemsplatError

Labels = NDArray[np.int32]


def class_ids_of(scene: Scene) -> Labels:
    """Return the ids of all classes of a scene, int32 [C], ascending; none without label maps."""
    if not any(frame.labels_path for frame in scene.frames):
        return np.empty(0, np.int32)
    ids = [entry["id"] for entry in load_semantics(scene)["classes"]]
    return np.array(sorted(ids), np.int32)


def load_truth(frame: Frame, class_ids: Labels) -> Labels | None:
    """Return a frame's true class ids int32 [H, W], 0 = void; None where it has no label map."""
    if frame.labels_path is None:
        return None
    truth = load_ids(frame.labels_path, frame)
    check_known(truth, class_ids, str(frame.labels_path))
    return truth


def check_known(ids: Labels, class_ids: Labels, where: str) -> None:
    """Raise a `SemsplatError` unless all ids are 0 or the scene's."""
    unknown = np.setdiff1d(ids, [0, *class_ids])
    if unknown.size:
        raise SemsplatError(f"{where}: class {unknown[0]} is not in semantics.json")


def confusion(truth: Labels, labels: Labels, class_ids: Labels) -> NDArray[np.int64]:
    """Return pixel counts int64 [C + 1, C + 1], truth by label; index 0 is void, or no label.

    Args:
        truth: int32 [H, W], 0 = void; void pixels are dropped, so row 0 stays empty.
        labels: int32 [H, W], 0 = none; others must be known (`check_known`).
        class_ids: all classes of the scene, int32 [C], ascending.
    """
    known = np.array([0, *class_ids])
    counted = truth > 0
    rows, columns = (np.searchsorted(known, ids[counted]) for ids in (truth, labels))
    size = len(known)
    return np.bincount(rows * size + columns, minlength=size**2).reshape(size, size)


def class_iou(matrix: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return of every class its IoU, 0 where there is none of it, and its share of the truth."""
    right, actual, union = _counts(matrix)
    return right / np.maximum(union, 1), actual / max(actual.sum(), 1)


def label_metrics(matrix: NDArray[np.int64]) -> dict[str, float]:
    """Return mIoU, accuracy and class accuracy of a matrix; empty where no pixel counts."""
    if not matrix.any():
        return {}
    right, actual, union = _counts(matrix)
    return {
        "miou": float((right[union > 0] / union[union > 0]).mean()),
        "accuracy": float(right.sum() / matrix.sum()),
        "class_accuracy": float((right[actual > 0] / actual[actual > 0]).mean()),
    }


def _counts(matrix: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
    """Return of every class its pixels that are right, that are in truth its, and of both maps."""
    right = np.diag(matrix)[1:]
    actual, labelled = matrix.sum(axis=1)[1:], matrix.sum(axis=0)[1:]
    return right, actual, actual + labelled - right


def majorities(regions: NDArray[np.integer], truth: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return of every region the truth that most of its pixels have: the best that it could say.

    Args:
        regions: int [H, W], `NO_ID` or a region below R.
        truth: int [H, W], -1 = unknown, which has no vote.

    Returns:
        int64 [R], of equals the lowest; -1 where no pixel has a vote.
    """
    known = (regions != NO_ID) & (truth >= 0)
    counts = np.zeros((int(regions.max()) + 1, int(truth.max(initial=0)) + 1), np.int64)
    np.add.at(counts, (regions[known], truth[known]), 1)
    return np.where(counts.any(axis=1), counts.argmax(axis=1), -1)
