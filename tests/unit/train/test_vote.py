"""3DCS's vote: counted by hand, and whatever the maps are."""

from __future__ import annotations

from collections import Counter

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from semsplat.train import coherent
from semsplat.train.coherent import classes_of


def vote(classes: list[torch.Tensor], tracks: list[torch.Tensor], n_classes: int) -> torch.Tensor:
    n_regions = 1 + max(int(ids.max()) for ids in tracks)
    return coherent.vote(classes, tracks, n_classes, n_regions)


def maps(*rows: list[list[int]]) -> list[torch.Tensor]:
    return [torch.tensor(row) for row in rows]


def test_a_region_takes_the_most_frequent_class_of_its_three_supports():
    # region 0: class 1 three times in the middle, class 2 four times around; region 1: 3 alone
    tracks = maps([[0, 0, 0, 1]], [[0, 0, 5, 1]], [[0, 0, 5, 5]])
    classes = maps([[1, 1, 1, 3]], [[2, 2, 4, 4]], [[2, 2, 4, 4]])
    assert vote(classes, tracks, 4).tolist() == [[2, 2, 2, 3]]  # 1: one 3, one 4, the lowest


def test_within_its_view_alone_the_same_region_decides_otherwise():
    assert vote(maps([[1, 1, 1, 3]]), maps([[0, 0, 0, 1]]), 4).tolist() == [[1, 1, 1, 3]]


def test_ties_go_to_the_lowest_class():
    assert vote(maps([[3, 1, 2]]), maps([[7, 7, 7]]), 3).tolist() == [[1, 1, 1]]
    assert vote(maps([[3, 2], [2, 3]]), maps([[0, 0], [0, 0]]), 3).tolist() == [[2, 2], [2, 2]]


def test_pixels_in_no_region_are_ignored_and_do_not_vote():
    classes, tracks = maps([[1, 2, 2]], [[2, 2, 2]]), maps([[0, -1, -1]], [[-1, -1, -1]])
    assert vote(classes, tracks, 2).tolist() == [[1, 0, 0]]


def test_a_view_without_any_region_teaches_nothing():
    none = torch.full((2, 3), -1)
    assert vote([torch.ones(2, 3, dtype=torch.int64)], [none], 5).tolist() == [[0] * 3] * 2


def test_regions_of_a_neighbour_that_the_view_does_not_show_leave_no_trace():
    classes, tracks = maps([[1, 1]], [[2, 2]]), maps([[4, 4]], [[9, 9]])
    assert vote(classes, tracks, 2).tolist() == [[1, 1]]


def test_more_than_255_regions_keep_their_own_votes():
    tracks = torch.arange(400).view(20, 20)
    classes = tracks % 7 + 1
    assert torch.equal(vote([classes], [tracks], 7), classes)


def test_one_class_wins_everything():
    tracks = torch.tensor([[0, 1], [-1, 1]])
    assert vote([torch.ones(2, 2, dtype=torch.int64)], [tracks], 1).tolist() == [[1, 1], [0, 1]]


def test_the_class_of_a_pixel_is_the_argmax_and_the_lowest_of_several():
    assert classes_of(torch.tensor([[0.1, 0.9, 0.0], [0.5, 0.2, 0.5]])).tolist() == [2, 1]


@given(data=st.data(), n_views=st.integers(1, 3), n_classes=st.integers(1, 5))
def test_every_vote_is_the_one_counted_pixel_by_pixel(data, n_views, n_classes):
    def drawn(low, high):
        ids = arrays.arrays(np.int64, (3, 4), elements=st.integers(low, high))
        return [data.draw(ids) for _ in range(n_views)]

    classes, tracks = drawn(1, n_classes), drawn(-1, 4)
    found = vote([torch.from_numpy(c) for c in classes], [torch.from_numpy(t) for t in tracks],
                 n_classes).numpy()  # fmt: skip
    for region in np.unique(tracks[0]):
        here = tracks[0] == region
        cast = Counter(c for cs, ts in zip(classes, tracks, strict=True) for c in cs[ts == region])
        best = max(cast.values())
        winner = 0 if region < 0 else min(c for c, count in cast.items() if count == best)
        assert (found[here] == winner).all()
