"""Protocol ``lerf_ovs/masks@1``: the mask with which a method answers a prompt.

Definition: per (frame, prompt) pair ``mask_query_miou`` is intersection over union of the mask as
it is and the true one: nothing is smoothed, cut off or voted on, which belongs to relevancy.
``mask_localisation``: a hit if the centroid of the mask, the mean of its pixels' coordinates, lies
in any box of the prompt, edges included; hits / pairs.  A pair without a mask, and an empty mask,
is no hit and has an IoU of 0; plain mean over pairs; a frame that shows nothing has no pair; a mask
of another size is an error.
Source: GAGS's appendix 6.1, by which methods that answer with masks stand in its Tables 1 and 2:
localisation is by the "centre of the segmentation mask".
Disputes: the paper does not say which centre; another reading is that of the box around the mask.
Where several objects bear one name, the centroid of a perfect mask may lie between them, in no box;
so it may of a ring.  A relevancy map names one point whatever it is unsure of, a mask none where it
is empty: localisations by this protocol and by ``lerf_ovs/localisation@1`` are of other things, as
in the paper's tables, which have them in one column.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semsplat.data.annotations import Annotation
from semsplat.evaluate.boundary import Mask, iou
from semsplat.evaluate.cases import Numbers, mean_of_cases

NAME = "lerf_ovs/masks@1"
METRICS = {"mask_query_miou": 1.0, "mask_localisation": None}
CASES = "query_masks"


def hit(mask: Mask, boxes: NDArray[np.float64]) -> float:
    """Return 1 where the centroid of a mask [H, W] lies in any box, else 0.

    Args:
        mask: bool.
        boxes: px, [B, 4]: two opposite corners, x before y.
    """
    if not mask.any():
        return 0.0
    centroid = np.argwhere(mask).mean(axis=0)[::-1]  # x, y
    corners = boxes.reshape(-1, 2, 2)  # [B, corner, axis]
    low, high = corners.min(axis=1), corners.max(axis=1)
    return float(((centroid >= low) & (centroid <= high)).all(axis=1).any())


def score(prediction: Mask | None, truth: Annotation) -> Numbers:
    """Return both metrics of one pair; masks are [H, W]."""
    if prediction is None:
        return dict.fromkeys(METRICS, 0.0)
    found = iou(prediction, truth.mask), hit(prediction, truth.boxes)
    return dict(zip(METRICS, found, strict=True))


aggregate = mean_of_cases(NAME)
