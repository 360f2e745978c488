"""Protocols of open-vocabulary search: numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from semsplat.data.annotations import Annotation
from semsplat.evaluate.boundary import iou
from semsplat.evaluate.protocols import (
    localisation,
    localisation_scaled,
    segmentation,
    segmentation_frozen,
)
from semsplat.evaluate.relevancy import relevancy
from semsplat.evaluate.smoothing import blended, box_mean, majority, scaled_px, strongest

SHARES = st.floats(0, 1, width=16)
MAPS = arrays(np.float16, st.tuples(st.integers(1, 3), st.just(9), st.just(12)), elements=SHARES)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


# relevancy


def test_relevancy_is_the_smallest_of_the_pairwise_softmaxes() -> None:
    vectors = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
    canonical = torch.tensor([[0.0, 1.0], [0.8, 0.6]])
    found = relevancy(vectors, torch.tensor([1.0, 0.0]), canonical)
    # similarity to the prompt 1, 0, 0.6; to the better canonical phrase 0.8, 1, 0.96
    assert found.tolist() == pytest.approx([sigmoid(2), sigmoid(-10), sigmoid(-3.6)])
    half = relevancy(vectors, torch.tensor([1.0, 0.0]), canonical, temperature=1)
    assert half.tolist() == pytest.approx([sigmoid(0.2), sigmoid(-1), sigmoid(-0.36)])


@given(arrays(np.float64, (2, 3, 4), elements=st.floats(-1, 1)), st.integers(1, 3))
def test_prompts_come_first_whatever_the_shape_of_the_vectors(
    vectors: np.ndarray, n_prompts: int
) -> None:
    rng = np.random.default_rng(n_prompts)
    query, canonical = torch.tensor(rng.normal(size=(n_prompts, 4))), torch.eye(4).double()
    found = relevancy(torch.tensor(vectors), query, canonical)
    assert found.shape == (n_prompts, 2, 3)
    for p, y, x in np.ndindex(*found.shape):
        f, q = vectors[y, x], query[p].numpy()
        pairwise = [
            math.exp(10 * f @ q) / (math.exp(10 * f @ q) + math.exp(10 * f @ c))
            for c in canonical.numpy()
        ]
        assert found[p, y, x].item() == pytest.approx(min(pairwise))


# smoothing


def test_an_even_window_leans_to_the_top_left_and_the_border_is_mirrored() -> None:
    counted = 10.0 * np.arange(3)[:, None] + np.arange(3)
    (found,) = box_mean(counted[None], 2)
    # at (0, 0) rows 1 and 0, columns 1 and 0; repeating the edge would give 0
    assert found[0, 0] == pytest.approx((0 + 1 + 10 + 11) / 4)
    assert found[1, 1] == pytest.approx((0 + 1 + 10 + 11) / 4)
    assert found[0, 2] == pytest.approx((1 + 2 + 11 + 12) / 4)
    assert found[2, 2] == pytest.approx((11 + 12 + 21 + 22) / 4)
    (wide,) = box_mean(counted[None], 3)
    assert wide[0, 0] == pytest.approx((0 + 2 * 1 + 2 * 10 + 4 * 11) / 9)


def test_thirty_pixels_reach_fifteen_back_and_fourteen_on() -> None:
    impulse = np.zeros((1, 80, 90))
    impulse[0, 40, 45] = 900
    (found,) = box_mean(impulse, 30)
    assert np.argwhere(found > 0.5).tolist() == [
        [y, x] for y in range(26, 56) for x in range(31, 61)
    ]
    assert found[26:56, 31:61] == pytest.approx(1)


def test_the_level_with_the_largest_smoothed_maximum_answers() -> None:
    levels = np.full((2, 40, 40), 0.1)
    levels[0, 20, 20] = 1.0  # a spike, of which smoothing leaves half
    levels[1, 4:36, 4:36] = 0.8
    assert blended(levels, 30).max() == pytest.approx(0.8)
    assert strongest(levels) == 0 and strongest(levels[[1, 1]]) == 0


def majority_by_definition(mask: np.ndarray, radius: int, short: int) -> np.ndarray:
    height, width = mask.shape
    found = np.zeros_like(mask)
    for y, x in np.ndindex(height, width):
        rows = slice(max(0, y - radius), min(y + radius + 1, height - short))
        columns = slice(max(0, x - radius), min(x + radius + 1, width - short))
        window = mask[rows, columns]
        found[y, x] = window.sum() > window.size / 2
    return found


@given(
    arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=9)),
    st.integers(0, 3),
    st.integers(0, 1),
)
def test_the_majority_is_counted_in_the_window(mask: np.ndarray, radius: int, short: int) -> None:
    assert np.array_equal(
        majority(mask, radius, short), majority_by_definition(mask, radius, short)
    )


def test_the_published_majority_never_asks_the_last_row_and_column() -> None:
    mask = np.zeros((9, 9), bool)
    mask[5:, 5:] = True
    changed = mask.copy()
    changed[-1] = changed[:, -1] = False
    assert np.array_equal(majority(mask, 3, 1), majority(changed, 3, 1))
    # the corner's window ends at 8: 3 x 3 pixels, all of them set
    assert majority(mask, 3, 1)[8, 8] and majority(changed, 3, 1)[8, 8]


@pytest.mark.parametrize(
    ("height_px", "window_px", "voters_px"),
    [(730, 30, 7), (120, 5, 1), (48, 2, 1), (1, 1, 1), (365, 15, 3), (1460, 60, 15), (230, 9, 3)],
)
def test_windows_are_a_share_of_the_height(height_px: int, window_px: int, voters_px: int) -> None:
    assert scaled_px(30, height_px) == window_px
    assert scaled_px(7, height_px, odd=True) == voters_px


# localisation


def boxes(*rows: list[float]) -> np.ndarray:
    return np.array(rows, np.float64)


def spike(y: int = 40, x: int = 45) -> np.ndarray:
    found = np.zeros((1, 80, 90))
    found[0, y, x] = 1
    return found


@pytest.mark.parametrize(
    ("box", "hit"),
    [
        ([31, 26, 31, 26], 1),  # the first of 30 x 30 candidates: edges belong to a box
        ([60, 55, 80, 79], 1),
        ([61, 26, 80, 79], 0),
        ([0, 0, 30.5, 79], 0),
        ([0, 0, 31, 79], 1),
        ([60, 55, 31, 26], 1),  # corners the other way round
    ],
)
def test_any_pixel_with_the_maximum_may_lie_in_any_box(box: list[float], hit: int) -> None:
    assert localisation.hit(spike(), boxes(box)) == hit
    elsewhere = [0.0, 0.0, 2.0, 2.0]
    assert localisation.hit(spike(), boxes(elsewhere, box)) == hit
    assert localisation.hit(spike(), boxes(elsewhere)) == 0


def test_of_several_levels_one_is_asked() -> None:
    levels = np.concatenate([spike(20, 20) * 0.5, spike(60, 70)])
    assert localisation.hit(levels, boxes([70, 60, 70, 60])) == 1
    assert localisation.hit(levels, boxes([20, 20, 20, 20])) == 0
    assert localisation.hit(levels[::-1], boxes([70, 60, 70, 60])) == 1


def test_all_of_a_constant_map_is_its_maximum() -> None:
    for value in (0.0, 0.37, 1.0):
        flat = np.full((1, 40, 50), value, np.float16)
        assert localisation.hit(flat, boxes([49, 39, 49, 39])) == 1


def test_the_scaled_window_lets_small_things_be_found() -> None:
    # 73 pixels high: a window of 3; a weak large patch and a strong small one
    small = np.zeros((1, 73, 90))
    small[0, 50:70, 60:80] = 0.6
    small[0, 8:12, 8:12] = 0.9
    found = boxes([8, 8, 11, 11])
    assert localisation_scaled.hit(small, found) == 1
    assert localisation.hit(small, found) == 0


def test_at_the_height_of_lerf_both_windows_are_the_same() -> None:
    tall = np.zeros((1, 730, 60))
    tall[0, 300, 30] = 1
    for x in range(10, 50):
        box = boxes([x, 0, x, 729])
        assert localisation.hit(tall, box) == localisation_scaled.hit(tall, box)


@given(MAPS)
def test_a_box_of_the_whole_picture_is_always_hit(maps: np.ndarray) -> None:
    whole = boxes([0, 0, 11, 8])
    assert localisation.hit(maps, whole) == localisation_scaled.hit(maps, whole) == 1
    halves = boxes([0, 0, 5, 8]), boxes([6, 0, 11, 8])
    assert sum(localisation.hit(maps, half) for half in halves) >= 1


# segmentation


def test_the_threshold_is_seven_tenths_of_the_range() -> None:
    values = np.array([[0.0, 0.69, 0.71, 1.0]])
    assert segmentation.cut(values).tolist() == [[False, False, True, True]]
    # of the range, not of the value: [0.2, 0.8] scaled and shifted
    assert segmentation.cut(0.2 + 0.6 * values).tolist() == [[False, False, True, True]]


def test_a_whole_map_is_smoothed_cut_and_voted() -> None:
    stripes = np.repeat(0.2 + 0.6 * np.array([0, 0.69, 0.71, 1]), 60)
    mask = segmentation.mask_of(np.tile(stripes, (1, 80, 1)))
    for index, inside in enumerate((False, False, True, True)):
        # further from the stripe's edges than the window and the vote reach
        assert (mask[:, 60 * index + 20 : 60 * index + 40] == inside).all()


def test_what_is_smaller_than_the_vote_is_gone() -> None:
    picture = np.zeros((1, 80, 90))
    picture[0, 40:44, 45:49] = 1  # 16 of 49 pixels
    assert not segmentation.mask_of(picture).any()
    picture[0, 36:46, 41:51] = 1
    assert segmentation.mask_of(picture)[41, 46]


@pytest.mark.parametrize("value", [0.0, 0.37, 0.5, 1.0])
def test_a_constant_map_has_no_range_and_an_empty_mask(value: float) -> None:
    flat = np.full((2, 40, 50), value, np.float16)
    assert not segmentation.mask_of(flat).any()
    whole = Annotation(np.ones((40, 50), bool), np.empty((0, 4)))
    assert segmentation.score(flat, whole) == {"query_miou": 0}
    assert segmentation_frozen.mask_of(flat).all() == (value > 0.5)


@given(MAPS, st.floats(0.25, 0.75), st.floats(0.1, 0.24))
def test_the_published_mask_does_not_know_how_relevant_anything_is(
    maps: np.ndarray, centre: float, spread: float
) -> None:
    """Squeezing a map into a small range changes nothing: a prompt that is nowhere has a mask."""
    one = maps[:1].astype(np.float64)
    smooth = blended(one, segmentation.WINDOW_PX)
    steps = np.abs((smooth - smooth.min()) / max(np.ptp(smooth), 1e-9) - 0.7)
    if np.ptp(smooth) > 1e-3 and steps.min() > 1e-6:
        squeezed = centre + spread * (one - 0.5)
        assert np.array_equal(segmentation.mask_of(one), segmentation.mask_of(squeezed))


def test_the_frozen_majority_is_of_the_pictures_height() -> None:
    maps = np.random.default_rng(3).random((3, 220, 16)) * 1.2 - 0.1
    voting = segmentation_frozen.smoothed(maps) > 0.5
    found = segmentation_frozen.mask_of(maps)
    # 7 of 730 pixels are 2.1 of 220, the nearest odd number is 3: a pixel and its neighbours
    assert np.array_equal(found, majority(voting, 1, short_px=0))
    assert not np.array_equal(found, voting)


def test_the_frozen_threshold_is_one_half_and_looks_at_nothing_else() -> None:
    # 12 pixels high: windows of one pixel, so that nothing is smoothed
    maps = np.full((1, 12, 16), 0.45)
    maps[0, 4, 5] = 0.5
    assert not segmentation_frozen.mask_of(maps).any()
    assert segmentation.mask_of(maps + 0.0).shape == (12, 16)
    maps[0, 4, 5] = maps[0, 11, 15] = 0.51
    assert np.argwhere(segmentation_frozen.mask_of(maps)).tolist() == [[4, 5], [11, 15]]


@given(MAPS)
def test_more_relevancy_never_makes_the_frozen_mask_smaller(maps: np.ndarray) -> None:
    one = maps[:1].astype(np.float64)
    less, more = segmentation_frozen.mask_of(one), segmentation_frozen.mask_of(one + 0.1)
    assert not (less & ~more).any()


def test_iou_of_masks() -> None:
    left, middle = np.zeros((2, 4), bool), np.zeros((2, 4), bool)
    left[:, :2] = middle[:, 1:3] = True
    assert iou(left, middle) == pytest.approx(2 / 6)
    assert iou(left, left) == 1 and iou(left, ~left) == 0
    assert iou(left & ~left, left & ~left) == 0
