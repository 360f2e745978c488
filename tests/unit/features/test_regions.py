"""From masks to id maps, pinned to cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semsplat.conventions import NO_ID
from semsplat.features import regions
from semsplat.features.masks import Masks, no_masks, pooled, unpacked
from semsplat.features.regions import (
    intersections,
    painted,
    select_regions,
    without_nested,
    without_overlap,
)
from semsplat.params.features import Regions

EVERYTHING = Regions(
    pool=True,
    min_score=0.0,
    max_overlap=1.0,
    drop_nested=False,
    min_area_px=1,
    paint="listed",
    snap_px=None,
)


def strips(*spans: tuple[int, int], scores=None) -> Masks:
    """Masks on a picture of one row and 20 columns, each a span of columns."""
    masks = np.zeros((len(spans), 1, 20), bool)
    for mask, (start, stop) in zip(masks, spans, strict=True):
        mask[0, start:stop] = True
    values = np.ones(len(spans)) if scores is None else np.array(scores)
    return Masks(masks, values.astype(np.float32))


def spans_of(masks: Masks) -> list[tuple[int, int]]:
    return [(int(m[0].argmax()), int(20 - m[0][::-1].argmax())) for m in masks.masks]


def select(masks: Masks, **changes) -> list[tuple[int, int]]:
    return spans_of(select_regions(masks, EVERYTHING.model_copy(update=changes)))


def test_intersections_count_common_pixels():
    assert intersections(strips((0, 10), (5, 12))).tolist() == [[10, 5], [5, 7]]


def test_pixels_are_counted_in_parts(monkeypatch):
    masks = np.random.default_rng(0).uniform(size=(9, 5, 20)) < 0.5
    whole = intersections(Masks(masks, np.ones(9, np.float32)))
    monkeypatch.setattr(regions, "PIXELS_AT_ONCE", 7)
    assert np.array_equal(intersections(Masks(masks, np.ones(9, np.float32))), whole)
    assert whole[2, 5] == (masks[2] & masks[5]).sum()


def test_the_worse_of_two_overlapping_masks_goes():
    masks = strips((0, 10), (1, 10), (10, 20), scores=[0.5, 0.9, 0.7])  # IoU of the first two: 0.9
    assert select(masks, max_overlap=0.8) == [(1, 10), (10, 20)]
    assert select(masks, max_overlap=0.9) == [(0, 10), (1, 10), (10, 20)]


def test_a_dropped_mask_still_drops_others():
    # IoU 9/11 and 9/11 along the chain, 8/12 between its ends.
    masks = strips((0, 10), (1, 11), (2, 12), scores=[0.9, 0.8, 0.7])
    assert without_overlap(masks, intersections(masks), 0.8).tolist() == [True, False, False]


def test_equal_scores_rank_as_listed():
    masks = strips((0, 10), (0, 10))
    assert without_overlap(masks, intersections(masks), 0.8).tolist() == [True, False]


def test_the_contained_mask_of_a_nested_pair_goes_whichever_ranks_higher():
    masks = strips((0, 20), (3, 8), scores=[0.1, 0.9])
    assert select(masks, drop_nested=True) == [(0, 20)]


@pytest.mark.parametrize(
    ("inner", "outer", "nested"),
    [((0, 9), (0, 19), True), ((0, 10), (0, 20), False), ((0, 7), (1, 20), True),
     ((0, 6), (1, 20), False)],
)  # fmt: skip
def test_nesting_thresholds(inner, outer, nested):
    # 9/19 < 0.5; 10/20 is not; 6/7 = 0.857 inside; 5/6 = 0.833 is not 0.85.
    masks = strips(inner, outer)
    assert without_nested(intersections(masks)).tolist() == [not nested, True]


def test_low_scores_go_but_three_stay_where_all_would():
    masks = strips((0, 2), (3, 5), (6, 8), (9, 11), scores=[0.1, 0.4, 0.3, 0.2])
    assert select(masks, min_score=0.25) == [(3, 5), (6, 8)]
    assert select(masks, min_score=0.9) == [(3, 5), (6, 8), (9, 11)]
    two = strips((0, 2), (3, 5), scores=[0.1, 0.2])  # the released code would crash
    assert select(two, min_score=0.9) == [(0, 2), (3, 5)]


def test_small_masks_go_and_none_may_remain():
    assert select(strips((0, 2), (3, 9)), min_area_px=3) == [(3, 9)]
    assert select(strips((0, 2)), min_area_px=3) == []
    assert select(no_masks(1, 20)) == []


def test_painting_orders():
    masks = strips((0, 4), (2, 12), (3, 6), scores=[0.2, 0.9, 0.5])

    def row(paint):
        chosen = select_regions(masks, EVERYTHING.model_copy(update={"paint": paint}))
        return [spans_of(chosen)[i] if i >= 0 else None for i in painted(chosen, 0)[0, :13]]

    assert row("listed")[3] == (3, 6)  # the last of the list
    assert row("large_first")[3] == (3, 6)  # the smallest
    assert row("score_last")[3] == (2, 12)  # the best
    assert row("listed")[12] is None


def test_ids_start_where_they_are_told():
    ids = painted(strips((0, 4), (4, 6)), 100)
    assert ids.dtype == np.int16
    assert np.unique(ids).tolist() == [NO_ID, 100, 101]


def test_three_hundred_masks_get_three_hundred_ids():
    masks = np.eye(300, dtype=bool)[:, None]
    ids = painted(Masks(masks, np.ones(300, np.float32)), 0)
    assert ids[0].tolist() == list(range(300))


@given(st.integers(0, 5), st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_masks_survive_packing(count, height, width, seed):
    rng = np.random.default_rng(seed)
    masks = Masks(rng.random((count, height, width)) < 0.5, rng.random(count).astype(np.float32))
    again = unpacked(masks.packed())
    assert np.array_equal(again.masks, masks.masks)
    assert np.array_equal(again.scores, masks.scores)


@given(st.integers(1, 12), st.integers(0, 2**32 - 1), st.sampled_from(["listed", "large_first"]))
def test_selection_never_invents_and_never_empties(count, seed, paint):
    rng = np.random.default_rng(seed)
    masks = Masks(rng.random((count, 4, 5)) < 0.5, rng.random(count).astype(np.float32))
    config = EVERYTHING.model_copy(
        update={"min_score": 0.5, "max_overlap": 0.5, "drop_nested": True, "paint": paint}
    )
    chosen = select_regions(masks, config)
    given_masks = {m.tobytes() for m in masks.masks}
    assert all(m.tobytes() in given_masks for m in chosen.masks)
    assert len(chosen) <= count


def test_pooling_keeps_the_order_of_layers():
    layers = {"part": strips((0, 2)), "whole": strips((3, 5), (6, 8))}
    assert spans_of(pooled(layers.values())) == [(0, 2), (3, 5), (6, 8)]
