"""CGC's spatial-similarity regularisation by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from semsplat.train.spatial import Sample, draw_sample, farthest, similarity_terms

LINE = torch.tensor([[0.0, 0, 0], [1, 0, 0], [3, 0, 0], [7, 0, 0], [15, 0, 0]])


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def sample_of(means: torch.Tensor, n_samples: int = 5, with_itself: bool = False) -> Sample:
    return draw_sample(means, n_samples, 100, 2, 3, with_itself, np.random.default_rng(0))


def test_neighbours_on_a_line():
    sample = sample_of(LINE)
    near = {int(i): set(n) for i, n in zip(sample.chosen, sample.near.tolist(), strict=True)}
    far = {int(i): f for i, f in zip(sample.chosen, sample.far.tolist(), strict=True)}
    assert near == {0: {1, 2}, 1: {0, 2}, 2: {0, 1}, 3: {1, 2}, 4: {2, 3}}
    assert far[0] == [4, 3, 2] and far[3][:2] == [4, 0] and far[4] == [0, 1, 2]


def test_the_codes_neighbours_begin_with_the_gaussian_itself():
    sample = sample_of(LINE, with_itself=True)
    assert torch.equal(sample.near[:, 0], sample.chosen)
    assert {int(i): int(n) for i, n in zip(sample.chosen, sample.near[:, 1], strict=True)} == {
        0: 1, 1: 0, 2: 1, 3: 2, 4: 3,
    }  # fmt: skip


def test_a_sample_is_random_but_of_its_seed():
    means = torch.randn(50, 3, generator=torch.Generator().manual_seed(1))
    first, again = sample_of(means, 10), sample_of(means, 10)
    other = draw_sample(means, 10, 100, 2, 3, False, np.random.default_rng(1))
    assert torch.equal(first.chosen, again.chosen) and len(set(first.chosen.tolist())) == 10
    assert not torch.equal(first.chosen, other.chosen)


def test_neighbours_come_from_the_pool():
    means = torch.randn(200, 3, generator=torch.Generator().manual_seed(1))
    sample = draw_sample(means, 8, 20, 2, 3, False, np.random.default_rng(0))
    pool = set(np.random.default_rng(0).permutation(200)[:20].tolist())
    assert {*sample.chosen.tolist(), *sample.near.flatten().tolist()} <= pool
    assert set(sample.far.flatten().tolist()) <= pool


@pytest.mark.parametrize("count", [1, 2, 4])
def test_few_gaussians_are_all_there_is(count: int):
    sample = sample_of(LINE[:count], n_samples=9)
    assert len(sample.chosen) == count and sample.far.shape == (count, min(3, count))


@settings(max_examples=40)
@given(seed=st.integers(0, 2**31), count=st.integers(5, 60), flat=st.booleans())
def test_the_farthest_are_those_of_all_distances(seed: int, count: int, flat: bool):
    points = np.random.default_rng(seed).normal(size=(count, 3))
    if flat:
        points[:, 2] = 0
    chosen = np.arange(3)
    distances = np.linalg.norm(points[chosen, None] - points[None], axis=-1)
    found = np.take_along_axis(distances, farthest(points, chosen, 5), axis=1)
    np.testing.assert_allclose(found, -np.sort(-distances, axis=1)[:, :5])


def pairs_with(near: list[float], far: list[float]) -> tuple[torch.Tensor, Sample]:
    """Return features of one Gaussian and of others at given cosines, and the sample of it."""
    cosines = torch.tensor([1.0, *near, *far])
    features = torch.stack([cosines, (1 - cosines.square()).clamp(min=0).sqrt()], dim=1)
    features = features * torch.arange(1, len(cosines) + 1)[:, None]  # lengths do not count
    places = torch.arange(1, len(cosines))[None]
    return features, Sample(torch.tensor([0]), places[:, : len(near)], places[:, len(near) :])


def test_the_terms_are_means_of_sigmoids():
    near, far = similarity_terms(*pairs_with([1.0, 0.2], [0.5, -1.0]), "each")
    assert near.item() == pytest.approx((sigmoid(0) + sigmoid(0.8)) / 2, rel=1e-5)
    assert far.item() == pytest.approx((sigmoid(0.5) + sigmoid(-1)) / 2, rel=1e-5)


def test_the_code_takes_the_sigmoid_of_the_mean():
    near, far = similarity_terms(*pairs_with([1.0, 0.2], [0.5, -1.0]), "mean")
    assert near.item() == pytest.approx(sigmoid(1 - 0.6), rel=1e-5)
    assert far.item() == pytest.approx(sigmoid(-0.25), rel=1e-5)


@pytest.mark.parametrize(
    ("cosine", "bounds"), [(1.0, (0.025, 0.10967)), (-1.0, (0.04404, 0.04034))]
)
def test_the_weighted_terms_reach_these_bounds(cosine: float, bounds: tuple[float, float]):
    near, far = similarity_terms(*pairs_with([cosine] * 2, [cosine] * 5), "each")
    assert (0.05 * near.item(), 0.15 * far.item()) == pytest.approx(bounds, abs=1e-4)


def test_positions_get_no_gradient():
    means = LINE.clone().requires_grad_()
    features = torch.randn(5, 4, requires_grad=True)
    near, far = similarity_terms(features, sample_of(means), "each")
    (near + far).backward()
    assert means.grad is None and features.grad is not None and features.grad.any()
