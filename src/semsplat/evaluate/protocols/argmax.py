"""Protocol ``ovs3d/argmax@1``: every pixel has one class, the most similar of the scene's prompts.

Definition: per annotated view, the class map of the predictions against one made of the view's true
masks: where masks overlap the smaller one holds, of equally large ones that which the annotations
name first; pixels in no mask are void and dropped.  Per class of that map TP / (TP + FP + FN), a
pixel without a class counting as wrong; mean over these classes, then over views.
``argmax_miou``; a view without a prediction counts as 0, and so does a prompt without one; a view
that shows nothing is not asked; a class map of another size is an error.
Source: 3D-OVS's ``renderer.py``: argmax over the classes, per-image Jaccard indices, plain mean.
Disputes: CGC does not say how it got 3D-OVS's scores from its binary masks.  3D-OVS has no void
pixels: where no mask is, any class is a false positive; its truth may have several classes at a
pixel; and a class of the scene that an image shows nowhere counts as 0 in that image, however right
the prediction.  There all views are trained on; here the annotated ones are held out, and there are
no scores of views that were trained on.  A mask that smaller ones cover completely is not asked
for.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semsplat.conventions import NO_ID
from semsplat.evaluate.boundary import Mask, iou
from semsplat.evaluate.cases import Numbers, mean_of_cases

NAME = "ovs3d/argmax@1"
METRICS = {"argmax_miou": 1.0}
CASES = "prompt_maps"

Classes = NDArray[np.int16]


class PromptMap(NamedTuple):
    """What a view is said to show."""

    classes: Classes  # [H, W], rows of the prompts, -1 for none
    prompts: list[str]  # of the scene, those that have a prediction


def score(prediction: PromptMap | None, truth: Mapping[str, Mask]) -> Numbers:
    """Return the mean IoU over the classes of one view.

    Args:
        prediction: of the view.
        truth: {prompt: mask [H, W]} of the view, at least one; none is empty.
    """
    actual = truth_map(truth)
    counted = actual != NO_ID
    classes, prompts = prediction or PromptMap(np.full_like(actual, NO_ID), [])
    rows = {prompt: row for row, prompt in enumerate(prompts)}
    ious = []
    for place, prompt in enumerate(truth):
        if (actual == place).any():
            mask = classes == rows[prompt] if prompt in rows else np.zeros_like(counted)
            ious.append(iou(mask & counted, actual == place))
    return {"argmax_miou": fmean(ious)}


aggregate = mean_of_cases(NAME)


def truth_map(truth: Mapping[str, Mask]) -> Classes:
    """Return the place of the mask that holds at every pixel, [H, W], -1 where none does."""
    masks = list(truth.values())
    places: Classes = np.full(masks[0].shape, NO_ID, np.int16)
    # the largest first, of equal ones the last: what is painted later holds
    for place in sorted(range(len(masks)), key=lambda p: (masks[p].sum(), p), reverse=True):
        places[masks[place]] = place
    return places
