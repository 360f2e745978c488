"""Statistics of ``rules@2``: what scenes, each the mean of its seeds, say of scenes like them.

A mixed model has a random effect of each scene, and a random error of each seed in it.  Where every
scene has as many seeds, its exact test is Student's t over the scenes' means, with one degree of
freedom less than scenes: the spread of these means already holds both variances.  Where scenes have
different numbers of seeds it is near.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import nct, t

Means = NDArray[np.float64]
"""float64 [S]: an effect per scene, the mean over its seeds."""


def interval(means: Means, alpha: float) -> tuple[float, float]:
    """Return the two-sided interval of the mean over scenes, missed with chance ``alpha``."""
    half = float(t.isf(alpha / 2, len(means) - 1)) * _error(means)
    return float(means.mean()) - half, float(means.mean()) + half


def p_value(means: Means, region: tuple[float, float]) -> float:
    """Return the chance, at most, of effects that speak as clearly as these for in or for out.

    Twice the smaller of two: that the mean is in the region after all one-sided tests at its finite
    ends (two of them: an equivalence test), or beyond one end.  With one end open it is the
    two-sided t test at the other.
    """
    above = [_one_sided(means, low) for low in region[:1] if low > -inf]
    below = [_one_sided(-means, -high) for high in region[1:] if high < inf]
    inside, outside = max(above + below), min(1 - p for p in above + below)
    return min(1.0, 2 * min(inside, outside))


def _one_sided(means: Means, bound: float) -> float:
    """Return the p-value of "the mean is at most the bound"."""
    gap, error = float(means.mean()) - bound, _error(means)
    if error == 0:  # scenes alike to the last digit
        return 0.5 if gap == 0 else float(gap < 0)
    return float(t.sf(gap / error, len(means) - 1))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for being many, by Holm; none for none."""
    from statsmodels.stats.multitest import multipletests

    return [float(p) for p in multipletests(p_values, method="holm")[1]] if p_values else []


def smallest_shown(means: Means, n_ends: int, level: float, power: float) -> float:
    """Return how far from a bound a true effect must lie for a test to show it that often.

    Scenes spread as these do; the test is two-sided at ``level``.  Of a region with two ends: how
    far both must lie from a true effect in its middle.
    """
    if not (error := _error(means)):
        return 0.0
    df, each = len(means) - 1, 1 - (1 - power) / n_ends
    critical = float(t.isf(level / 2, df))
    # Ten times what is needed even of two scenes, whose spread is known worst.
    shift = brentq(lambda nc: nct.sf(critical, df, nc) - each, 0, 10 * critical + 10)
    return float(shift) * error


def _error(means: Means) -> float:
    """Return the standard error of the mean over scenes."""
    return float(means.std(ddof=1)) / sqrt(len(means))
