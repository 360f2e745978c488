"""Protocol ``lerf_mask/pairs@1``: masks of prompts, every (view, prompt) pair alike.

Definition: per pair of an annotated view and a prompt that it shows, ``mask_miou`` is intersection
over union of predicted and true mask, and ``mask_mbiou`` that of their inner boundaries: the mask
without its erosion by 3 x 3 pixels, repeated max(1, round(0.02 x diagonal of the picture)) times,
where nothing outside the picture belongs to the mask.  Plain mean over pairs; a pair without a
prediction counts as 0; a view that shows nothing has no pair.
Source: CGC's text, "averaged over all the test views"; the two measures are those of
Gaussian Grouping's script, ``script/eval_lerf_mask.py``.
Disputes: CGC released no evaluation, and the script it names averages over prompts first, see
``lerf_mask/classes@1``.  A true mask is never empty, so that an empty prediction has 0 in both; of
two empty masks the script divides 0 by 0, here that is 0 as well.  The script scales predictions to
the truth by the nearest neighbour; here another size is an error.  In a small picture boundaries
are one pixel wide and ``mask_mbiou`` is harsh: compare between pictures of one size.  CGC found its
masks' threshold, a cosine of 0.7, "empirically", on views it does not name; here it is the same for
all scenes.
"""

from __future__ import annotations

from semsplat.evaluate.boundary import Mask, boundary_iou, iou
from semsplat.evaluate.cases import Numbers, mean_of_cases

NAME = "lerf_mask/pairs@1"
METRICS = {"mask_miou": 1.0, "mask_mbiou": 1.0}
CASES = "masks"


def score(prediction: Mask | None, truth: Mask) -> Numbers:
    """Return both metrics of one pair's masks [H, W]."""
    if prediction is None:
        return dict.fromkeys(METRICS, 0.0)
    return {"mask_miou": iou(prediction, truth), "mask_mbiou": boundary_iou(prediction, truth)}


aggregate = mean_of_cases(NAME)
