"""Protocol ``lerf_ovs/localisation@1``: is the most relevant point on what was asked for?

Definition: per (frame, prompt) pair the relevancy [0, 1] is smoothed by a mean over 30 x 30 pixels
(even window, one pixel further to the left and the top; border mirrored without repeating the
edge).  Of several levels that with the largest smoothed maximum answers.  All pixels that share the
maximum are candidates; a hit if any of them lies in any box of the prompt, edges included.
``localisation``: hits / pairs; a pair without a prediction is no hit; a frame that shows nothing
has no pair; a map of another size is an error.
Source: LangSplat's ``eval/evaluate_iou_loc.py``, which GAGS runs on one level; GAGS
calls it mAcc.
Disputes: the window is in pixels, whatever the picture's size: 4 % of the height of LERF's, a
quarter of the demo's.  LangSplatV2 takes a 29 x 29 window cut at the border, and averages over all
pairs where the others average over scenes.  Published numbers are of frames that were trained on.
The code compares single-precision numbers, so that rounding decides between equal ones; here equal
means equal up to 1e-9 in double precision.  A constant map has all its pixels as candidates, and
hits.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semsplat.data.annotations import Annotation
from semsplat.evaluate.cases import Numbers, mean_of_cases
from semsplat.evaluate.smoothing import box_mean, strongest

NAME = "lerf_ovs/localisation@1"
METRICS = {"localisation": 1.0}
CASES = "relevancy"
WINDOW_PX = 30
EQUAL = 1e-9


def hit(
    relevancy: NDArray[np.floating], boxes: NDArray[np.float64], window_px: int = WINDOW_PX
) -> float:
    """Return 1 for a hit and 0 for none.

    Args:
        relevancy: of one prompt, in [0, 1], [L, H, W].
        boxes: px, [B, 4]: two opposite corners, x before y.
        window_px: side of the window.
    """
    smooth = box_mean(relevancy, window_px)
    level = smooth[strongest(smooth)]
    y, x = np.nonzero(level >= level.max() - EQUAL)
    corners = boxes.reshape(-1, 2, 2, 1)  # [B, corner, axis, 1]
    low, high = corners.min(axis=1), corners.max(axis=1)
    points = np.stack([x, y])[None]  # [1, axis, candidates]
    return float(((points >= low) & (points <= high)).all(axis=1).any())


def score(prediction: NDArray[np.floating] | None, truth: Annotation) -> Numbers:
    """Return a hit or none of one prompt's relevancy [L, H, W] in [0, 1]."""
    value = 0.0 if prediction is None else hit(prediction, truth.boxes)
    return {"localisation": value}


aggregate = mean_of_cases(NAME)
