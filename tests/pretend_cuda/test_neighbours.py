"""Neighbours in space, ranked on the GPU that holds the Gaussians."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from semsplat.train import spatial
from semsplat.train.spatial import Sample, draw_near, draw_sample
from tests.pretend_cuda.device import pretended_gpu

N = 400


@pytest.fixture
def means() -> Tensor:
    return torch.randn(N, 3, generator=torch.Generator().manual_seed(1))


def drawn(means: Tensor, pool: int, with_itself: bool, n_far: int = 5) -> Sample:
    random = np.random.default_rng(4)
    found = draw_sample(means, 30, pool, 3, n_far, with_itself, random)
    return Sample(*(tensor.cpu() for tensor in found))


@pytest.mark.parametrize("at_once", [2**25, 7 * N, 1])
@pytest.mark.parametrize("with_itself", [True, False])
def test_they_are_those_of_the_cpu(
    means: Tensor, at_once: int, with_itself: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = drawn(means, N, with_itself)
    monkeypatch.setattr(spatial, "DISTANCES_AT_ONCE", at_once)
    with pretended_gpu() as counts:
        found = drawn(means.to("cuda"), N, with_itself)
        assert counts.syncs.total() == 1 + 3  # the means were sent, and the answers fetched
    assert all(map(torch.equal, found, expected))


@pytest.mark.parametrize("count", [1, 2, 4])
def test_few_gaussians_are_all_there_is(means: Tensor, count: int) -> None:
    expected = drawn(means[:count], N, False)
    with pretended_gpu():
        found = drawn(means[:count].to("cuda"), N, False)
    assert all(map(torch.equal, found, expected))


def test_of_many_as_many_are_drawn_as_the_pool_holds_and_ranked_among_them(means: Tensor) -> None:
    with pretended_gpu():
        random = np.random.default_rng(4)
        chosen, near = (t.cpu() for t in draw_near(means.to("cuda"), 30, 50, 3, True, random))
        sample = drawn(means.to("cuda"), 50, True, n_far=50)
    pool = sample.far[0].unique()
    assert len(pool) == 50 and len(chosen.unique()) == 30
    assert torch.equal(chosen, sample.chosen) and torch.equal(near, sample.near)
    distances = torch.cdist(means[chosen], means[pool])
    assert torch.equal(near, pool[distances.topk(3, largest=False).indices])
