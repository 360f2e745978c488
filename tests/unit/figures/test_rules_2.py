"""Verdicts by ``rules@2``: words, Holm within a paper, sizes, power, clocks."""

from __future__ import annotations

from math import exp, log
from pathlib import Path

import numpy as np
import pytest

from semsplat.figures.published import load_claims
from semsplat.figures.published.claim_models import Claim, SecondRules
from semsplat.figures.referee import preconditions, rules_2
from semsplat.figures.referee.inference import interval, smallest_shown
from semsplat.figures.referee.rules_2 import judge_all, scene_means, size_of
from semsplat.figures.referee.trainings import Results
from semsplat.figures.referee.verdicts import judge_all as judge_every
from semsplat.figures.referee.words import (
    AGREES,
    CONTRADICTED,
    INCONCLUSIVE,
    LARGER,
    NOT_RUN,
    NOT_TESTABLE,
    REPRODUCED,
    SMALLER,
    Effects,
    Found,
    Verdict,
)
from semsplat.io import read_json, write_json
from tests.unit.figures.referee_helpers import trainings, write_speed, write_training

RULES = SecondRules(alpha=0.05, power=0.8, min_scenes=2, min_turns=3, max_busy=0.05)
MIOU = Claim(
    **{"table": "clipgs_table3", "source": "", "statement": "", "better": "c", "worse": "b"},
    **{"measure": "miou", "any_scene": "of a test"},
)
FPS = MIOU.model_copy(update={"measure": "fps", "scale": "ratio", "at_least": 1.0})
GAGS = MIOU.model_copy(
    update={"table": "gags_table4", "better": "2", "worse": "1", "measure": "train_query_miou"}
)
SURE: Effects = {"a": [1.0, 3.0], "b": [2.0, 2.4], "c": [2.1]}  # means 2, 2.2, 2.1


