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

from collections.abc import Iterable
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from semsplat.evaluate.confusion import label_metrics

NAME = "clipgs/image_mean@1"
METRICS = ("miou", "accuracy")


def score(matrices: Iterable[NDArray[np.int64]]) -> dict[str, float]:
    """Return the metrics over the confusion matrices of all images; empty where no pixel counts."""
    rows = [values for matrix in matrices if (values := label_metrics(matrix))]
    return {name: fmean(row[name] for row in rows) for name in METRICS} if rows else {}
