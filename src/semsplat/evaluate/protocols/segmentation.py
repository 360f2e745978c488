"""Protocol ``lerf_ovs/segmentation@1``: the mask of a prompt, cut from its relevancy map.

Definition: per (frame, prompt) pair r' = 0.5 (r + box(r)), where box is the mean over 30 x 30
pixels as in ``lerf_ovs/localisation@1``.  Of several levels that with the largest maximum of r'
answers.  r' is brought to [0, 1] by its own minimum and maximum in the picture, mapped to [-1, 1],
clipped below 0, and compared > 0.4: the threshold is 0.7 of the map's range.  Then every pixel
takes the majority of 7 x 7 pixels; the window never reaches the last row and column.
``query_miou``: intersection over union of mask and truth, plain mean over pairs; a pair without a
prediction counts as 0; a frame that shows nothing has no pair; a map of another size is an error.
Source: LangSplat's ``eval/evaluate_iou_loc.py``, which GAGS runs on one level.
Disputes: papers write "threshold 0.4", which is neither of the relevancy nor of its range.  It is
relative to each map, so that a prompt that is nowhere still gets a mask, and one that fills the
picture loses most of it; see ``lerf_ovs/segmentation_frozen@1``.  LangSplatV2 smooths by 29 x 29
pixels and cuts the window at the border.  Published numbers are of frames that were trained on.
A constant map has no range: its normalised relevancy is 0 (the code adds 1e-9 to the range), the
mask is empty.  That needs double precision, which the code has not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semsplat.data.annotations import Annotation
from semsplat.evaluate.boundary import iou
from semsplat.evaluate.cases import Numbers, mean_of_cases
from semsplat.evaluate.smoothing import Maps, Mask, blended, majority

NAME = "lerf_ovs/segmentation@1"
METRICS = {"query_miou": 1.0}
CASES = "relevancy"
WINDOW_PX, MAJORITY_RADIUS_PX = 30, 3
THRESHOLD, TINY = 0.4, 1e-9
SHORT_PX = 1  # Python's end of a range, taken for an inclusive one


def mask_of(relevancy: NDArray[np.floating]) -> Mask:
    """Return the mask [H, W] of one prompt's relevancy [L, H, W] in [0, 1]."""
    return majority(cut(smoothed(relevancy)), MAJORITY_RADIUS_PX, SHORT_PX)


def smoothed(relevancy: NDArray[np.floating]) -> Maps:
    """Return r' of the level that answers, [H, W], from relevancy [L, H, W]."""
    return blended(relevancy, WINDOW_PX)


def cut(smooth: Maps) -> Mask:
    """Return where a map [H, W] exceeds 0.7 of its own range."""
    shifted = smooth - smooth.min()
    normalised = shifted / (shifted.max() + TINY)
    return np.clip(2 * normalised - 1, 0, 1) > THRESHOLD


def score(prediction: NDArray[np.floating] | None, truth: Annotation) -> Numbers:
    """Return the IoU of one prompt's relevancy [L, H, W] in [0, 1] with its true mask."""
    value = 0.0 if prediction is None else iou(mask_of(prediction), truth.mask)
    return {"query_miou": value}


aggregate = mean_of_cases(NAME)
