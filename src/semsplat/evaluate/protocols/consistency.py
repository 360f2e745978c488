"""Protocol ``class_maps/inconsistency@2``: class maps of neighbouring training views compared.

Definition: for every two consecutive training views with depth, in the order of the split, of the
first view's pixels that are visible in the second (`semsplat.evaluate.pairs`) and have a class in
both, the share whose classes differ; pooled over all pairs.  A view without a prediction differs
from its neighbours wherever these have a class; a class map of another size is an error.
Source: ours; CLIP-GS claims view consistency and shows it in pictures only (its Fig. 3).
Disputes: a map that is wrong everywhere alike is consistent; read it beside the other scores.  In
version 1 pairs with a view without a prediction did not count, so that leaving views out was free.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from semsplat.evaluate.cases import Case, Numbers
from semsplat.evaluate.confusion import Labels
from semsplat.evaluate.pairs import DIFFERS, Neighbours, compare

NAME = "class_maps/inconsistency@2"
METRICS = {"inconsistency": 0.0}
CASES = "neighbours"


def score(prediction: tuple[Labels | None, Labels | None], truth: Neighbours) -> NDArray[np.uint8]:
    """Return where two class maps differ, as `compare` does.

    A map that is missing has a class of its own: zeros would not be compared, and a method would be
    the more consistent the less it predicts.
    """
    first, second = (
        np.full(size, -1 - place, np.int32) if labels is None else labels
        for place, (labels, size) in enumerate(zip(prediction, truth.sizes, strict=True))
    )
    return compare(first, second, truth.pixels)


def aggregate(cases: Sequence[Case]) -> Numbers:
    """Return the share of differing pixels over all pairs; empty where nothing is compared."""
    verdicts = (case.found[NAME] for case in cases)
    counts = sum((np.bincount(v.reshape(-1), minlength=3) for v in verdicts), np.zeros(3, int))
    if not counts[1:].any():
        return {}
    return {"inconsistency": float(counts[DIFFERS] / counts[1:].sum())}
