"""Protocol ``clipgs/image_mean@1``: class maps of held-out views, averaged over images.

Definition: per image one confusion matrix over the scene's classes; pixels whose truth is 0 (void)
are dropped; a pixel without a class counts as wrong.  ``miou``: TP / (TP + FP + FN), mean over the
classes that occur in the truth or are predicted on a pixel that counts.  ``accuracy``: share of
pixels whose class is right, which CLIP-GS calls mAcc.  Both are plain means over the images that
have any pixel that counts; an image without a prediction scores 0; a class map of another size is
an error.
Source: the metric of OV-NeRF, by CLIP-GS's lead author; CLIP-GS itself has no code.
Disputes: "mAcc" may as well have meant the mean over classes, see ``class_maps/pooled@1``.  The
averaging over images makes every class count anew in each image that shows a few pixels of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semsplat.evaluate.cases import Case, Numbers, means
from semsplat.evaluate.confusion import Labels, confusion, label_metrics

NAME = "clipgs/image_mean@1"
METRICS = {"miou": 1.0, "accuracy": 1.0}
CASES = "class_maps"


class ClassMap(NamedTuple):
    """What a view truly shows."""

    labels: Labels  # int32 [H, W], 0 = void
    class_ids: Labels  # all classes of the scene, int32 [C], ascending


def score(prediction: Labels | None, truth: ClassMap) -> NDArray[np.int64]:
    """Return the confusion matrix of an image; without a prediction no pixel has a class."""
    labels = np.zeros_like(truth.labels) if prediction is None else prediction
    return confusion(truth.labels, labels, truth.class_ids)


def aggregate(cases: Sequence[Case]) -> Numbers:
    """Return the means over the images that have a pixel that counts; empty where none has."""
    rows = [label_metrics(case.found[NAME]) for case in cases]
    return means([{name: row[name] for name in METRICS} for row in rows if row])
