"""Verdicts: effects by hand, intervals, words, evidence apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semsplat.figures.published import load_claims, load_table
from semsplat.figures.published.claim_models import Claim, Rules
from semsplat.figures.referee.trainings import Results
from semsplat.figures.referee.verdicts import (
    CONTRADICTED,
    INCONCLUSIVE,
    NOT_RUN,
    REPRODUCED,
    decide,
    effect,
    interval,
    judge,
    printed_effect,
)
from tests.unit.figures.referee_helpers import trainings, write_speed, write_training

RULES = Rules(confidence=0.95, resamples=2000, seed=0, min_scenes=2, min_pairs=6)
MIOU = Claim(table="clipgs_table3", source="", statement="", better="c", worse="b", measure="miou")


@pytest.fixture(autouse=True)
def in_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty project."""
    monkeypatch.chdir(tmp_path)


def test_effects_by_hand() -> None:
    assert effect(70, 60, "difference", "higher") == 10
    assert effect(70, 60, "difference", "lower") == -10
    assert effect(176, 2.5, "ratio", "higher") == pytest.approx(70.4)
    assert effect(1.43e6, 1.72e6, "ratio", "lower") == pytest.approx(1.72 / 1.43)


def test_the_printed_effect_is_the_mean_over_the_columns_of_the_measure() -> None:
    room0, scene0494 = 25.564 - 19.920, 54.023 - 36.480
    table = load_table("clipgs_table3")
    assert printed_effect(MIOU, table) == pytest.approx((room0 + scene0494) / 2)
    one = MIOU.model_copy(update={"columns": ["scene0494_miou"]})
    assert printed_effect(one, table) == pytest.approx(scene0494)
    said = MIOU.model_copy(update={"printed": (3.0, 2.0)})
    assert printed_effect(said, table) == 1


def write(better: float, worse: float, noise: float = 0.01, scenes: tuple[str, ...] = ()) -> None:
    """Rows c and b with these mIoU; seeds differ by the noise."""
    places = scenes or ("procedural/room", "procedural/den")
    for setting, value in (("clipgs_c", better), ("clipgs_b", worse)):
        for training in trainings(setting, scenes=places):
            write_training(training, miou=value + noise * training.seed * (setting == "clipgs_c"))


def judged(scenes: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    places = scenes or ("procedural/room", "procedural/den")
    shown = trainings("clipgs_b", "clipgs_c", scenes=places)
    verdicts = judge(MIOU, load_table(MIOU.table), Results(shown), RULES)
    return [(verdict.evidence, verdict.word) for verdict in verdicts]


@pytest.mark.parametrize(
    ("better", "worse", "word"),
    [(0.7, 0.6, REPRODUCED), (0.6, 0.7, CONTRADICTED), (0.59, 0.6, INCONCLUSIVE)],
)
def test_a_word_for_a_gain_a_loss_and_noise(better: float, worse: float, word: str) -> None:
    write(better, worse)
    assert judged() == [("procedural", word)]


def test_effect_pairs_and_trainings_are_named() -> None:
    write(0.7, 0.6)
    shown = trainings("clipgs_b", "clipgs_c")
    (verdict,) = judge(MIOU, load_table(MIOU.table), Results(shown), RULES)
    assert verdict.effect == pytest.approx(100 * (0.1 + 0.01))  # percent, mean of 0, 1, 2 noises
    assert verdict.low is not None and verdict.high is not None
    assert 10 <= verdict.low <= verdict.effect <= verdict.high <= 12
    assert (verdict.n_scenes, verdict.n_pairs, len(verdict.trainings)) == (2, 6, 12)


def test_procedural_and_real_scenes_are_judged_apart() -> None:
    write(0.7, 0.6)
    real = ("replica/room0", "scannet/scene0494_00")
    write(0.5, 0.6, scenes=real)
    every = ("procedural/room", "procedural/den", *real)
    assert judged(every) == [("procedural", REPRODUCED), ("real data", CONTRADICTED)]


def test_too_few_pairs_or_scenes_are_no_verdict() -> None:
    write(0.7, 0.6, scenes=("procedural/room",))
    assert judged(("procedural/room",)) == [("procedural", INCONCLUSIVE)]
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


def test_what_was_not_trained_is_not_run_and_says_why() -> None:
    (verdict,) = judge(MIOU, load_table(MIOU.table), Results([]), RULES)
    assert (verdict.word, verdict.reason) == (NOT_RUN, "not trained in this suite")
    lerf = load_claims().claims["clipgs_miou"].model_copy(update={"worse": "LERF"})
    (verdict,) = judge(lerf, load_table(lerf.table), Results([]), RULES)
    assert verdict.word == NOT_RUN and "not implemented" in verdict.reason


def test_what_was_trained_without_the_number_says_which() -> None:
    claim = load_claims().claims["clipgs_lpips"]
    table = load_table(claim.table)
    shown = trainings(*(str(table.rows[row].setting) for row in (claim.better, claim.worse)))
    for training in shown:
        write_training(training)
    for some, reason in ((shown, "no lpips in scores"), (shown[:1], "not trained in this suite")):
        verdict = judge(claim, table, Results(some), RULES)[0]
        assert (verdict.word, verdict.reason) == (NOT_RUN, reason)


def test_speed_is_compared_as_a_ratio() -> None:
    claim = load_claims().claims["clipgs_fps"]
    shown = trainings("clipgs_a", "clipgs_d")
    for training in shown:
        write_training(training)
    write_speed(shown, fps=25.0)
    (verdict,) = judge(claim, load_table(claim.table), Results(shown), RULES)
    assert verdict.effect == 1 and verdict.word == INCONCLUSIVE  # not above 1


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
