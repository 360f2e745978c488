"""Protocols of masks: overlaps, boundaries and class maps worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from semsplat.conventions import NO_ID
from semsplat.evaluate.boundary import boundary_iou, boundary_px, inner_boundary, iou
from semsplat.evaluate.cases import Case
from semsplat.evaluate.protocols import argmax, mask_classes, mask_pairs

MASKS = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=12))
TWO = arrays(bool, st.tuples(st.just(2), st.integers(1, 12), st.integers(1, 12)))
THREE = arrays(bool, st.tuples(st.just(3), st.integers(1, 8), st.integers(1, 8)))


def box(x1: int, y1: int, x2: int, y2: int, size: tuple[int, int] = (16, 12)) -> np.ndarray:
    """Return a mask of the pixels from (x1, y1) to (x2, y2), both included; size is (W, H)."""
    mask = np.zeros(size[::-1], bool)
    mask[y1 : y2 + 1, x1 : x2 + 1] = True
    return mask


# boundaries


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [
        (12, 16, 1),  # 0.02 x 20 = 0.4, at least 1
        (45, 60, 2),  # 0.02 x 75 = 1.5, to the even number as the script
        (75, 100, 2),  # 2.5, to the even number
        (78, 104, 3),  # 2.6
        (730, 986, 25),  # LERF: 0.02 x 1226.8
        (1, 1, 1),
    ],
)
def test_the_boundary_is_two_percent_of_the_diagonal(
    height: int, width: int, expected: int
) -> None:
    assert boundary_px(height, width) == boundary_px(width, height) == expected


def eroded_by_definition(mask: np.ndarray, times: int) -> np.ndarray:
    for _ in range(times):
        padded = np.pad(mask, 1)
        shifted = [
            padded[y : y + mask.shape[0], x : x + mask.shape[1]] for y in range(3) for x in range(3)
        ]
        mask = np.all(shifted, axis=0)
    return mask


@given(MASKS)
def test_a_boundary_is_what_erosion_takes_away(mask: np.ndarray) -> None:
    assert np.array_equal(inner_boundary(mask), mask & ~eroded_by_definition(mask, 1))


@given(arrays(bool, (2, 2)), arrays(bool, (2, 2)))
def test_wide_boundaries_are_repeated_erosions(coarse: np.ndarray, holes: np.ndarray) -> None:
    mask = np.kron(coarse, np.ones((39, 52), bool))  # 78 x 104: three erosions
    mask[20:22, 30:32] &= holes
    assert np.array_equal(inner_boundary(mask), mask & ~eroded_by_definition(mask, 3))


def test_a_mask_has_a_boundary_at_the_picture_s_border() -> None:
    whole = np.ones((4, 5), bool)
    expected = whole.copy()
    expected[1:3, 1:4] = False
    assert np.array_equal(inner_boundary(whole), expected)


@given(MASKS)
def test_only_an_empty_mask_has_no_boundary(mask: np.ndarray) -> None:
    edge = inner_boundary(mask)
    assert edge.any() == mask.any()
    assert not (edge & ~mask).any()


def test_half_overlapping_squares() -> None:
    left, right = box(2, 2, 5, 5), box(4, 2, 7, 5)  # 4 x 4 each, 2 columns in common
    found = mask_pairs.score(left, right)
    assert found["mask_miou"] == pytest.approx(8 / 24)
    # rings of 12 pixels.  In the common columns 4 and 5: rows 2 and 5 of both rings, 4 pixels;
    # in rows 3 and 4 column 4 is only the right one's and column 5 only the left one's
    assert found["mask_mbiou"] == pytest.approx(4 / (12 + 12 - 4))


def test_a_filled_hole_costs_the_boundary_more_than_the_area() -> None:
    ring, disc = box(1, 1, 9, 9) & ~box(5, 5, 5, 5), box(1, 1, 9, 9)
    found = mask_pairs.score(disc, ring)
    assert found["mask_miou"] == pytest.approx(80 / 81)
    assert found["mask_mbiou"] == pytest.approx(32 / (32 + 8))  # the 8 pixels around the hole


@given(TWO)
def test_overlaps_are_shares_and_symmetric(masks: np.ndarray) -> None:
    one, other = masks
    for measure in (iou, boundary_iou):
        assert 0 <= measure(one, other) <= 1
        assert measure(one, other) == measure(other, one)
        assert measure(one, one) == (1 if one.any() else 0)
    assert (iou(one, other) == 1) == (np.array_equal(one, other) and one.any())


def test_a_hole_narrower_than_the_boundary_is_not_seen_by_it() -> None:
    disc, ring = box(1, 1, 3, 3), box(1, 1, 3, 3) & ~box(2, 2, 2, 2)
    assert mask_pairs.score(ring, disc) == pytest.approx({"mask_miou": 8 / 9, "mask_mbiou": 1})


@given(TWO, st.integers(1, 3))
def test_iou_does_not_depend_on_the_size_of_pixels(masks: np.ndarray, factor: int) -> None:
    one, other = (np.kron(mask, np.ones((factor, factor), bool)) for mask in masks)
    assert iou(one, other) == pytest.approx(iou(*masks))


@given(TWO, st.booleans(), st.booleans())
def test_mirrored_and_turned_pictures_score_the_same(
    masks: np.ndarray, turned: bool, mirrored: bool
) -> None:
    one, other = (m.T if turned else m for m in (masks[..., ::-1] if mirrored else masks))
    assert mask_pairs.score(one, other) == mask_pairs.score(*masks)


# classes


def pair(prompt: str, miou: float, mbiou: float) -> Case:
    """Return a pair that scored so."""
    return Case(
        "a view", prompt, True, {mask_classes.NAME: {"mask_miou": miou, "mask_mbiou": mbiou}}
    )


def test_a_prompt_is_averaged_over_views_before_all_prompts_are() -> None:
    often = [pair("often seen", 1, 0.25), pair("often seen", 1, 0.5), pair("often seen", 0.4, 0.75)]
    cases = [*often, pair("seen once", 0.0, 0.25)]
    found = mask_classes.aggregate(cases)
    assert found == pytest.approx({"class_miou": 0.4, "class_mbiou": 0.375})
    assert mask_classes.aggregate([]) == {}


# argmax


def argmax_of(classes: np.ndarray, prompts: list[str], truth: dict[str, np.ndarray]) -> float:
    return argmax.score(argmax.PromptMap(classes, prompts), truth)["argmax_miou"]


def test_the_smaller_of_overlapping_masks_holds() -> None:
    table, cup, plate = box(0, 4, 9, 9), box(2, 2, 4, 6), box(4, 5, 6, 9)  # 60, 15, 15 pixels
    found = argmax.truth_map({"table": table, "cup": cup, "plate": plate})
    assert (found[2:7, 2:5] == 1).all()  # of equal ones the first
    assert (found[7:10, 4:7] == 2).all() and found[5, 5] == 2
    assert (found[~(table | cup | plate)] == NO_ID).all()
    assert (found == 0).sum() == 60 - 9 - 13  # of the cup 9 lie on the table; of the plate 15 - 2


def test_a_class_map_worked_out_by_hand() -> None:
    truth = {"left": box(0, 0, 1, 3, (6, 4)), "right": box(2, 0, 3, 3, (6, 4))}  # 8 pixels each
    classes = np.full((4, 6), -1, np.int16)
    classes[:, :3], classes[:, 4:] = 1, 0  # "left" up to column 2, "right" on void only
    # left: 8 of 12 pixels; right: nothing but its four pixels without a class
    assert argmax_of(classes, ["right", "left"], truth) == pytest.approx((8 / 12 + 0) / 2)
    classes[:, 3] = 0
    assert argmax_of(classes, ["right", "left"], truth) == pytest.approx((8 / 12 + 4 / 8) / 2)


def test_a_prompt_without_prediction_is_wrong_and_one_not_shown_does_not_count() -> None:
    truth = {"left": box(0, 0, 1, 3, (6, 4)), "right": box(2, 0, 3, 3, (6, 4))}
    classes = np.where(truth["left"], 0, -1).astype(np.int16)
    assert argmax_of(classes, ["left"], truth) == 1 / 2
    assert argmax_of(classes, ["left", "elsewhere"], truth) == 1 / 2
    assert argmax_of(classes, [], truth) == 0


def test_a_mask_under_smaller_ones_is_not_asked_for() -> None:
    left, right = box(0, 0, 1, 3, (4, 4)), box(2, 0, 3, 3, (4, 4))
    truth = {"both": left | right, "left": left, "right": right}
    classes = np.where(left, 1, 0).astype(np.int16)
    assert argmax_of(classes, ["right", "left", "both"], truth) == 1


@given(THREE, st.permutations(range(3)))
def test_the_truth_scores_one_however_prompts_are_ordered(
    masks: np.ndarray, order: list[int]
) -> None:
    truth = {f"prompt {i}": mask for i, mask in enumerate(masks) if mask.any()}
    if truth:
        actual, names = argmax.truth_map(truth), list(truth)
        prompts = [f"prompt {i}" for i in order]
        rows = np.array([*(prompts.index(name) for name in names), -1], np.int16)
        assert argmax_of(rows[actual], prompts, truth) == 1
        nothing = np.full(actual.shape, -1, np.int16)
        assert argmax_of(nothing, prompts, truth) == 0


@given(THREE, arrays(np.int16, (8, 8), elements=st.integers(-1, 2)))
def test_what_is_said_on_void_pixels_does_not_count(masks: np.ndarray, classes: np.ndarray) -> None:
    truth = {f"prompt {i}": mask for i, mask in enumerate(masks) if mask.any()}
    if truth:
        said = classes[: masks.shape[1], : masks.shape[2]]
        silent = np.where(argmax.truth_map(truth) == NO_ID, -1, said).astype(np.int16)
        prompts = [f"prompt {i}" for i in range(3)]
        assert argmax_of(said, prompts, truth) == argmax_of(silent, prompts, truth)
