"""Ids of tracks, their losses and what a mask selects, by hand (Gaussian Grouping)."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from semsplat.train.identity import (
    WITHOUT,
    chosen_ids,
    identity_loss,
    ids_of,
    neighbour_divergence,
    rank_tracks,
    selected,
)

LN2, LN3 = math.log(2), math.log(3)


def tracks(*rows: list[int]) -> np.ndarray:
    return np.array(rows, np.int32)


# tracks 5, 0 and 9 have 4, 3 and 2 pixels in both views together; 3 of 12 are in none
VIEWS = [tracks([5, 5, 0], [-1, 9, 9]), tracks([0, 0, 5], [5, -1, -1])]


def test_the_largest_tracks_over_all_views_have_ids():
    found = rank_tracks(VIEWS, 4)
    assert found.kept.tolist() == [5, 0, 9]
    assert found.n_tracks == 3 and found.share_without == pytest.approx(3 / 12)


def test_all_but_the_largest_share_the_id_of_none():
    found = rank_tracks(VIEWS, 3)
    assert found.kept.tolist() == [5, 0]
    assert found.n_tracks == 3 and found.share_without == pytest.approx(5 / 12)
    assert ids_of(VIEWS[0], found.kept).tolist() == [[1, 1, 2], [0, 0, 0]]
    assert ids_of(VIEWS[1], found.kept).tolist() == [[2, 2, 1], [1, 0, 0]]


def test_of_equally_large_tracks_the_first_comes_first():
    assert rank_tracks([tracks([7, 3, 3, 7])], 2).kept.tolist() == [3]


def test_without_tracks_nothing_has_an_id():
    found = rank_tracks([tracks([-1, -1])], 4)
    assert found.kept.tolist() == [] and found.n_tracks == 0 and found.share_without == 1
    assert (ids_of(tracks([-1, 4]), found.kept) == WITHOUT).all()


def test_a_view_of_tracks_that_no_other_has_is_read_too():
    kept = rank_tracks(VIEWS, 3).kept
    assert ids_of(tracks([40, 0, -1]), kept).tolist() == [[0, 2, 0]]  # larger than any kept one
    assert ids_of(tracks([0, -1]), kept).tolist() == [[2, 0]]  # smaller than the largest kept


@given(st.lists(st.integers(-1, 6), min_size=1, max_size=30), st.integers(2, 8))
def test_every_pixel_has_an_id_below_k(row, classes):
    view = tracks(row)
    found = rank_tracks([view], classes)
    ids = ids_of(view, found.kept)
    assert ids.min() >= 0 and ids.max() < classes
    assert (ids == WITHOUT).mean() == pytest.approx(found.share_without)
    assert (ids[view == -1] == WITHOUT).all()


def test_the_loss_is_the_mean_over_all_pixels_over_ln_k():
    # softmax (3/4, 1/4): log(4/3) where id 0 is right, log 4 where id 1 is
    scores = torch.tensor([[[LN3, 0.0], [LN3, 0.0]]])
    ids = torch.tensor([[WITHOUT, 1]])
    expected = (math.log(4 / 3) + math.log(4)) / 2 / LN2
    assert identity_loss(scores, ids).item() == pytest.approx(expected)
    even = torch.zeros(3, 5, 7)
    assert identity_loss(even, torch.zeros(3, 5, dtype=torch.long)).item() == pytest.approx(1)


def test_neighbours_alike_do_not_diverge():
    own = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    near = own[:, None].expand(6, 5, 4) + 3  # the same probabilities
    assert neighbour_divergence(own, near).item() == pytest.approx(0, abs=1e-7)


def test_the_divergence_is_of_the_drawn_one_from_its_neighbour():
    # p_j = (3/4, 1/4), p_i = (1/2, 1/2): 3/4 log(3/2) + 1/4 log(1/2), over 2 ids
    own, near = torch.tensor([[LN3, 0.0]]), torch.tensor([[[0.0, 0.0]]])
    there = (0.75 * math.log(1.5) + 0.25 * math.log(0.5)) / 2
    back = (0.5 * math.log(2 / 3) + 0.5 * math.log(2)) / 2
    assert neighbour_divergence(own, near).item() == pytest.approx(there)
    assert neighbour_divergence(near[:, 0], own[:, None]).item() == pytest.approx(back)


def test_it_is_the_mean_over_all_pairs():
    own = torch.tensor([[LN3, 0.0], [0.0, 0.0]])
    near = torch.stack([own, own.flip(0)], dim=1)  # itself, and the other
    there = (0.75 * math.log(1.5) + 0.25 * math.log(0.5)) / 2
    back = (0.5 * math.log(2 / 3) + 0.5 * math.log(2)) / 2
    assert neighbour_divergence(own, near).item() == pytest.approx((there + back) / 4)


def test_what_is_added_keeps_logarithms_finite():
    own, near = torch.tensor([[200.0, -200.0]]), torch.tensor([[[-200.0, 200.0]]])
    assert neighbour_divergence(own, near).item() == pytest.approx(10 * math.log(10) / 2)


def test_both_sides_learn():
    own = torch.tensor([[1.0, 0.0]], requires_grad=True)
    near = torch.tensor([[[0.0, 1.0]]], requires_grad=True)
    neighbour_divergence(own, near).backward()
    assert own.grad is not None and own.grad.any()
    assert near.grad is not None and near.grad.any()


@pytest.mark.parametrize(("inside", "taken"), [(60, False), (70, False), (71, True), (100, True)])
def test_an_id_is_taken_by_the_share_of_its_own_area(inside, taken):
    classes = torch.zeros(2, 100, dtype=torch.long)
    classes[1] = 1
    mask = torch.zeros(2, 100, dtype=torch.bool)
    mask[1, :inside] = True
    found = chosen_ids(classes, mask, 3, torch.tensor(0.7))
    assert found.tolist() == [False, taken, False]


def test_the_id_of_none_can_be_taken_and_one_that_is_not_drawn_cannot():
    classes, mask = torch.zeros(2, 2, dtype=torch.long), torch.ones(2, 2, dtype=torch.bool)
    found = chosen_ids(classes, mask, 2, torch.tensor(0.7))
    assert found.tolist() == [True, False]


def scores_of(*rows: list[float]) -> torch.Tensor:
    """Return the logits [1, N, K] of probabilities."""
    return torch.tensor([rows]).log()


def test_a_pixel_is_selected_by_any_id_and_not_by_their_sum():
    scores = scores_of([0.15, 0.15, 0.7], [0.25, 0.05, 0.7], [0.05, 0.9, 0.05])
    ids = torch.tensor([[True, True, False], [False, False, True], [False, False, False]])
    found = selected(scores, ids, torch.tensor(0.2))
    assert found[:, 0].tolist() == [
        [False, True, True], [True, True, False], [False, False, False],
    ]  # fmt: skip


def test_the_probability_must_be_above_the_threshold():
    scores = torch.zeros(1, 1, 4)  # a quarter each
    ids = torch.tensor([[True, False, False, False]])
    assert not selected(scores, ids, torch.tensor(0.25)).any()
    assert selected(scores, ids, torch.tensor(0.2499)).all()
