"""Protocol ``lerf_ovs/localisation_scaled@1``: localisation with a window fit for the picture.

Definition: as ``lerf_ovs/localisation@1``, but the window's side is the same share of the picture's
height as 30 pixels are of LERF's 730, rounded, at least 1 pixel.  At 730 pixels both are the same.
``localisation_scaled``: hits / pairs; a pair without a prediction is no hit.
Source: ours.
Disputes: a window in pixels makes scores depend on the size at which a scene happens to be stored;
on small pictures the published one blurs away everything smaller than itself.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semsplat.data.annotations import Annotation
from semsplat.evaluate.cases import Numbers, mean_of_cases
from semsplat.evaluate.protocols import localisation
from semsplat.evaluate.smoothing import scaled_px

NAME = "lerf_ovs/localisation_scaled@1"
METRICS = {"localisation_scaled": 1.0}
CASES = "relevancy"


def hit(relevancy: NDArray[np.floating], boxes: NDArray[np.float64]) -> float:
    """Return 1 for a hit and 0 for none.

    Args:
        relevancy: of one prompt, in [0, 1], [L, H, W].
        boxes: px, [B, 4]: two opposite corners, x before y.
    """
    window_px = scaled_px(localisation.WINDOW_PX, relevancy.shape[-2])
    return localisation.hit(relevancy, boxes, window_px)


def score(prediction: NDArray[np.floating] | None, truth: Annotation) -> Numbers:
    """Return a hit or none of one prompt's relevancy [L, H, W] in [0, 1]."""
    value = 0.0 if prediction is None else hit(prediction, truth.boxes)
    return {"localisation_scaled": value}


aggregate = mean_of_cases(NAME)
