"""Protocol ``lerf_ovs/select3d@1``: Gaussians are chosen by text, and what they cover is the mask.

Definition: every Gaussian is asked alone, without any view: what it holds is decoded as if it
filled a pixel, and it is chosen where its relevancy to the prompt is above 0.5 on any of the
field's levels.  Per (frame, prompt) pair the chosen ones alone are drawn, with nothing in front of
them, and the mask is where their blended opacity is above 0.5.  ``select3d_miou``: intersection
over union of mask and truth, plain mean over pairs.  ``select3d_accuracy``: the share of pairs
whose intersection over union is at least 0.25.  A pair without a prediction, and one for whose
prompt no Gaussian is chosen, counts as 0 in both; a frame that shows nothing has no pair; a map of
another size is an error.
Source: the protocol of OpenGaussian (NeurIPS 2024), "mIoU" and "mAcc@0.25" of LERF-OVS by 3-D
selection; the choice of Gaussians is our reading.
Disputes: OpenGaussian chooses whole clusters, by the similarity of each one's vector with the text,
and says of the 9.66 that it prints of LangSplat that each Gaussian had the text most similar to it;
newer systems choose by ranks or thresholds of their own, some per scene; a field without clusters
can only be asked Gaussian by Gaussian.  Our threshold is decided in advance: 0.5 is LERF's own
reading of relevancy, above which a vector is more similar to the prompt than to every canonical
phrase.  Drawn alone, a chosen object is not hidden by what stands in front of it, while true masks
show what is visible.  A field that is trained through blending may hold vectors on single Gaussians
that only their mixture means: such fields lose here, and that is what this protocol asks.
Published numbers are of frames that were trained on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semsplat.data.annotations import Annotation
from semsplat.evaluate.boundary import iou
from semsplat.evaluate.cases import Numbers, mean_of_cases

NAME = "lerf_ovs/select3d@1"
METRICS = {"select3d_miou": 1.0, "select3d_accuracy": 1.0}
CASES = "silhouettes"
CHOSEN, COVERED, HIT = 0.5, 0.5, 0.25
"""Above which relevancy a Gaussian is chosen, above which opacity a pixel is covered, and from
which intersection over union on a pair is found."""


def score(prediction: NDArray[np.floating] | None, truth: Annotation) -> Numbers:
    """Return both metrics of one pair, by the opacity [H, W] in [0, 1] of what was chosen."""
    value = 0.0 if prediction is None else iou(prediction > COVERED, truth.mask)
    return dict(zip(METRICS, (value, float(value >= HIT)), strict=True))


aggregate = mean_of_cases(NAME)
