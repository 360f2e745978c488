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

import numpy as np
from numpy.typing import NDArray

from semsplat.evaluate.pairs import DIFFERS

NAME = "class_maps/inconsistency@2"
METRICS = ("inconsistency",)


def share(verdicts: list[NDArray[np.uint8]]) -> float | None:
    """Return the share of differing pixels over all verdicts; None where nothing is compared."""
    counts = sum((np.bincount(v.reshape(-1), minlength=3) for v in verdicts), np.zeros(3, int))
    return float(counts[DIFFERS] / counts[1:].sum()) if counts[1:].any() else None
