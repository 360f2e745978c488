"""Protocol ``features/labels@1``: the 2-D features' own zero-shot labels, over the training views.

Definition: three kinds of labels by five measures.  A pixel's label is the class of its region's
crop in layer 0 (``region_``), the class of its dense vector (``dense_``), or CLIP-GS's pseudo
label, the class of its region's mean dense vector (``pseudo_``).  Against the truth: one confusion
matrix over all training views that have label maps; pixels whose truth is 0 (void) are dropped; a
pixel without a label counts as wrong; a view without features, or with those of another size, is an
error.  ``miou``: TP / (TP + FP + FN), mean over the classes that occur in the truth or are
predicted on a pixel that counts.  ``accuracy``: share of pixels labelled right.
``class_accuracy``: TP / (TP + FN), mean over the classes that occur in the truth.  ``coverage``:
share of all pixels with a label.  ``inconsistency``: for every two consecutive training views, in
the order of the split, of the first view's pixels that are visible in the second
(`semsplat.evaluate.pairs`) and labelled in both, the share whose labels differ; pooled over all
pairs.
Source: ours; it measures what the papers' lifting to 3-D starts from.
Disputes: papers show view inconsistency as pictures only; CLIP-GS's proxy averages mIoU over
images instead of pixels.  Compare only within one protocol.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semsplat.evaluate.cases import Case, Numbers
from semsplat.evaluate.confusion import Labels, confusion, label_metrics
from semsplat.evaluate.protocols.image_mean import ClassMap

NAME = "features/labels@1"
CASES = "feature_labels"
KINDS = ("region", "dense", "pseudo")
LABEL_MEASURES = ("miou", "accuracy", "class_accuracy")
MEASURES = {**dict.fromkeys(LABEL_MEASURES, 1.0), "coverage": None, "inconsistency": 0.0}
METRICS = {f"{kind}_{measure}": best for kind in KINDS for measure, best in MEASURES.items()}


class Counted(NamedTuple):
    """The labels of one kind in one view."""

    labelled: int  # pixels that have one
    pixels: int
    matrix: NDArray[np.int64] | None  # as `confusion` counts; None where the truth is unknown


def score(prediction: Labels, truth: ClassMap | None) -> Counted:
    """Count the labels of one kind, int32 [H, W], 0 = none, in one view."""
    matrix = truth and confusion(truth.labels, prediction, truth.class_ids)
    return Counted(int(np.count_nonzero(prediction)), prediction.size, matrix)


def aggregate(cases: Sequence[Case]) -> Numbers:
    """Return the measures of one kind of labels but its inconsistency, under their own names."""
    counts: list[Counted] = [case.found[NAME] for case in cases]
    if not counts:
        return {}
    coverage = sum(one.labelled for one in counts) / sum(one.pixels for one in counts)
    matrices = [one.matrix for one in counts if one.matrix is not None]
    metrics = label_metrics(np.sum(matrices, axis=0)) if matrices else {}
    return {"coverage": coverage, **{name: metrics[name] for name in LABEL_MEASURES if metrics}}
