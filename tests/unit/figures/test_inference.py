"""Intervals, p-values, Holm's correction and power of ``rules@2``: by hand, by library, by chance.

Numbers by hand are of the means 1, 2, 3: their mean is 2, their deviation 1, its error 1 / sqrt(3);
t has 2 degrees of freedom, where P(T > x) = 1/2 - x / (2 sqrt(x^2 + 2)).
"""

from __future__ import annotations

from math import inf, sqrt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

from semsplat.figures.published.claim_models import FirstRules
from semsplat.figures.referee import rules_1
from semsplat.figures.referee.inference import holm, interval, p_value, smallest_shown

MEANS = np.array([1.0, 2.0, 3.0])
ERROR = 1 / sqrt(3)


def tail(x: float) -> float:
    """Return P(T > x) of t with 2 degrees of freedom."""
    return 0.5 - x / (2 * sqrt(x * x + 2))


def test_an_interval_by_hand() -> None:
    low, high = interval(MEANS, 0.05)
    assert (low, high) == pytest.approx((2 - 4.302653 * ERROR, 2 + 4.302653 * ERROR))


def test_the_p_value_of_a_direction_is_that_of_the_two_sided_test() -> None:
    for bound in (0.0, 1.5, 2.0, 3.5):
        assert p_value(MEANS, (bound, inf)) == pytest.approx(ttest_1samp(MEANS, bound).pvalue)
    assert p_value(MEANS, (0.0, inf)) == pytest.approx(2 * tail(2 / ERROR))


def test_alike_takes_both_one_sided_tests_and_the_worse_counts() -> None:
    assert p_value(MEANS, (-1.0, 6.0)) == pytest.approx(2 * tail(3 / ERROR))  # 6 is farther
    assert p_value(MEANS, (-9.0, 3.0)) == pytest.approx(2 * tail(1 / ERROR))
    assert p_value(MEANS, (1.0, 3.0)) == pytest.approx(2 * tail(1 / ERROR))


def test_not_alike_is_beyond_either_end() -> None:
    assert p_value(MEANS, (-1.0, 0.0)) == pytest.approx(2 * tail(2 / ERROR))
    assert p_value(MEANS, (6.0, 9.0)) == pytest.approx(2 * tail(4 / ERROR))


def test_scenes_alike_to_the_last_digit_are_sure() -> None:
    same = np.array([1.0, 1.0])
    assert p_value(same, (0.0, inf)) == 0 == p_value(same, (2.0, inf)) == p_value(same, (0.0, 2.0))
    assert p_value(same, (1.0, inf)) == 1
    assert smallest_shown(same, 1, 0.05, 0.8) == 0


@settings(max_examples=50, deadline=None)
@given(
    values=st.lists(st.floats(-100, 100), min_size=2, max_size=8),
    low=st.floats(-50, 50),
    width=st.floats(0.01, 100),
)
def test_p_is_below_alpha_where_the_interval_is_wholly_in_or_out(
    values: list[float], low: float, width: float
) -> None:
    means = np.array(values)
    if means.std() < 1e-6:
        return
    left, right = interval(means, 0.05)
    inside = low < left and right < low + width
    outside = right < low or left > low + width
    edges = [abs(e - b) for e in (left, right) for b in (low, low + width)]
    if min(edges) > 1e-6:
        assert (p_value(means, (low, low + width)) < 0.05) == (inside or outside)


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.02, 0.5, 0.9]) == pytest.approx([0.06, 1.0, 1.0])
    assert holm([0.004]) == [0.004] and holm([]) == []


@pytest.mark.parametrize(("n", "level"), [(2, 0.05), (3, 0.05), (3, 0.05 / 40), (6, 0.05 / 40)])
def test_the_smallest_effect_is_shown_as_often_as_stated(n: int, level: float) -> None:
    means = np.arange(n, dtype=float)
    shift = smallest_shown(means, 1, level, 0.8) / means.std(ddof=1)  # of scenes with deviation 1
    drawn = np.random.default_rng(0).normal(shift, 1, (20_000, n))
    error = drawn.std(axis=1, ddof=1) / sqrt(n)
    critical = interval(means, level)[1] - means.mean()
    critical /= means.std(ddof=1) / sqrt(n)
    assert np.mean(drawn.mean(axis=1) > critical * error) == pytest.approx(0.8, abs=0.01)