@pytest.fixture(autouse=True)
def in_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty project."""
    monkeypatch.chdir(tmp_path)


def judged(*pairs: tuple[Claim, Effects], evidence: str = "procedural") -> list[Verdict]:
    """Return the verdicts on claims with these effects."""
    found = [(claim, Found(evidence, effects, ())) for claim, effects in pairs]
    return judge_all(found, Results([]), RULES)


def scaled(effects: Effects, by: float, plus: float = 0) -> Effects:
    """Return effects times a number and more."""
    return {scene: [by * e + plus for e in some] for scene, some in effects.items()}


def test_the_mean_over_scenes_counts_and_not_that_over_pairs() -> None:
    (verdict,) = judged((MIOU, SURE))
    assert verdict.effect == pytest.approx(2.1) and (verdict.n_scenes, verdict.n_pairs) == (3, 5)
    low, high = 2.1 - 4.302653 * 0.1 / 3**0.5, 2.1 + 4.302653 * 0.1 / 3**0.5
    assert (verdict.low, verdict.high) == pytest.approx((low, high))
    assert (verdict.word, verdict.reason) == (REPRODUCED, "")


@pytest.mark.parametrize(
    ("effects", "word"),
    [
        (SURE, REPRODUCED),
        (scaled(SURE, -1), CONTRADICTED),
        (scaled(SURE, 1, -2.1), INCONCLUSIVE),
        ({"a": [2.0] * 9}, INCONCLUSIVE),
        ({}, NOT_RUN),
    ],
)
def test_a_word_for_a_gain_a_loss_noise_one_scene_and_nothing(effects: Effects, word: str) -> None:
    (verdict,) = judged((MIOU, effects))
    assert verdict.word == word


def test_one_scene_has_an_effect_and_no_interval_whatever_its_seeds() -> None:
    (verdict,) = judged((MIOU, {"a": [2.0] * 9}))
    assert (verdict.effect, verdict.low, verdict.p, verdict.can_show) == (2.0, None, None, None)
    assert verdict.reason == "a verdict needs 2 scenes, of which there is 1" and not verdict.size


def test_a_loss_may_be_allowed_or_an_amount_needed() -> None:
    for at_least, word in ((-0.7, REPRODUCED), (0.0, CONTRADICTED)):
        claim = MIOU.model_copy(update={"at_least": at_least})
        assert judged((claim, scaled(SURE, 1, -2.4)))[0].word == word


@pytest.mark.parametrize(
    ("within", "word"),
    [((-3.0, 3.0), REPRODUCED), ((1.0, 2.2), INCONCLUSIVE), ((-1.0, 1.0), CONTRADICTED),
     ((3.0, 4.0), CONTRADICTED)],
)  # fmt: skip
def test_alike_needs_the_interval_within_both_bounds(
    within: tuple[float, float], word: str
) -> None:
    claim = MIOU.model_copy(update={"within": within})
    assert judged((claim, SURE))[0].word == word


def test_better_by_little_is_not_better_by_much() -> None:
    claim = load_claims().claims["clipgs_pdr_miou"].model_copy(update={"needs": {}})
    words = [judged((claim, scaled(SURE, 0.5, by)))[0].word for by in (-3, 0, 3)]
    assert words == [CONTRADICTED, REPRODUCED, CONTRADICTED]  # means -2, 1 and 4 points


def test_holm_corrects_within_a_paper_and_on_one_kind_of_scenes() -> None:
    noise = {"a": [1.0], "b": [-1.0], "c": [0.5]}
    alone = judged((MIOU, SURE))[0]
    assert alone.p is not None and alone.p_holm == alone.p
    verdicts = judged((MIOU, SURE), *[(MIOU, noise)] * 9, (GAGS, SURE), (MIOU, {}))
    assert verdicts[0].p == alone.p and verdicts[0].p_holm == pytest.approx(10 * alone.p)
    assert verdicts[10].p_holm == alone.p  # of another paper
    found = [(MIOU, Found(level, SURE, ())) for level in ("procedural", "real data")]
    assert [v.p_holm for v in judge_all(found, Results([]), RULES)] == [alone.p] * 2


def test_what_only_the_correction_undoes_says_so() -> None:
    weaker = {"a": [1.0], "b": [1.5], "c": [1.2]}
    assert judged((MIOU, weaker))[0].word == REPRODUCED
    verdicts = judged(*[(MIOU, weaker)] * 40)
    assert {v.word for v in verdicts} == {INCONCLUSIVE}
    assert verdicts[0].reason == "alone p = 0.014, as one of 40 claims 0.54"


@pytest.mark.parametrize(
    ("printed", "size"), [(1.0, LARGER), (1.5, AGREES), (2.5, AGREES), (3.0, SMALLER), (None, "")]
)
def test_a_size_is_our_interval_against_the_printed_effect(printed: float, size: str) -> None:
    assert size_of(1.5, 2.5, printed) == size


def test_the_size_is_against_the_effect_of_the_table() -> None:
    assert judged((MIOU, SURE))[0].size == SMALLER  # 11.6 printed
    assert judged((MIOU, scaled(SURE, 1, 9.5)))[0].size == AGREES
    assert judged((MIOU, scaled(SURE, 1, 20)))[0].size == LARGER
    assert judged((MIOU.model_copy(update={"measure": "psnr"}), SURE))[0].size == ""


def test_what_can_be_shown_holds_whatever_becomes_of_the_others() -> None:
    means = scene_means(SURE, "difference")
    assert judged((MIOU, SURE))[0].can_show == pytest.approx(smallest_shown(means, 1, 0.05, 0.8))
    ten = judged(*[(MIOU, SURE)] * 10)[0].can_show
    assert ten == pytest.approx(smallest_shown(means, 1, 0.005, 0.8))
    loss = MIOU.model_copy(update={"at_least": -0.5})
    shown = judged((loss, SURE))[0].can_show
    assert shown == pytest.approx(smallest_shown(means, 1, 0.05, 0.8) - 0.5)
    alike = MIOU.model_copy(update={"within": (0.0, 1.0)})
    shown = judged((alike, SURE))[0].can_show
    assert shown == pytest.approx(smallest_shown(means, 2, 0.05, 0.8))


def test_ratios_are_compared_by_their_logarithms() -> None:
    claim = MIOU.model_copy(update={"measure": "n_gaussians", "scale": "ratio", "at_least": 1.0})
    effects = {"a": [2.0, 8.0], "b": [5.0], "c": [6.0]}
    means = scene_means(effects, "ratio")
    assert [exp(mean) for mean in means] == pytest.approx([4, 5, 6])
    (verdict,) = judged((claim, effects))
    assert verdict.effect == pytest.approx((4 * 5 * 6) ** (1 / 3)) and verdict.word == REPRODUCED
    assert (verdict.low, verdict.high) == pytest.approx(tuple(map(exp, interval(means, 0.05))))
    assert verdict.can_show == pytest.approx(exp(smallest_shown(means, 1, 0.05, 0.8)))
    (inverse,) = judged((claim, {s: [1 / e for e in some] for s, some in effects.items()}))
    assert inverse.word == CONTRADICTED and inverse.p == pytest.approx(verdict.p)
    assert verdict.low is not None and inverse.high == pytest.approx(1 / verdict.low)
    double = claim.model_copy(update={"at_least": 2.0})
    shown = judged((double, effects))[0].can_show
    assert shown is not None and verdict.can_show is not None
    assert log(shown / verdict.can_show) == pytest.approx(log(2))


@pytest.mark.parametrize(
    ("turns", "reason"),
    [
        ([0.0, 0.05, 0.01], ""),
        ([0.0, 0.01], "not measured in turns on an idle device"),
        ([0.0, 0.06, 0.0], "not measured on an idle device: others used 6% of it"),
        ([0.0, None, 0.0], "not measured on an idle device: nobody knows how much"),
        (None, "not measured in turns on an idle device"),
    ],
)
def test_claims_about_speed_need_turns_on_an_idle_device(
    turns: list[float | None] | None, reason: str
) -> None:
    write_speed([])
    speed = read_json(Path("results/speed.json"))
    told = {} if turns is None else {"turns": [{"others_busy": busy} for busy in turns]}
    write_json(Path("results/speed.json"), {k: v for k, v in speed.items() if k != "turns"} | told)
    (verdict,) = judged((FPS, SURE))
    assert (verdict.word, verdict.reason) == (INCONCLUSIVE if reason else REPRODUCED, reason)
    assert (verdict.p is None) == bool(reason) and verdict.effect is not None


def test_seconds_of_a_job_are_no_speed_and_sizes_need_no_clock() -> None:
    write_speed([])
    claims = load_claims().claims
    (verdict,) = judged((claims["gags_goi_trains_fastest"], SURE))
    assert verdict.reason == "not measured in turns on an idle device"
    size = claims["clipgs_pdr_gaussians"].model_copy(update={"needs": {}})
    (verdict,) = judged((size, SURE))
    assert verdict.word == REPRODUCED


def test_scenes_where_a_precondition_does_not_hold_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def kept(claim: Claim, found: Found, results: Results) -> tuple[Found, str]:
        some = {s: e for s, e in found.effects.items() if s < claim.statement}
        return found._replace(effects=some), "c: too near"

    monkeypatch.setattr(rules_2, "where_they_hold", kept)
    some, none = (MIOU.model_copy(update={"statement": last}) for last in ("c", "a"))
    in_part, nowhere = judged((some, SURE), (none, SURE))
    assert (in_part.n_scenes, in_part.reason) == (2, "left out: c: too near")
    assert (in_part.low, in_part.high) == pytest.approx(interval(np.array([2.0, 2.2]), 0.05))
    assert (nowhere.word, nowhere.reason) == (NOT_TESTABLE, "c: too near")
    assert nowhere.p is None and nowhere.effect == pytest.approx(2.1)
    assert in_part.p_holm == in_part.p  # what was not tested is none of the family
    assert preconditions.where_they_hold(MIOU, Found("", SURE, ()), Results([]))[0].effects == SURE


def test_both_versions_judge_the_same_trainings() -> None:
    shown = trainings("clipgs_a", "clipgs_d", scenes=("procedural/room", "procedural/den"))
    for training in shown:
        gain = 0.2 * (training.setting == "clipgs_d") + 0.01 * (training.scene == "den")
        write_training(training, accuracy=0.5 + gain * 1.1)
    write_speed(shown)
    words = [
        {name: verdict for name, _, verdict in judge_every(Results(shown), version)}
        for version in (1, 2)
    ]
    first, second = (some["clipgs_accuracy"] for some in words)
    assert list(words[0]) == list(words[1]) == list(load_claims().claims)
    assert (first.word, second.word) == (REPRODUCED, REPRODUCED)
    assert first.effect == pytest.approx(second.effect) and first.p is None is not second.p
