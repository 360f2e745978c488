"""Selection by a click: Eq. 6 worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from semsplat.evaluate.selection import DRAWN, THRESHOLD, cosine, query_features, selected
from tests.unit.data.scene_helpers import one_line_error

FEATURES = arrays(np.float32, (4, 5, 3), elements=st.floats(-8, 8, width=16))
QUERIES = arrays(np.float32, (2, 3), elements=st.floats(-8, 8, width=16))


def test_the_threshold_belongs_to_the_object() -> None:
    at = np.float32(THRESHOLD)
    around = [np.nextafter(at, np.float32(0)), at, np.nextafter(at, np.float32(1))]
    found = selected(torch.tensor(np.array(around)), THRESHOLD)
    assert found.tolist() == [False, True, True]
    # double precision is rounded first: 0.7 - 1e-12 is the same single-precision number
    assert selected(torch.tensor([0.7 - 1e-12], dtype=torch.float64), 0.7).tolist() == [True]


def test_cosines_of_known_angles() -> None:
    degrees = torch.tensor([0.0, 45.0, 46.0, 90.0, 180.0]).deg2rad()
    features = 3 * torch.stack([degrees.cos(), degrees.sin()], -1)  # [5, 2], lengths of 3
    found = cosine(features, torch.tensor([[0.5, 0.0]]))
    expected = [1, math.sqrt(0.5), math.cos(math.radians(46)), 0, -1]
    assert found.tolist() == [pytest.approx(expected, abs=1e-6)]
    # acos(0.7) = 45.57 degrees
    assert selected(found, THRESHOLD).tolist() == [[True, True, False, False, False]]


def test_orthogonal_features_are_two_objects() -> None:
    plane = torch.zeros(2, 3, 16)
    plane[:, 0, 0], plane[:, 1:, 1] = 2, 5
    queries = torch.stack([plane[0, 0], plane[1, 2]])
    left, right = selected(cosine(plane, queries), THRESHOLD)
    assert left.tolist() == [[True, False, False]] * 2
    assert torch.equal(right, ~left)


def test_a_feature_between_two_objects_can_be_of_both() -> None:
    features, queries = torch.tensor([[1.0, 1.0]]), torch.eye(2)
    assert selected(cosine(features, queries), THRESHOLD).all()  # cos 45 degrees = 0.707


def test_zeros_are_like_nothing_and_nan_selects_nothing() -> None:
    features = torch.tensor([[0.0, 0.0], [math.nan, 1.0], [1.0, 0.0]])
    found = cosine(features, torch.tensor([[1.0, 0.0], [0.0, 0.0]]))
    assert found[:, 0].tolist() == [0, 0] and found[1, 2] == 0
    assert found[:, 1].isnan().all()
    assert selected(found, THRESHOLD).tolist() == [[False, False, True], [False] * 3]


@given(FEATURES, QUERIES)
def test_objects_at_once_are_those_one_by_one(features: np.ndarray, queries: np.ndarray) -> None:
    plane, several = torch.tensor(features), torch.tensor(queries)
    found = cosine(plane, several)
    assert found.shape == (2, 4, 5) and (found.abs() <= 1 + 1e-6).all()
    for index in range(2):
        assert torch.allclose(found[index], cosine(plane, several[index : index + 1])[0])
    flat = cosine(plane.reshape(-1, 3), several)  # as Gaussians
    assert torch.allclose(found.reshape(2, -1), flat)


@given(FEATURES, QUERIES, st.floats(0.125, 8))
def test_lengths_do_not_matter(features: np.ndarray, queries: np.ndarray, factor: float) -> None:
    plane, several = torch.tensor(features), torch.tensor(queries)
    found = cosine(factor * plane, several / factor)
    assert torch.allclose(found, cosine(plane, several), atol=1e-5)


@given(FEATURES, QUERIES, st.floats(-1, 1), st.floats(-1, 1))
def test_a_higher_threshold_selects_no_more(
    features: np.ndarray, queries: np.ndarray, one: float, other: float
) -> None:
    found = cosine(torch.tensor(features), torch.tensor(queries))
    assert (selected(found, max(one, other)) <= selected(found, min(one, other))).all()


def counted(height: int = 3, width: int = 4) -> torch.Tensor:
    """Return [H, W, 2] with (x, y) at every pixel."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([x, y], -1).float()


def test_a_pixel_is_x_before_y_and_several_are_asked_at_once() -> None:
    found = query_features(counted(), torch.ones(3, 4), [(3, 1), (0, 2), (3, 1)], "a")
    assert found.tolist() == [[3, 1], [0, 2], [3, 1]]
    assert query_features(counted(), torch.ones(3, 4), [], "a").shape == (0, 2)


@pytest.mark.parametrize("pixel", [(4, 0), (0, 3), (-1, 0), (0, -1)])
def test_a_click_outside_the_picture(pixel: tuple[int, int]) -> None:
    with one_line_error(f"pixel ({pixel[0]}, {pixel[1]}) of view 'left/a'", "outside", "4x3"):
        query_features(counted(), torch.ones(3, 4), [(0, 0), pixel], "left/a")


def test_a_click_on_the_background() -> None:
    alpha = torch.ones(3, 4)
    alpha[1, 2] = DRAWN
    assert query_features(counted(), alpha, [(2, 1)], "a").tolist() == [[2, 1]]
    for value in (np.nextafter(np.float32(DRAWN), np.float32(0)), 0.0, math.nan):
        alpha[1, 2] = float(value)
        with one_line_error("pixel (2, 1) of view 'a'", "nothing is drawn", "click on"):
            query_features(counted(), alpha, [(2, 1)], "a")


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_click_on_a_feature_that_is_no_number(value: float) -> None:
    features = counted()
    features[1, 2, 0] = value
    assert query_features(features, torch.ones(3, 4), [(1, 1)], "a").tolist() == [[1, 1]]
    with one_line_error("pixel (2, 1) of view 'a'", "not a number", "train"):
        query_features(features, torch.ones(3, 4), [(2, 1)], "a")
