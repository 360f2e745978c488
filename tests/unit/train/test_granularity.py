"""GAGS's loss terms, by hand."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from semsplat.train.granularity import (
    LevelMaps,
    absolute,
    entropy,
    fixed_weights,
    fused_regions,
    level_weights,
    mixture,
    plain_mean,
    region_mean,
    spread_by_area,
    spread_of_regions,
    squared,
    weighted_squares,
)

N = 1000  # regions that there may be
ALL = torch.ones(3, 1, 1, dtype=torch.bool)
TABLE = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, 0.0]])
THREE = LevelMaps(torch.tensor([0, 1, 2])[:, None, None], TABLE)


def pixels(*values: list[float]) -> Tensor:
    """Return a row of pixels [1, W, C]."""
    return torch.tensor([list(values)])


# Eq. 2


def test_weights_are_the_softmax_of_the_factors():
    found = level_weights(pixels([0.0, math.log(2), math.log(5)]), ALL)
    torch.testing.assert_close(found, pixels([1 / 8, 2 / 8, 5 / 8]))


def test_a_level_without_a_region_has_no_weight_and_gets_no_gradient():
    covered = torch.tensor([True, False, True])[:, None, None]
    factors = pixels([0.0, 9.0, math.log(3)]).requires_grad_()
    found = level_weights(factors, covered)
    torch.testing.assert_close(found, pixels([1 / 4, 0.0, 3 / 4]))
    entropy(found).sum().backward()
    assert factors.grad is not None
    assert factors.grad.isfinite().all() and factors.grad[0, 0, 1] == 0


def test_where_no_level_has_a_region_weights_are_still_finite():
    found = level_weights(pixels([0.0, 0.0, 0.0]), ~ALL)
    torch.testing.assert_close(found, pixels([1 / 3, 1 / 3, 1 / 3]))


def test_fixed_weights_are_shared_by_the_levels_that_are_there():
    covered = torch.tensor([[[True, True]], [[True, False]], [[False, False]]])
    average = torch.ones(3)
    torch.testing.assert_close(
        fixed_weights(average, covered), pixels([0.5, 0.5, 0.0], [1.0, 0.0, 0.0])
    )
    part = torch.tensor([0.0, 1.0, 0.0])
    torch.testing.assert_close(fixed_weights(part, covered), pixels([0, 1.0, 0], [0.0, 0, 0]))


# Eq. 3


def test_the_weighted_distance_by_hand():
    # |f - f_s|^2 = 0, |f - f_p|^2 = 2, |f - f_w|^2 = 4
    found = weighted_squares(pixels([1.0, 0.0]), THREE, pixels([0.5, 0.25, 0.25]))
    assert found.tolist() == [[0.5 + 1.0]]


def test_equal_weights_are_closest_to_the_normalised_mean():
    angles = torch.linspace(0, 2 * math.pi, 721)
    circle = torch.stack([angles.cos(), angles.sin()], dim=-1)[None]
    maps = LevelMaps(torch.tensor([0, 1, 1])[:, None, None].expand(-1, 1, 721), TABLE)
    losses = weighted_squares(circle, maps, torch.full((1, 721, 3), 1 / 3))
    best = circle[0, losses.argmin()]
    torch.testing.assert_close(best, torch.tensor([1.0, 2.0]) / math.sqrt(5), atol=0.01, rtol=0)


def test_the_distances_to_the_mixture_by_hand():
    mixed = mixture(THREE, pixels([0.5, 0.25, 0.25]))
    assert mixed.tolist() == [[[0.25, 0.25]]]
    assert squared(pixels([1.0, 0.0]), mixed).item() == 0.75**2 + 0.25**2
    assert absolute(pixels([1.0, 0.0]), mixed).item() == (0.75 + 0.25) / 2  # mean over channels


@given(st.integers(0, 2**32 - 1))
def test_the_distances_are_those_to_every_levels_vectors(seed: int):
    generator = torch.Generator().manual_seed(seed)
    vectors = torch.randn(4, 5, 8, generator=generator, dtype=torch.float64).requires_grad_()
    weights = torch.rand(4, 5, 3, generator=generator, dtype=torch.float64).requires_grad_()
    table = torch.randn(7, 8, generator=generator, dtype=torch.float64)
    table[-1] = 0
    maps = LevelMaps(torch.randint(-1, 6, (3, 4, 5), generator=generator), table)
    apart = vectors - maps.targets
    mixed = sum(weights[..., n, None] * maps.targets[n] for n in range(3))
    weighted = (weights.movedim(-1, 0) * apart.square().sum(dim=-1)).sum(dim=0)
    made = mixture(maps, weights)
    for found, expected in [
        (weighted_squares(vectors, maps, weights), weighted),
        (squared(vectors, made), (vectors - mixed).square().sum(dim=-1)),
        (absolute(vectors, made), (vectors - mixed).abs().mean(dim=-1)),
    ]:
        torch.testing.assert_close(found, expected)
        torch.testing.assert_close(
            torch.autograd.grad(found.square().sum(), (vectors, weights), retain_graph=True),
            torch.autograd.grad(expected.square().sum(), (vectors, weights), retain_graph=True),
        )


# Eq. 4


def test_the_entropy_of_uniform_weights():
    uniform = pixels([1 / 3, 1 / 3, 1 / 3])
    assert entropy(uniform).item() == pytest.approx(math.log(3) / 3, abs=1e-5)


def test_the_entropy_of_one_level_is_nothing():
    assert entropy(pixels([0.0, 1.0, 0.0])).item() == pytest.approx(0, abs=1e-5)


# Eq. 5


def test_all_regions_weigh_alike():
    losses = torch.tensor([[1.0, 1.0, 1.0, 5.0]])
    assert region_mean(losses, torch.tensor([[7, 7, 7, 2]]), N).item() == 3.0
    everywhere = torch.ones(1, 4, dtype=torch.bool)
    assert plain_mean(losses, everywhere).item() == 2.0


def test_pixels_without_a_region_do_not_count():
    losses = torch.tensor([[1.0, 100.0, 3.0]])
    assert region_mean(losses, torch.tensor([[4, -1, 0]]), N).item() == 2.0
    assert plain_mean(losses, torch.tensor([[True, False, True]])).item() == 2.0


def test_a_view_without_regions_costs_nothing_and_still_has_a_gradient():
    losses = torch.ones(2, 3, requires_grad=True)
    none = torch.full((2, 3), -1)
    total = region_mean(losses, none, N) + plain_mean(losses, none >= 0)
    maps = losses[..., None]
    total += spread_of_regions(maps, none, N) + spread_by_area(maps, none, N)
    total.backward()
    assert total.item() == 0 and losses.grad is not None and not losses.grad.any()


@given(st.integers(1, 6), st.integers(1, 5), st.integers(0, 1000))
def test_regions_of_equal_size_give_the_plain_mean(n_regions: int, size: int, seed: int) -> None:
    losses = torch.rand(n_regions, size, generator=torch.Generator().manual_seed(seed))
    regions = torch.arange(n_regions)[:, None].expand(-1, size)
    torch.testing.assert_close(region_mean(losses, regions, N), losses.mean())


def test_a_thousand_regions_are_summed_at_once():
    regions = torch.arange(1000).repeat(4).reshape(40, 100)
    losses = regions.double()
    assert region_mean(losses, regions, N).item() == pytest.approx(499.5)


# the fused map


def test_the_fused_region_is_of_the_level_that_weighs_most_around():
    ids = torch.stack([torch.full((7, 7), level) for level in (0, 1, 2)])
    weights = torch.zeros(7, 7, 3)
    weights[..., 1] = 1.0
    weights[3, 3] = torch.tensor([0.0, 0.0, 1.0])  # alone among 25
    assert (fused_regions(weights, ids) == 1).all()


def test_of_equal_levels_the_finest_counts():
    ids = torch.tensor([5, 6, 7])[:, None, None]
    assert fused_regions(pixels([1 / 3, 1 / 3, 1 / 3]), ids).item() == 5


# Eq. 6


def test_the_spread_of_regions_by_hand():
    maps = pixels([0.0, 0.0], [2.0, 0.0], [5.0, 5.0])
    regions = torch.tensor([[3, 3, 8]])
    # region 3: mean (1, 0), squares 1 + 1, over 2 pixels; region 8: nothing; of 2 regions
    assert spread_of_regions(maps, regions, N).item() == 0.5


def test_the_codes_spread_by_hand():
    maps = pixels([0.0, 0.0], [2.0, 0.0], [5.0, 5.0], [9.0, 9.0])
    regions = torch.tensor([[3, 3, 8, -1]])
    # region 3: unbiased variance 2 in x, 0 in y, mean 1, times 2 pixels, over 4; one pixel: none
    assert spread_by_area(maps, regions, N).item() == pytest.approx(0.5)


@given(st.integers(0, 1000))
def test_constant_regions_have_no_spread(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    regions = torch.randint(-1, 4, (5, 6), generator=generator)
    maps = torch.rand(5, 3, generator=generator)[regions]
    assert spread_of_regions(maps, regions, N).item() == pytest.approx(0, abs=1e-9)
    assert spread_by_area(maps, regions, N).item() == pytest.approx(0, abs=1e-9)
