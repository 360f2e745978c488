"""CLIP-GS's terms on views of 2 x 2 pixels, by hand; and which views vote, with how many pixels.

Scores (log 3, 0) cost log(4/3) under label 1 and log 4 under label 2.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from semsplat.params.methods import SelfTraining
from semsplat.train.methods import Stage, clip_gs
from tests.unit.train.conftest import PARAMS
from tests.unit.train.wired import lessons_of, stage_of, view

EVERYWHERE = [[0, 0], [0, 0]]
NOWHERE = [[-1, -1], [-1, -1]]
RIGHT, WRONG = math.log(4 / 3), math.log(4)


def options(weight: float = 0.25, **coherent: Any) -> clip_gs.Options:
    base = clip_gs.Options(**PARAMS["methods"]["clip_gs"])
    changed = SelfTraining(**(base.coherent.model_dump() | {"start": 10} | coherent))
    return base.model_copy(update={"weight": weight, "coherent": changed})


def doubling(n_classes: int) -> nn.Linear:
    """Return a decoder that turns the channels round and doubles them."""
    decoder = nn.Linear(n_classes, n_classes)
    with torch.no_grad():
        decoder.weight[:], decoder.bias[:] = 2 * torch.eye(n_classes).flip(0), 0
    return decoder


def held(classes: Any, n_classes: int) -> Tensor:
    """Return what the decoder turns into scores of 2 for a class and 0 for the others."""
    return nn.functional.one_hot(n_classes - torch.tensor(classes), n_classes).float()


def blended_of(classes: list[list[int]]) -> Tensor:
    """Return what the decoder turns into scores of log 3 for a class, 0 for the other."""
    return math.log(3) / 2 * held(classes, 2)


def term(stage: Stage, chosen: clip_gs.Options, place: int, classes: list[list[int]], step: int):
    terms = clip_gs.semantic_terms(chosen, stage)(step, view(place), blended_of(classes))
    return {name: value.item() for name, value in terms.items()}


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """Return three views: the middle one renders class 1 in three pixels, its neighbours 2."""
    # the teacher is right about two pixels of what is rendered, and leaves one out
    taught = [[1, 2], [0, 2]]
    lesson = (taught, [[0, 0], [1, 1]], EVERYWHERE)
    lessons = lessons_of(tmp_path, lesson, lesson, lesson)
    return stage_of(3, doubling(2), held([2, 1, 2], 2), lessons=lessons)


OWN = [[1, 1], [1, 2]]


def test_l2d_is_the_mean_over_taught_pixels_times_its_weight(stage):
    # labels 1, 2, none, 2 against rendered 1, 1, 1, 2
    expected = 0.25 * (RIGHT + WRONG + RIGHT) / 3
    assert term(stage, options(), 1, OWN, 0) == {"l2d": pytest.approx(expected)}
    twice = term(stage, options(weight=0.5), 1, OWN, 0)
    assert twice == {"l2d": pytest.approx(2 * expected)}


def test_the_last_step_before_t_is_the_teachers_and_step_t_is_the_votes(stage):
    taught, voted = (term(stage, options(), 1, OWN, step) for step in (9, 10))
    # 3 votes of its own for 1; 1 of its own and 8 of its neighbours for 2: label 2 everywhere
    assert taught == {"l2d": pytest.approx(0.25 * (2 * RIGHT + WRONG) / 3)}
    assert voted == {"l3d": pytest.approx(0.25 * (3 * WRONG + RIGHT) / 4)}


@pytest.mark.parametrize("vote", ["tracks", "within_view"])
def test_a_share_of_the_teacher_stays_beside_the_votes_from_t_on(stage, vote):
    without, beside = (
        term(stage, options(teacher_weight=share, vote=vote), 1, OWN, 10) for share in (0.0, 0.4)
    )
    taught = 0.25 * (2 * RIGHT + WRONG) / 3
    assert without.keys() == {"l3d"}
    assert beside == {"l2d": pytest.approx(0.4 * taught), "l3d": pytest.approx(without["l3d"])}
    before = term(stage, options(teacher_weight=0.4, vote=vote), 1, OWN, 9)
    assert before == {"l2d": pytest.approx(taught)}  # all of it, until then


def test_without_votes_the_teacher_says_the_same_for_ever(stage):
    chosen = options(vote="none")
    assert term(stage, chosen, 1, OWN, 10_000) == term(stage, chosen, 1, OWN, 0)


def test_within_its_view_the_regions_vote_and_not_the_tracks(stage):
    # the rows are regions and keep their classes; a vote of the whole track ends 2 to 2, for 1
    found = term(stage, options(vote="within_view"), 1, [[1, 1], [2, 2]], 10)
    assert found == {"l3d": pytest.approx(0.25 * RIGHT)}


@pytest.mark.parametrize(
    ("uncovered", "expected"),
    [
        ("pixel_argmax", (2 * WRONG + 2 * RIGHT) / 4),  # upper row 2 by vote, lower row its own
        ("ignore", 2 * WRONG / 2),
    ],
)
def test_pixels_in_no_track_learn_their_own_class_or_nothing(tmp_path, uncovered, expected):
    upper = [[0, 0], [-1, -1]]
    lessons = lessons_of(tmp_path, *[([[1, 1], [1, 1]], NOWHERE, upper)] * 3)
    row = stage_of(3, doubling(2), held([2, 1, 2], 2), lessons=lessons)
    found = term(row, options(uncovered=uncovered), 1, OWN, 10)
    assert found == {"l3d": pytest.approx(0.25 * expected)}


def label(stage: Stage, place: int, own: int) -> int:
    """Return the one label that a view whose pixels are all of a class learns from votes."""
    size = stage.decoder.out_features
    blended = held([[own, own], [own, own]], size)
    found = clip_gs.semantic_terms(options(1.0), stage)(10, view(place), blended)["l3d"].item()
    # scores (2, 0, ...): the own label costs log(1 + (C - 1) e^-2), any other one 2 more
    cheap = math.log1p((size - 1) * math.exp(-2))
    return own if found == pytest.approx(cheap) else 0


def voters(tmp_path: Path, *classes: int, tracks: list[list[list[int]]]) -> Stage:
    """Return views that render a class each, and the pixels of each that vote."""
    lessons = lessons_of(tmp_path, *[(EVERYWHERE, NOWHERE, track) for track in tracks])
    return stage_of(len(classes), doubling(4), held(classes, 4), lessons=lessons)


TWO, THREE = [[0, 0], [-1, -1]], [[0, 0], [0, -1]]


@pytest.mark.parametrize(
    ("classes", "learned"),
    [
        ([4, 1, 3, 1, 4], 0),  # 2 + 2 of the neighbours outvote 3
        ([4, 1, 3, 4, 4], 3),  # 2 and 2 do not
        ([1, 4, 3, 1, 1], 3),  # the views beyond the neighbours have no vote
    ],
)
def test_both_neighbours_vote_and_no_other_view(tmp_path, classes, learned):
    row = voters(tmp_path, *classes, tracks=[EVERYWHERE, TWO, THREE, TWO, EVERYWHERE])
    assert label(row, 2, 3) == learned


@pytest.mark.parametrize(("place", "classes"), [(0, [3, 1, 3]), (2, [3, 1, 3])])
def test_an_end_of_the_row_is_outvoted_by_the_neighbour_that_it_has(tmp_path, place, classes):
    row = voters(tmp_path, *classes, tracks=[TWO, THREE, TWO])
    assert label(row, place, 3) == 0


def test_the_far_end_is_no_neighbour_of_the_first_view(tmp_path):
    row = voters(tmp_path, 3, 2, 1, 1, tracks=[THREE, TWO, EVERYWHERE, EVERYWHERE])
    assert label(row, 0, 3) == 3


def test_neighbours_vote_with_what_they_hold_now(tmp_path):
    row = voters(tmp_path, 1, 3, 1, tracks=[TWO, THREE, TWO])
    terms = clip_gs.semantic_terms(options(1.0), row)
    own = held([[3, 3], [3, 3]], 4)
    before = terms(10, view(1), own)["l3d"].item()
    with torch.no_grad():
        row.gaussians["semantics"][:] = held([3, 3, 3], 4)
    after = terms(11, view(1), own)["l3d"].item()
    # outvoted at first in the three pixels that have a track, of one mind then
    assert before == pytest.approx(after + 2 * 3 / 4)


def test_a_track_counts_its_own_pixels_alone(tmp_path):
    # region 0 of the middle view meets region 1 of its neighbours: they say nothing about it
    other = [[1, 1], [1, 1]]
    row = voters(tmp_path, 1, 3, 1, tracks=[other, THREE, other])
    assert label(row, 1, 3) == 3
