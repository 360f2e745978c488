"""Verdicts by ``rules@1``: intervals over pooled pairs, words, as ledgers until then have them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semsplat.figures.published import load_claims
from semsplat.figures.published.claim_models import Claim, FirstRules
from semsplat.figures.referee.rules_1 import decide, interval, judge
from semsplat.figures.referee.words import (
    CONTRADICTED,
    INCONCLUSIVE,
    NOT_RUN,
    REPRODUCED,
    Found,
)

RULES = FirstRules(confidence=0.95, resamples=2000, seed=0, min_scenes=2, min_pairs=6)
MIOU = Claim(
    **{"table": "clipgs_table3", "source": "", "statement": "", "better": "c", "worse": "b"},
    **{"measure": "miou", "any_scene": "of a test"},
)


@pytest.mark.parametrize(
    ("gain", "word"), [(10.0, REPRODUCED), (-12.0, CONTRADICTED), (-1.0, INCONCLUSIVE)]
)
def test_a_word_for_a_gain_a_loss_and_noise(gain: float, word: str) -> None:
    effects = {place: [gain, gain + 1, gain + 2] for place in ("den", "room")}
    verdict = judge(MIOU, Found("procedural", effects, ()), RULES)
    assert verdict.word == word and verdict.effect == pytest.approx(gain + 1)
    assert verdict.low is not None and verdict.high is not None
    assert gain <= verdict.low <= gain + 1 <= verdict.high <= gain + 2
    assert (verdict.n_scenes, verdict.n_pairs, verdict.p, verdict.size) == (2, 6, None, "")


def test_what_was_not_run_says_why() -> None:
    verdict = judge(MIOU, Found("procedural", {}, (), "not trained"), RULES)
    assert (verdict.word, verdict.reason, verdict.effect) == (NOT_RUN, "not trained", None)


def test_too_few_pairs_or_scenes_are_no_verdict() -> None:
    assert decide({"a": [1.0] * 9}, (1, 1), 0, RULES)[0] == INCONCLUSIVE
    assert decide({"a": [1.0], "b": [1.0] * 4}, (1, 1), 0, RULES)[0] == INCONCLUSIVE
    assert decide({"a": [1.0], "b": [1.0] * 5}, (1, 1), 0, RULES)[0] == REPRODUCED


def test_scenes_that_disagree_are_no_verdict() -> None:
    word, why = decide({"a": [9.0] * 5, "b": [-0.5] * 2}, (2.0, 9.0), 0, RULES)
    assert (word, why) == (INCONCLUSIVE, "scenes disagree")


def test_a_claim_may_allow_a_loss_or_need_an_amount() -> None:
    effects = {"a": [-0.05] * 3, "b": [-0.04] * 3}
    assert decide(effects, (-0.05, -0.04), -0.1, RULES)[0] == REPRODUCED
    assert decide(effects, (-0.05, -0.04), 0.0, RULES)[0] == CONTRADICTED


def test_the_file_has_the_former_numbers() -> None:
    rules = load_claims().rules.first
    assert (rules.confidence, rules.resamples, rules.seed) == (0.95, 9999, 0)
    assert (rules.min_scenes, rules.min_pairs) == (2, 6)


@settings(max_examples=20)
@given(
    values=st.lists(st.floats(-100, 100), min_size=2, max_size=9),
    order=st.randoms(),
    by=st.floats(-9, 9),
)
def test_intervals_hold_the_mean_and_move_with_the_effects(
    values: list[float], order: object, by: float
) -> None:
    low, high = interval(values, RULES)
    assert low is not None and high is not None
    assert min(values) - 1e-9 <= low <= high <= max(values) + 1e-9
    again = interval([value + by for value in values], RULES)
    assert np.allclose(again, (low + by, high + by), atol=1e-6)


def test_the_same_effects_give_the_same_interval() -> None:
    assert interval([1.0, 2.0, 4.0], RULES) == interval([1.0, 2.0, 4.0], RULES)
    assert interval([1.0], RULES) == (None, None)
