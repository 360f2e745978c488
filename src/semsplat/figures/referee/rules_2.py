"""Verdicts by ``rules@2``: direction, size and power over scenes, corrected within a paper."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from math import exp, inf, log
from statistics import fmean
from typing import NamedTuple

import numpy as np

from semsplat.figures.published import load_table
from semsplat.figures.published.claim_models import Claim, SecondRules
from semsplat.figures.referee.effects import printed_effect
from semsplat.figures.referee.inference import (
    Means,
    holm,
    interval,
    p_value,
    smallest_shown,
)
from semsplat.figures.referee.preconditions import where_they_hold
from semsplat.figures.referee.trainings import Results
from semsplat.figures.referee.words import (
    AGREES,
    CONTRADICTED,
    INCONCLUSIVE,
    LARGER,
    NOT_TESTABLE,
    REPRODUCED,
    SMALLER,
    Effects,
    Found,
    Verdict,
    not_run,
)


class Tested(NamedTuple):
    """A claim with what was tested of it; without an interval nothing was."""

    claim: Claim
    verdict: Verdict
    means: Means
    """of differences, or of logarithms of ratios"""

    @property
    def family(self) -> tuple[str, str]:
        """Whose claims it is corrected with: its paper's, on the same kind of scenes."""
        return str(load_table(self.claim.table).paper), self.verdict.found.evidence


def judge_all(
    pairs: Iterable[tuple[Claim, Found]], results: Results, rules: SecondRules
) -> list[Verdict]:
    """Return a verdict per claim and kind of scenes, in their order."""
    tested = [_test(claim, found, results, rules) for claim, found in pairs]
    families: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, one in enumerate(tested):
        if one.verdict.p is not None:
            families[one.family].append(place)
    verdicts = [one.verdict for one in tested]
    for places in families.values():
        for place, verdict in zip(
            places, _corrected([tested[p] for p in places], rules), strict=True
        ):
            verdicts[place] = verdict
    return verdicts


def _test(claim: Claim, found: Found, results: Results, rules: SecondRules) -> Tested:
    """Return a claim with its interval and p-value, or with the reason why it has none."""
    nothing = np.empty(0)
    if not found.effects:
        return Tested(claim, not_run(found), nothing)
    kept, why = where_they_hold(claim, found, results)
    if not kept.effects:
        return Tested(claim, Verdict(found, NOT_TESTABLE, why, _effect(claim, found)), nothing)
    means, effect = scene_means(kept.effects, claim.scale), _effect(claim, kept)
    measure = load_table(claim.table).measures[claim.measure]
    slow = results.why_no_clock(measure, rules.min_turns, rules.max_busy)
    few = f"a verdict needs {rules.min_scenes} scenes, of which there is {len(means)}"
    if reason := slow or (few if len(means) < rules.min_scenes else ""):
        return Tested(claim, Verdict(kept, INCONCLUSIVE, reason, effect), means)
    low, high = (_back(end, claim.scale) for end in interval(means, rules.alpha))
    printed = printed_effect(claim, load_table(claim.table))
    p = p_value(means, _region(claim))
    size = size_of(low, high, printed)
    reason = why and f"left out: {why}"
    return Tested(claim, Verdict(kept, "", reason, effect, low, high, p, size=size), means)


def _corrected(family: list[Tested], rules: SecondRules) -> Iterator[Verdict]:
    """Yield the verdicts on a paper's claims that have a p-value."""
    corrected = holm([one.verdict.p for one in family if one.verdict.p is not None])
    for (claim, verdict, means), p_holm in zip(family, corrected, strict=True):
        assert verdict.p is not None and verdict.effect is not None
        low, high = claim.region
        inside = REPRODUCED if low <= verdict.effect <= high else CONTRADICTED
        word, why = (inside, "") if p_holm < rules.alpha else (INCONCLUSIVE, "within the noise")
        if verdict.p < rules.alpha <= p_holm:
            why = f"alone p = {verdict.p:.2g}, as one of {len(family)} claims {p_holm:.2g}"
        reason = "; ".join(filter(None, (why, verdict.reason)))
        # What holds whatever becomes of the paper's other claims.
        level = rules.alpha / len(family)
        shown = can_show(claim, means, level, rules.power)
        yield verdict._replace(word=word, reason=reason, p_holm=p_holm, can_show=shown)


def scene_means(effects: Effects, scale: str) -> Means:
    """Return the effect of each scene, the mean over its seeds; of ratios the logarithm."""
    turned = log if scale == "ratio" else float
    return np.array([fmean(map(turned, values)) for values in effects.values()])


def size_of(low: float, high: float, printed: float | None) -> str:
    """Return our interval against the printed effect, if there is one."""
    if printed is None:
        return ""
    return SMALLER if high < printed else LARGER if low > printed else AGREES


def can_show(claim: Claim, means: Means, level: float, power: float) -> float:
    """Return the smallest effect that would be shown to satisfy a claim.

    Of a claim with two ends: the narrowest bound on either side of no effect that would.
    """
    low, high = _region(claim)
    n_ends = 1 + (high < inf)
    shift = smallest_shown(means, n_ends, level, power)
    return _back(shift + (low if n_ends == 1 else 0), claim.scale)


def _region(claim: Claim) -> tuple[float, float]:
    """Return a claim's region as `scene_means` counts."""
    low, high = claim.region
    return (log(low), log(high)) if claim.scale == "ratio" else (low, high)


def _effect(claim: Claim, found: Found) -> float:
    """Return the mean over scenes; of ratios the geometric one."""
    return _back(float(scene_means(found.effects, claim.scale).mean()), claim.scale)


def _back(value: float, scale: str) -> float:
    """Return a difference or a ratio from what `scene_means` counts."""
    return exp(min(value, 700.0)) if scale == "ratio" else value  # beyond lies no float
