"""Preconditions: what is measured of a scene decides whether it can say anything of a claim."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from semsplat.errors import SemsplatError
from semsplat.experiment.check import check
from semsplat.experiment.runs import training_job
from semsplat.figures.published import load_claims, load_table
from semsplat.figures.published.claim_models import Claim
from semsplat.figures.referee.effects import found_of
from semsplat.figures.referee.preconditions import (
    modules,
    precondition,
    precondition_names,
    where_they_hold,
)
from semsplat.figures.referee.trainings import Results
from semsplat.figures.referee.words import Found
from semsplat.fingerprint import fingerprint
from semsplat.keys import TrainingKey
from tests.unit.figures.referee_helpers import (
    edit,
    edit_metrics,
    trainings,
    write_things,
    write_training,
)

PARAMS = Path(__file__).parents[3] / "params.yaml"
SAID = {"table": "clipgs_table3", "source": "", "statement": "", "better": "c", "worse": "b"}
VOTE = Claim(**SAID, measure="miou", needs={"vote_above_sac": "b"})
PLACES = ["procedural/den", "procedural/room"]


@pytest.fixture(autouse=True)
def in_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty project."""
    monkeypatch.chdir(tmp_path)


def kept(claim: Claim, vote: float = 0.7, own: float = 0.6) -> tuple[Found, str]:
    """Return what is left of a claim on two scenes, where votes have this mIoU and SAC that."""
    shown = trainings("clipgs_b", "clipgs_c")
    for training in shown:
        write_training(training, miou=0.5, train_miou=own, best_vote_train_miou=vote)
    results = Results(shown)
    (found,) = found_of(claim, load_table(claim.table), results)
    return where_they_hold(claim, found, results)


def test_a_vote_that_could_be_better_keeps_all() -> None:
    found, why = kept(VOTE)
    assert (sorted(found.effects), len(found.trainings), why) == (PLACES, 12, "")


@pytest.mark.parametrize(("vote", "told"), [(0.55, "-5.0"), (0.6, "+0.0")])
def test_a_vote_that_could_not_leaves_nothing_and_says_by_how_much(vote: float, told: str) -> None:
    found, why = kept(VOTE, vote)
    said = f"the best vote over regions has {told} points of mIoU against what SAC renders"
    assert (found.effects, found.trainings) == ({}, ())
    assert why == "; ".join(f"{place}: {said}" for place in PLACES)


def test_each_scene_counts_for_itself_and_the_mean_over_its_seeds() -> None:
    kept(VOTE)
    shown = trainings("clipgs_b", "clipgs_c")
    results = Results(shown)
    (found,) = found_of(VOTE, load_table(VOTE.table), results)
    den = [t for t in shown if (t.setting, t.scene) == ("clipgs_b", "den")]
    edit_metrics(den[0], train_miou=0.8)  # seeds: -10, 10 and 10 points
    assert where_they_hold(VOTE, found, results)[1] == ""
    edit_metrics(den[0], train_miou=1.0)  # -30, 10 and 10
    left, why = where_they_hold(VOTE, found, Results(shown))
    assert sorted(left.effects) == ["procedural/room"] and why.startswith("procedural/den: ")
    assert {training.scene for training in left.trainings} == {"room"} and len(left.trainings) == 6


def test_what_was_not_measured_does_not_hold() -> None:
    kept(VOTE)
    shown = trainings("clipgs_b", "clipgs_c")
    for training in shown:
        edit_metrics(training, best_vote_train_miou=None)
    (found,) = found_of(VOTE, load_table(VOTE.table), Results(shown))
    assert "vote_above_sac was not measured" in where_they_hold(VOTE, found, Results(shown))[1]
    elsewhere = VOTE.model_copy(update={"needs": {"vote_above_sac": "e"}})  # not trained
    assert not where_they_hold(elsewhere, found, Results(shown))[0].effects


