"""GOI's plane, against descent on every single pixel by automatic differentiation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from semsplat.train.hyperplane import hinge_plane, overlap

ROWS = np.array([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0], [-1.0, 0.0]])


def by_pixels(
    rows: np.ndarray, inside: np.ndarray, outside: np.ndarray, start: np.ndarray, steps: int
) -> np.ndarray:
    """Return the plane after steps of SGD at a rate of 0.01 on the mean hinge loss of pixels."""
    counts = np.concatenate([inside, outside])
    pixels = torch.from_numpy(np.repeat(np.concatenate([rows, rows]), counts, axis=0))
    signs = torch.from_numpy(np.repeat([1.0, -1.0], [inside.sum(), outside.sum()]))
    plane = torch.from_numpy(start.copy()).requires_grad_()
    descent = torch.optim.SGD([plane], lr=0.01)
    for _ in range(steps):
        descent.zero_grad()
        scores = pixels @ plane[:-1] + plane[-1]
        torch.relu(1 - signs * scores).mean().backward()
        descent.step()
    return plane.detach().numpy()


@settings(max_examples=30, deadline=None)
@given(
    arrays(np.int64, 4, elements=st.integers(0, 5)),
    arrays(np.int64, 4, elements=st.integers(0, 5)),
    arrays(np.float64, 3, elements=st.floats(-1, 1).map(lambda value: round(value, 3) + 1e-4)),
    st.integers(1, 40),
)
def test_counted_rows_are_pixels_step_for_step(inside, outside, start, steps):
    inside[0] += 1
    found = hinge_plane(ROWS, inside, outside, start, 0.01, enough=2.0, steps=steps)
    assert found == pytest.approx(by_pixels(ROWS, inside, outside, start, steps), abs=1e-12)


def test_rows_that_can_be_separated_are():
    inside, outside = np.array([50, 0, 0, 0]), np.array([0, 40, 90, 20])
    start = np.array([0.0, 1.0, 0.185])
    plane = hinge_plane(ROWS / 0.3438, inside, outside, start, 0.01, 1.0, 8000)
    scores = ROWS / 0.3438 @ plane[:-1] + plane[-1]
    assert (scores > 0).tolist() == [True, False, False, False]


def test_it_ends_as_soon_as_the_masks_agree_enough():
    inside, outside = np.array([9, 0, 0, 0]), np.array([1, 0, 30, 0])
    start = np.array([1.0, 0.0, 0.0])  # 9 of 10 already
    assert hinge_plane(ROWS, inside, outside, start, 0.01, 0.9, 100).tolist() == start.tolist()
    further = hinge_plane(ROWS, inside, outside, start, 0.01, 0.91, 100)
    assert further.tolist() != start.tolist()


def test_the_first_step_by_hand():
    # o = 0.5, 0: both short of their side by the margin; mean of -x and x over 4 pixels
    rows, start = np.array([[1.0], [0.0]]), np.array([0.5, 0.0])
    found = hinge_plane(rows, np.array([1, 0]), np.array([0, 3]), start, 0.1, 2.0, 1)
    assert found == pytest.approx([0.5 + 0.1 / 4, 0.1 * (1 - 3) / 4])


def test_what_is_right_by_the_margin_pulls_no_more():
    rows, start = np.array([[1.0], [-1.0]]), np.array([1.5, 0.0])
    found = hinge_plane(rows, np.array([1, 0]), np.array([0, 3]), start, 0.1, 2.0, 1)
    assert found.tolist() == start.tolist()


def test_it_starts_from_a_copy_and_takes_no_step_where_none_is_allowed():
    start = np.array([0.2, 0.1, 0.0])
    hinge_plane(ROWS, np.array([1, 0, 0, 0]), np.array([0, 1, 1, 1]), start, 0.1, 2.0, 5)
    assert start.tolist() == [0.2, 0.1, 0.0]
    found = hinge_plane(ROWS, np.ones(4, int), np.ones(4, int), start, 0.1, 2.0, 0)
    assert found.tolist() == start.tolist()


def test_the_overlap_is_that_of_pixels():
    inside, outside = np.array([3, 2, 0]), np.array([1, 0, 4])
    assert overlap(np.array([True, False, False]), inside, outside) == pytest.approx(3 / 6)
    assert overlap(np.array([True, True, True]), inside, outside) == pytest.approx(5 / 10)
    assert overlap(np.zeros(3, bool), inside, outside) == 0
