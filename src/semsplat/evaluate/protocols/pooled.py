"""Protocol ``class_maps/pooled@1``: class maps of held-out views, all pixels in one matrix.

Definition: one confusion matrix over the pixels of all images, counted as ``clipgs/image_mean@1``
counts them; where there is no prediction, all pixels of the image are wrong.  ``pooled_miou``: IoU
per class, mean over the classes that occur in the truth or are predicted.  ``class_accuracy``: TP /
(TP + FN), mean over the classes that occur in the truth.
Source: ours; it is what semantic segmentation reports (PASCAL VOC, ScanNet) and the other reading
of CLIP-GS's "mean pixel accuracy".
Disputes: a class seen in one image only weighs as much as one seen in all.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from semsplat.evaluate.cases import Case, Numbers
from semsplat.evaluate.confusion import label_metrics
from semsplat.evaluate.protocols import image_mean

NAME = "class_maps/pooled@1"
METRICS = {"pooled_miou": 1.0, "class_accuracy": 1.0}
CASES = "class_maps"

score = image_mean.score


def aggregate(cases: Sequence[Case]) -> Numbers:
    """Return the metrics over the pixels of all images; empty where none counts."""
    total: NDArray[np.int64] = np.sum([case.found[NAME] for case in cases], axis=0)
    metrics = label_metrics(total) if np.ndim(total) else {}
    named = zip(METRICS, ("miou", "class_accuracy"), strict=True)
    return {metric: metrics[name] for metric, name in named} if metrics else {}
