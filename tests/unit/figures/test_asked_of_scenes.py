"""Preconditions that a training's scores and card tell, and what a ledger says of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from semsplat.figures.published import load_claims, load_table
from semsplat.figures.published.claim_models import Claim
from semsplat.figures.referee.effects import found_of
from semsplat.figures.referee.preconditions import (
    asked_of_scenes,
    precondition,
    where_they_hold,
)
from semsplat.figures.referee.trainings import Results
from semsplat.figures.referee.words import Found
from semsplat.keys import TrainingKey
from tests.unit.figures.referee_helpers import edit, trainings
from tests.unit.figures.test_preconditions import PLACES, VOTE, in_project, kept

__all__ = ["in_project"]  # a fixture


def on_room(claim: Claim, edited: Callable[[TrainingKey], None]) -> tuple[list[str], str, str]:
    """Return what scenes are left where row c's trainings on room are edited, and what is said."""
    kept(claim)
    shown = trainings("clipgs_b", "clipgs_c")
    for training in shown:
        if (training.setting, training.scene) == ("clipgs_c", "room"):
            edited(training)
    results = Results(shown)
    (found,) = found_of(claim, load_table(claim.table), results)
    left, why = where_they_hold(claim, found, results)
    return sorted(left.effects), why, asked_of_scenes(claim, found, results)


@pytest.mark.parametrize(
    ("name", "short", "told", "measured"),
    [
        (
            "several_classes",
            {"classes": {"iou": dict.fromkeys("abcd", 0.5)}},
            "the views show 4 classes",
            "4 to 6",
        ),
        ("several_things", {"prompts": {key: {} for key in "abcd"}}, "4 things", "4 to 7"),
        (
            "views_overlap",
            {"counts": {"class_maps/inconsistency@9": {"pairs": 4}, "other@1": {"pairs": 90}}},
            "4 pairs",
            "4 to 8",
        ),
    ],
)
def test_what_scores_count_is_asked_of_each_scene(
    name: str, short: dict[str, Any], told: str, measured: str
) -> None:
    claim = VOTE.model_copy(update={"needs": {name: "c"}})
    left, why, asked = on_room(claim, lambda training: edit(training.scores_path, **short))
    assert left == ["procedural/den"] and f"procedural/room: {told}" in why
    assert asked == f"{precondition(name).ASKS}: {measured}"
    left, why, _ = on_room(claim, lambda t: edit(t.scores_path, classes={}, prompts={}, counts={}))
    assert left == ["procedural/den"] and why == f"procedural/room: {name} was not measured"


def test_it_is_asked_of_the_row_that_the_claim_names() -> None:
    few = {"iou": dict.fromkeys("abcd", 0.5)}
    claim = VOTE.model_copy(update={"needs": {"several_classes": "b"}})
    left, _, asked = on_room(claim, lambda training: edit(training.scores_path, classes=few))
    assert left == PLACES and asked.endswith(": 6")  # row c's four classes are another matter


@pytest.mark.parametrize(("views", "places"), [(27, PLACES), (28, PLACES[:1])])
def test_sparse_views_are_as_few_as_the_papers(views: int, places: list[str]) -> None:
    claim = VOTE.model_copy(update={"needs": {"views_are_few": "c"}})

    def edited(training: TrainingKey) -> None:
        numbers = Results([training]).card(training)["numbers"]
        edit(training.card_path, numbers={**numbers, "n_train_views": views})

    assert on_room(claim, edited)[0] == places


def test_colours_that_nothing_can_cost_say_nothing() -> None:
    claim = VOTE.model_copy(update={"needs": {"colours_can_change": "c"}})

    def edited(training: TrainingKey) -> None:
        edit(training.card_path, config={"options": {"moves_geometry": False}})

    left, why, asked = on_room(claim, edited)
    assert left == ["procedural/den"] and asked.endswith(": 0 to 1")
    assert why.startswith("procedural/room: semantics leave the geometry alone by our reading")


def test_colours_are_asked_of_rows_whose_semantics_could_have_moved_them() -> None:
    """Of (c) and of (b), which are compared with (a); PDR's colours change by themselves."""
    asked = {n: c.needs for n, c in load_claims().claims.items() if "colours_can_change" in c.needs}
    assert asked == {
        "clipgs_psnr_comparable": {"colours_can_change": "c"},
        "clipgs_sac_psnr": {"colours_can_change": "b"},
    }


def test_what_any_scene_can_tell_says_why() -> None:
    free = load_claims().claims["clipgs_3dcs_free"]
    told = asked_of_scenes(free, Found("", {}, ()), Results([]))
    assert told == f"nothing: {free.any_scene}"