@pytest.mark.parametrize(
    ("name", "number", "short", "enough"),
    [
        ("distances_vary", "distance_ratio", 1.9, 2.0),
        ("levels_differ", "best_level_differs", 0.09, 0.1),
    ],
)
def test_things_are_those_of_the_features_that_were_learned(
    name: str, number: str, short: float, enough: float
) -> None:
    claim = VOTE.model_copy(update={"needs": {name: "c"}})
    kept(claim)
    shown = trainings("clipgs_b", "clipgs_c")
    for value, n_scenes in ((short, 0), (enough, 2), (None, 0)):
        for training in shown:
            write_things(training, **({} if value is None else {number: value}))
        (found,) = found_of(claim, load_table(claim.table), Results(shown))
        assert len(where_they_hold(claim, found, Results(shown))[0].effects) == n_scenes


@pytest.mark.parametrize(("every", "n_scenes"), [(100, 0), (3, 2)])
def test_pdr_must_leave_a_refinement_out(every: int, n_scenes: int) -> None:
    claim = VOTE.model_copy(update={"needs": {"refinements_left_out": "c"}})
    kept(claim)
    params = yaml.safe_load(PARAMS.read_text())
    densify = {**params["geometry"]["densify"], "start": 15, "stop": 450, "every": every}
    progressive = {**params["geometry"]["progressive"], "enabled": True}
    progressive |= {"interval_start": 2 * every, "interval_steps": 120}
    for training in trainings("clipgs_c"):
        config = {"geometry": {"densify": densify, "progressive": progressive}}
        edit(training.card_path, config=config)
    results = Results(trainings("clipgs_b", "clipgs_c"))
    (found,) = found_of(claim, load_table(claim.table), results)
    left, why = where_they_hold(claim, found, results)
    assert len(left.effects) == n_scenes
    # By hundreds 4 of 4, only later.  By threes: the mean of 1 / (4.5 + 1.5 cos) is 1 / 4.24, so
    # that 120 steps have 28 and not 40; and of the first 15, which do not count, 2 and not 5.
    counted = precondition("refinements_left_out").value(results, trainings("clipgs_c")[0])
    assert counted == (0 if every == 100 else 9)
    assert ("PDR leaves out 0 of the refinements, not one" in why) == (not n_scenes)


def test_of_which_rows_refinements_are_counted() -> None:
    """Of those with PDR, for what PDR is said to save."""
    params = check(yaml.safe_load(PARAMS.read_text()))
    needing = {n: c for n, c in load_claims().claims.items() if "refinements_left_out" in c.needs}
    for claim in needing.values():
        setting = str(load_table(claim.table).rows[claim.needs["refinements_left_out"]].setting)
        job = training_job(params, TrainingKey("procedural", "room", setting, 0))
        assert job.geometry.progressive.enabled
    saved = {
        name
        for name, claim in load_claims().claims.items()
        if (claim.better, claim.worse, claim.scale) == ("d", "c", "ratio")
    }
    assert needing.keys() == saved


def test_two_preconditions_must_both_hold() -> None:
    both = VOTE.model_copy(update={"needs": {"vote_above_sac": "b", "levels_differ": "b"}})
    assert not kept(both, vote=0.5)[0].effects and kept(both)[0].effects


def test_one_that_is_not_there_is_one_line() -> None:
    with pytest.raises(SemsplatError, match="no precondition 'vote_above'; did you mean"):
        kept(VOTE.model_copy(update={"needs": {"vote_above": "b"}}))


def test_every_claim_needs_what_there_is_and_every_precondition_is_needed() -> None:
    needed = {name for claim in load_claims().claims.values() for name in claim.needs}
    assert needed == set(precondition_names())
    for kind in map(precondition, needed):
        assert kind.WORDS.format(value=0.5) and kind.SHOWN.format(0.5)


def test_held_out_twins_need_the_same() -> None:
    claims = load_claims().claims
    for name in ("gags_gad_miou", "gags_gas_miou", "gags_over_n2f2"):
        assert claims[name].needs and claims[name].needs == claims[f"{name}_held_out"].needs
    assert claims["clipgs_3dcs_free"].any_scene and not claims["clipgs_3dcs_free"].needs
    assert claims["clipgs_3dcs_consistency"].needs.keys() == {"views_overlap"}


def test_their_code_is_part_of_what_draws_a_ledger() -> None:
    assert [name.rpartition(".")[2] for name in modules()] == precondition_names()
    assert fingerprint("semsplat.figures.claims") != fingerprint(
        "semsplat.figures.claims", *modules()
    )
