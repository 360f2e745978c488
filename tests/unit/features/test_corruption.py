"""Mistakes on purpose: how many, where, and always the same."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from semsplat.features.corruption import (
    corrupt_iid,
    corrupt_runs,
    majority,
    plan_runs,
    wrong_class,
)

SEEDS = st.integers(0, 2**32 - 1)
SHARES = st.floats(0, 1)
N_CLASSES = 4


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def stripes(n: int, width: int = 3) -> np.ndarray:
    """Return n regions of ``width`` pixels side by side."""
    return np.repeat(np.arange(n), width)[None].astype(np.int32)


# one wrong class


@given(right=st.integers(1, 9), n_classes=st.integers(2, 9), seed=SEEDS)
def test_a_wrong_class_is_one_of_the_others(right: int, n_classes: int, seed: int) -> None:
    right = min(right, n_classes)
    drawn = wrong_class(right, n_classes, rng(seed))
    assert drawn != right and 1 <= drawn <= n_classes


@pytest.mark.parametrize("right", [1, 2, 4])
def test_every_other_class_is_drawn_as_often(right: int) -> None:
    source = rng()
    counts = np.bincount([wrong_class(right, N_CLASSES, source) for _ in range(6000)], minlength=5)
    assert counts[0] == counts[right] == 0
    others = [c for c in (1, 2, 3, 4) if c != right]
    assert all(abs(counts[c] - 2000) < 200 for c in others)  # 5 standard deviations


def test_of_one_class_there_is_no_wrong_one() -> None:
    assert wrong_class(1, 1, rng()) == 1
    labels = np.array([[1, 1, 0]], np.int32)
    regions = np.zeros((1, 3), np.int32)
    assert corrupt_iid(labels, regions, 1.0, 1, rng()).tolist() == [[1, 1, 0]]
    assert corrupt_runs([(labels, regions)], 1.0, 1, 0)[0].tolist() == [[1, 1, 0]]


def test_the_majority_of_a_tie_is_the_lowest_label() -> None:
    assert majority([3, 2, 3, 2, 1]) == 2
    assert majority(np.array([5])) == 5


# regions by themselves


def test_no_share_changes_nothing() -> None:
    labels, regions = stripes(4) % 3 + 1, stripes(4)
    assert np.array_equal(corrupt_iid(labels, regions, 0.0, N_CLASSES, rng()), labels)


def test_the_whole_share_changes_every_region_and_nothing_else() -> None:
    labels = np.array([[1, 1, 0, 2, 2, 3, 0]], np.int32)
    regions = np.array([[0, 0, 0, 5, 5, -1, -1]], np.int32)
    before = labels.copy()
    changed = corrupt_iid(labels, regions, 1.0, N_CLASSES, rng())
    assert changed[0, 2] == changed[0, 6] == 0  # ignored, in a region and outside
    assert changed[0, 5] == 3  # in no region
    first, second = changed[0, :2], changed[0, 3:5]
    assert first[0] == first[1] != 1 and second[0] == second[1] != 2
    assert np.array_equal(labels, before)  # the argument is left alone


def test_a_region_of_several_labels_turns_from_its_most_frequent_one() -> None:
    labels = np.array([[2, 2, 1]], np.int32)
    regions = np.zeros((1, 3), np.int32)
    for seed in range(20):  # of two classes only 1 is wrong
        assert corrupt_iid(labels, regions, 1.0, 2, rng(seed)).tolist() == [[1, 1, 1]]


@pytest.mark.parametrize("share", [0.1, 0.3, 0.8])
def test_the_share_of_mistaken_regions_is_the_one_asked_for(share: float) -> None:
    regions = stripes(4000, width=1)
    labels = np.ones_like(regions)
    mistaken = (corrupt_iid(labels, regions, share, N_CLASSES, rng()) != 1).mean()
    assert mistaken == pytest.approx(share, abs=0.03)  # 4 standard deviations and more


MAPS = arrays(np.int32, (3, 4), elements=st.integers(0, N_CLASSES))
OBJECTS = arrays(np.int32, (3, 4), elements=st.integers(-1, 3))


@given(labels=MAPS, regions=OBJECTS, share=SHARES, seed=SEEDS)
def test_a_region_is_left_alone_or_has_one_label_and_seeds_repeat(
    labels: np.ndarray, regions: np.ndarray, share: float, seed: int
) -> None:
    changed = corrupt_iid(labels, regions, share, N_CLASSES, rng(seed))
    assert np.array_equal(changed, corrupt_iid(labels, regions, share, N_CLASSES, rng(seed)))
    kept = (labels == 0) | (regions < 0)
    assert np.array_equal(changed[kept], labels[kept])
    assert ((changed == 0) == (labels == 0)).all() and changed.max() <= N_CLASSES
    for region in np.unique(regions[~kept]):
        inside = ~kept & (regions == region)
        same = np.array_equal(changed[inside], labels[inside])
        assert same or set(np.unique(changed[inside])).isdisjoint({majority(labels[inside])})
        assert same or len(np.unique(changed[inside])) == 1


# objects over runs of views


def moved(plan: dict[tuple[int, int], int], thing: int) -> list[int]:
    return sorted(view for other, view in plan if other == thing)


@pytest.mark.parametrize(
    ("share", "n_views", "length"),
    [(0.3, 10, 3), (0.3, 7, 2), (0.3, 1, 0), (0.5, 3, 2), (0.5, 1, 0), (1.0, 4, 4), (0.0, 4, 0)],
)
def test_a_run_is_the_rounded_share_of_the_views_that_show_the_object(
    share: float, n_views: int, length: int
) -> None:
    views = [3 * view for view in range(n_views)]  # what lies between shows it not
    plan = plan_runs({7: views}, {7: 2}, share, N_CLASSES, rng())
    assert len(plan) == length
    assert len(set(plan.values())) == min(length, 1) and 2 not in plan.values()
    assert all(later - earlier == 3 for earlier, later in pairwise(moved(plan, 7)))


def test_runs_start_anywhere() -> None:
    starts = {
        min(moved(plan_runs({0: [0, 1, 2, 3]}, {0: 1}, 0.5, 3, rng(s)), 0)) for s in range(50)
    }
    assert starts == {0, 1, 2}


def test_an_object_is_mistaken_in_its_own_pixels_alone() -> None:
    objects = np.array([[0, 0, 1, -1]], np.int32)
    labels = np.array([[2, 0, 3, 4]], np.int32)
    changed = corrupt_runs([(labels, objects)] * 3, 1.0, N_CLASSES, 5)
    assert len(changed) == 3
    for view in changed:
        assert view[0, 1] == 0 and view[0, 3] == 4  # ignored; no object
        assert view[0, 0] != 2 and view[0, 2] != 3
    assert all(np.array_equal(view, changed[0]) for view in changed)  # one wrong class each
    assert labels.tolist() == [[2, 0, 3, 4]]


def test_an_objects_right_class_is_what_all_its_views_say_most() -> None:
    objects = np.zeros((1, 3), np.int32)
    maps = [
        (np.array([row], np.int32), objects) for row in ([1, 1, 1], [2, 2, 2], [2, 2, 2], [1, 1, 2])
    ]
    for seed in range(20):  # 5 against 7: class 2 is right, so of two classes 1 is wrong
        changed = corrupt_runs(maps, 1.0, 2, seed)
        assert [view.tolist() for view in changed] == [[[1, 1, 1]]] * 4


def test_no_views_and_no_objects_are_no_mistakes() -> None:
    assert corrupt_runs([], 0.5, N_CLASSES, 0) == []
    nothing = np.zeros((2, 2), np.int32), np.full((2, 2), -1, np.int32)
    assert corrupt_runs([nothing], 1.0, N_CLASSES, 0)[0].tolist() == [[0, 0], [0, 0]]


@given(st.lists(st.tuples(MAPS, OBJECTS), min_size=1, max_size=7), SEEDS)
def test_without_a_share_all_labels_stay(
    maps: list[tuple[np.ndarray, np.ndarray]], seed: int
) -> None:
    changed = corrupt_runs(maps, 0.0, N_CLASSES, seed)
    assert all(np.array_equal(new, old) for new, (old, _) in zip(changed, maps, strict=True))


@given(shown=st.lists(st.sets(st.integers(0, 3)), min_size=1, max_size=9), share=SHARES, seed=SEEDS)
def test_every_object_has_one_run_of_one_wrong_class(
    shown: list[set[int]], share: float, seed: int
) -> None:
    """View i shows the objects of ``shown[i]``, a column each; object k is of class k + 1."""
    columns = np.arange(4, dtype=np.int32)[None].repeat(2, axis=0)
    maps = [(columns + 1, np.where(np.isin(columns, list(some)), columns, -1)) for some in shown]
    changed = corrupt_runs(maps, share, N_CLASSES, seed)
    again = corrupt_runs(maps, share, N_CLASSES, seed)
    assert all(np.array_equal(a, b) for a, b in zip(changed, again, strict=True))
    for thing in range(4):
        seen = [view for view, some in enumerate(shown) if thing in some]
        found = [changed[view][0, thing] for view in seen]
        wrong = [place for place, label in enumerate(found) if label != thing + 1]
        assert len(wrong) == round(share * len(seen))
        assert wrong == list(range(wrong[0], wrong[-1] + 1)) if wrong else True
        assert len({found[place] for place in wrong}) <= 1
        for view in set(range(len(shown))) - set(seen):
            assert (changed[view][:, thing] == thing + 1).all()
    assert all((new[0] == new[1]).all() for new in changed)
