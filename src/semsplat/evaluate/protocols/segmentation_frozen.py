"""Protocol ``lerf_ovs/segmentation_frozen@1``: segmentation by a threshold decided in advance.

Definition: as ``lerf_ovs/segmentation@1``, but (1) the mask is r' > 0.5, whatever the extremes of
the map; (2) the windows are the same shares of the picture's height as 30 and 7 pixels are of
LERF's 730, rounded (the second to the nearest odd number), at least 1 pixel; (3) the majority's
window is cut at the picture's edge and not before.
``query_miou_frozen``: intersection over union, plain mean over pairs; a pair without a prediction
counts as 0.
Source: ours.  0.5 is LERF's own reading of relevancy: above it a pixel is more similar to the
prompt than to every canonical phrase.
Disputes: the published threshold is relative to each map's range, so that a prompt that is nowhere
still gets a mask; and thresholds chosen after seeing the scores are worth points: frozen in
advance, one published number fell by 21.  Methods whose relevancy is compressed around
0.5 lose here, which is what users of a fixed threshold would see.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semsplat.data.annotations import Annotation
from semsplat.evaluate.boundary import iou
from semsplat.evaluate.cases import Numbers, mean_of_cases
from semsplat.evaluate.protocols import segmentation
from semsplat.evaluate.smoothing import Maps, Mask, blended, majority, scaled_px

NAME = "lerf_ovs/segmentation_frozen@1"
METRICS = {"query_miou_frozen": 1.0}
CASES = "relevancy"
THRESHOLD = 0.5


def mask_of(relevancy: NDArray[np.floating]) -> Mask:
    """Return the mask [H, W] of one prompt's relevancy [L, H, W] in [0, 1]."""
    published_px = 2 * segmentation.MAJORITY_RADIUS_PX + 1
    voters_px = scaled_px(published_px, relevancy.shape[-2], odd=True)
    return majority(smoothed(relevancy) > THRESHOLD, voters_px // 2, short_px=0)


def smoothed(relevancy: NDArray[np.floating]) -> Maps:
    """Return r' of the level that answers, [H, W], from relevancy [L, H, W]."""
    return blended(relevancy, scaled_px(segmentation.WINDOW_PX, relevancy.shape[-2]))


def score(prediction: NDArray[np.floating] | None, truth: Annotation) -> Numbers:
    """Return the IoU of one prompt's relevancy [L, H, W] in [0, 1] with its true mask."""
    value = 0.0 if prediction is None else iou(mask_of(prediction), truth.mask)
    return {"query_miou_frozen": value}


aggregate = mean_of_cases(NAME)
