"""Volume rendering: weights by hand, samples where weights are, distortion."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from semsplat.radiance.volume import calmed, composed, distortion, resampled, weights_of


def test_weights_of_three_samples_by_hand():
    densities, lengths = torch.tensor([[1.0, 0.0, 2.0]]), torch.tensor([[0.5, 3.0, 0.25]])
    first = 1 - math.exp(-0.5)
    third = math.exp(-0.5) * (1 - math.exp(-0.5))
    assert weights_of(densities, lengths)[0].tolist() == pytest.approx([first, 0.0, third])


@given(st.lists(st.floats(0, 50), min_size=1, max_size=6))
def test_what_is_stopped_and_what_goes_through_are_all(densities):
    values = torch.tensor([densities])
    stopped = weights_of(values, torch.full_like(values, 0.3)).sum()
    assert float(stopped) == pytest.approx(1 - math.exp(-0.3 * sum(densities)), abs=1e-5)


def test_values_are_added_up_by_their_weights():
    weights, values = torch.tensor([[0.5, 0.25]]), torch.tensor([[[2.0, 0.0], [4.0, 8.0]]])
    assert composed(weights, values).tolist() == [[2.0, 2.0]]


def test_samples_go_where_the_weight_is():
    edges = torch.linspace(0, 1, 5)[None]
    found = resampled(edges, torch.tensor([[0.0, 0.0, 1.0, 0.0]]), 4, torch.full((1, 4), 0.5))
    expected = [0.5 + 0.25 * (k + 0.5) / 4 for k in range(4)]
    assert found[0].tolist() == pytest.approx(expected, abs=1e-3)


def test_even_weights_leave_samples_even_and_in_order():
    edges = torch.linspace(0, 1, 9)[None]
    found = resampled(edges, torch.full((1, 8), 0.125), 4, torch.full((1, 4), 0.5))
    assert found[0].tolist() == pytest.approx([0.125, 0.375, 0.625, 0.875])


def test_jitter_stays_in_its_stratum():
    edges, weights = torch.linspace(0, 1, 9)[None], torch.full((1, 8), 0.125)
    low, high = (resampled(edges, weights, 4, torch.full((1, 4), j)) for j in (0.0, 0.999))
    assert low[0].tolist() == pytest.approx([0, 0.25, 0.5, 0.75])
    assert high[0].tolist() == pytest.approx([0.25, 0.5, 0.75, 1.0], abs=1e-3)


def test_distortion_of_two_bins_by_hand():
    weights, edges = torch.tensor([[0.5, 0.25]]), torch.tensor([[0.0, 0.2, 0.6]])
    between = 2 * 0.5 * 0.25 * (0.4 - 0.1)
    within = (0.25 * 0.2 + 0.0625 * 0.4) / 3
    assert float(distortion(weights, edges)) == pytest.approx(between + within)


def test_distortion_is_the_sum_over_all_pairs():
    torch.manual_seed(0)
    weights, edges = torch.rand(3, 7), torch.rand(3, 8).sort(-1).values
    middles = (edges[:, 1:] + edges[:, :-1]) / 2
    apart = (middles[:, :, None] - middles[:, None]).abs()
    pairs = torch.einsum("ri,rj,rij->r", weights, weights, apart)
    own = (weights**2 * edges.diff(dim=-1)).sum(-1) / 3
    assert float(distortion(weights, edges)) == pytest.approx(float((pairs + own).mean()))


def test_calmed_values_stay_and_pass_a_share_of_gradients():
    values = torch.tensor([3.0, 5.0], requires_grad=True)
    out = calmed(values, torch.tensor([0.25, 1.0]))
    assert out.tolist() == [3.0, 5.0]
    out.sum().backward()
    assert values.grad.tolist() == [0.25, 1.0]
