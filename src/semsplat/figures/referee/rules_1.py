"""Verdicts by ``rules@1``: a percentile bootstrap over pooled pairs, and scenes that agree.

Pairs of one scene are no independent witnesses, so that its intervals are too narrow: with three
scenes of three seeds those that should hold the mean in 95 of 100 cases do so in 58 to 89.  It is
kept so that ledgers can be compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from statistics import fmean

import numpy as np
from scipy.stats import bootstrap

from semsplat.figures.published.claim_models import Claim, FirstRules
from semsplat.figures.referee.words import (
    CONTRADICTED,
    INCONCLUSIVE,
    REPRODUCED,
    Found,
    Verdict,
    not_run,
)


def judge(claim: Claim, found: Found, rules: FirstRules) -> Verdict:
    """Return the verdict on one claim."""
    if not found.effects:
        return not_run(found)
    every = list(chain.from_iterable(found.effects.values()))
    low, high = interval(every, rules)
    word, reason = decide(found.effects, (low, high), claim.region[0], rules)
    return Verdict(found, word, reason, fmean(every), low, high)


def interval(effects: Sequence[float], rules: FirstRules) -> tuple[float | None, float | None]:
    """Return the percentile bootstrap interval of the mean effect; nothing for a single pair."""
    if len(effects) < 2:
        return None, None
    bounds = bootstrap(
        (np.asarray(effects),),
        np.mean,
        confidence_level=rules.confidence,
        n_resamples=rules.resamples,
        method="percentile",
        rng=np.random.default_rng(rules.seed),
    ).confidence_interval
    return float(bounds.low), float(bounds.high)


def decide(
    effects: Mapping[str, Sequence[float]],
    bounds: tuple[float | None, float | None],
    at_least: float,
    rules: FirstRules,
) -> tuple[str, str]:
    """Return the verdict and why it is not a clear one.

    Reproduced: the whole interval and every scene's mean lie above what the claim needs;
    contradicted: all of them lie below.
    """
    n_pairs, (low, high) = sum(map(len, effects.values())), bounds
    if len(effects) < rules.min_scenes or n_pairs < rules.min_pairs or low is None or high is None:
        needed = f"{rules.min_pairs} pairs and {rules.min_scenes} scenes"
        return INCONCLUSIVE, f"too few: a verdict needs {needed}"
    means = [fmean(values) for values in effects.values()]
    if low > at_least and min(means) > at_least:
        return REPRODUCED, ""
    if high < at_least and max(means) < at_least:
        return CONTRADICTED, ""
    return INCONCLUSIVE, (
        "scenes disagree" if low > at_least or high < at_least else "within the noise"
    )
