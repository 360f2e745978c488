"""GOI's table: where it starts, and the four terms of its loss, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from semsplat.train.lookup import Lookup, lookup_terms, spherical_means, start_of_table

LN3 = math.log(3)
X, Y, D = [1.0, 0.0], [0.0, 1.0], [0.6, 0.8]


def unit(count: int, dim: int = 4, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def terms(
    scores: list[list[float]], vectors: list[list[float]], table: list[list[float]], t: float = 1.0
) -> dict[str, float]:
    found = lookup_terms(torch.tensor(scores), torch.tensor(vectors), torch.tensor(table), t)
    return {name: value.item() for name, value in found.items()}


def test_the_head_learns_the_closest_row():
    # softmax (3/4, 1/4) of two pixels; the first is closest to row 0, the second to row 1
    found = terms([[LN3, 0.0]] * 2, [X, D], [[2.0, 0], [0, 0.5]])
    assert found["head"] == pytest.approx((2 * (1 / 4) ** 2 + 2 * (3 / 4) ** 2) / 4)


def test_the_table_learns_what_pixels_are_closest_to_and_what_the_head_names():
    found = terms([[LN3, 0.0]] * 2, [X, D], [[2.0, 0], [0, 0.5]])
    assert found["closest"] == pytest.approx(1 - (1 + 0.8) / 2)  # rows of any length
    assert found["chosen"] == pytest.approx(1 - (1 + 0.6) / 2)


@pytest.mark.parametrize("t", [1.0, 2.0])
def test_the_entropy_is_of_similarities_times_t(t):
    # similarities (1, 0) of the one pixel
    p = math.exp(t) / (1 + math.exp(t))
    expected = -p * math.log(p) - (1 - p) * math.log(1 - p)
    assert terms([[0.0, 0.0]], [X], [X, Y], t)["entropy"] == pytest.approx(expected)


def gradients(name: str) -> tuple[bool, bool]:
    """Tell whether a term moves the head's scores, and the table."""
    scores = torch.tensor([[LN3, 0.0], [0.0, LN3]], requires_grad=True)
    table = torch.tensor([[1.0, 0.2], [0.1, 1.0]], requires_grad=True)
    lookup_terms(scores, torch.tensor([X, D]), table, 1.0)[name].backward()
    return tuple(w.grad is not None and bool(w.grad.any()) for w in (scores, table))  # type: ignore[return-value]


def test_who_learns_by_which_term():
    assert gradients("head") == (True, False)  # the label is no path
    assert {gradients(name) for name in ("closest", "entropy", "chosen")} == {(False, True)}


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 30), st.integers(1, 12), st.integers(0, 100))
def test_centres_have_length_1_and_are_as_many_as_wanted(count, wanted, seed):
    vectors = np.unique(unit(count, seed=seed), axis=0)
    centres = spherical_means(vectors, wanted, 10, seed)
    assert centres.shape == (min(count, wanted), 4) and centres.dtype == np.float32
    assert np.linalg.norm(centres, axis=1) == pytest.approx(1, abs=1e-5)


def test_clusters_that_are_apart_are_found():
    groups = np.repeat(np.eye(3, dtype=np.float32), 20, axis=0) + 0.02 * unit(60, 3)
    groups /= np.linalg.norm(groups, axis=1, keepdims=True)
    best = max(
        (spherical_means(groups, 3, 10, seed) for seed in range(5)),
        key=lambda centres: (groups @ centres.T).max(axis=1).sum(),
    )
    assert sorted((best @ np.eye(3)).max(axis=1)) == pytest.approx([1, 1, 1], abs=1e-2)


def test_the_table_starts_from_clusters_of_distinct_vectors_of_views():
    # 90 pixels of one vector and one of another count alike: they are two distinct ones
    view = np.array([X] * 90 + [Y], np.float32)
    rows = start_of_table([view, np.array([D], np.float32)], 2, 9, 10, 0)
    assert np.array(sorted(rows.tolist())) == pytest.approx(np.array([Y, D, X]))
    one = start_of_table([view], 1, 9, 10, 0)
    assert one == pytest.approx(np.array([[math.sqrt(0.5)] * 2]), abs=1e-5)


def test_a_start_is_of_its_seed():
    views = [unit(60), unit(60, seed=1)]
    first, again, other = (start_of_table(views, 8, 5, 10, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_the_head_starts_as_xavier_says():
    weight = Lookup(10, 300, 4).head.weight.detach()
    bound = math.sqrt(6 / 310)
    assert weight.abs().max() <= bound and weight.std().item() == pytest.approx(
        bound / math.sqrt(3), rel=0.1
    )