def test_the_page_says_what_scenes_buy() -> None:
    page = (Path(__file__).parents[3] / "docs/verdicts.md").read_text()
    for name, level in (("alone", 0.05), ("one of 40", 0.05 / 40)):
        spread = (np.arange(n, dtype=float) for n in (2, 3, 4, 6, 8))
        shown = [smallest_shown(m, 1, level, 0.8) / m.std(ddof=1) for m in spread]
        assert f"| {name} | {' | '.join(f'{x:.1f}' for x in shown)} |" in page


def test_the_narrowest_alike_is_shown_as_often_as_stated() -> None:
    means, n = np.arange(6.0), 6
    width = smallest_shown(means, 2, 0.05, 0.8) / means.std(ddof=1)
    drawn = np.random.default_rng(0).normal(0, 1, (3000, n))
    shown = [p_value(row, (-width, width)) < 0.05 for row in drawn]
    assert np.mean(shown) == pytest.approx(0.8, abs=0.025)
    assert width > smallest_shown(means, 1, 0.05, 0.8) / means.std(ddof=1)


def test_a_mixed_model_of_scenes_and_seeds_has_the_same_mean_and_error() -> None:
    from statsmodels.formula.api import mixedlm

    rng = np.random.default_rng(3)
    effects = 1 + rng.normal(0, 2, (8, 1)) + rng.normal(0, 0.5, (8, 3))
    rows = [(scene, effect) for scene, some in enumerate(effects) for effect in some]
    fitted = mixedlm("effect ~ 1", pd.DataFrame(rows, columns=["scene", "effect"]), groups="scene")
    model, means = fitted.fit(reml=True), effects.mean(axis=1)
    assert model.params["Intercept"] == pytest.approx(means.mean())
    ours = means.std(ddof=1) / sqrt(8)
    assert model.bse["Intercept"] == pytest.approx(ours, rel=1e-3)


REGIMES = [(s, share) for s in (2, 3, 6, 8) for share in (0.0, 0.5, 0.9)]


def drawn_effects(scenes: int, share: float, times: int, skewed: bool = False) -> np.ndarray:
    """Return effects [times, scenes, 3] with mean 0, this share of their variance of scenes."""
    rng = np.random.default_rng(0)

    def noise(*shape: int) -> np.ndarray:
        return rng.exponential(1, shape) - 1 if skewed else rng.normal(0, 1, shape)

    between, within = noise(times, scenes, 1), noise(times, scenes, 3)
    return sqrt(share) * between + sqrt(1 - share) * within


@pytest.mark.parametrize(("scenes", "share"), REGIMES)
def test_intervals_hold_the_mean_as_often_as_they_say(scenes: int, share: float) -> None:
    held = [low < 0 < high for low, high in map(covered, drawn_effects(scenes, share, 2000))]
    assert np.mean(held) == pytest.approx(0.95, abs=0.016)  # 3 deviations of 2000 draws: 0.0146


@pytest.mark.parametrize(("scenes", "share"), [(2, 0.5), (3, 0.5), (3, 0.9), (6, 0.9)])
def test_intervals_of_skewed_effects_lose_little(scenes: int, share: float) -> None:
    drawn = drawn_effects(scenes, share, 2000, skewed=True)
    assert np.mean([low < 0 < high for low, high in map(covered, drawn)]) > 0.87


def covered(effects: np.ndarray) -> tuple[float, float]:
    """Return the interval of effects [scenes, seeds]."""
    return interval(effects.mean(axis=1), 0.05)


def test_a_hierarchical_bootstrap_would_be_too_sure() -> None:
    """Why there is none: scenes, then seeds, with replacement, the middle 95 % of the means."""
    rng, held = np.random.default_rng(1), []
    for effects in drawn_effects(3, 0.5, 400):
        scenes = rng.integers(0, 3, (400, 3, 1))
        means = effects[scenes, rng.integers(0, 3, (400, 3, 3))].mean(axis=(1, 2))
        low, high = np.quantile(means, (0.025, 0.975))
        held.append(low < 0 < high)
    assert np.mean(held) < 0.9


def test_the_former_rules_were_too_sure() -> None:
    rules = FirstRules(confidence=0.95, resamples=300, seed=0, min_scenes=2, min_pairs=6)
    held = []
    for effects in drawn_effects(3, 0.5, 300):
        low, high = rules_1.interval(effects.reshape(-1).tolist(), rules)
        held.append(low is not None and high is not None and low < 0 < high)
    assert np.mean(held) < 0.85
