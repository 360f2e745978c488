"""The adjoint of blending, and means by it: by the reference's weights and by hand."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import Tensor
from torch.nn import ParameterDict

from semsplat.fit.adjoint import adjoint
from semsplat.fit.views import Camera
from semsplat.splat.gaussians import activated, gaussians_from_points
from semsplat.splat.reference import rasterize_reference
from semsplat.train import lifting
from semsplat.train.lifting import WeightedMean, region_weights, regions_of
from tests.unit.train.lift_helpers import FAR, NEAR, X, cameras, stage_of_two, two_layers

SIZE = 7, 5


@pytest.fixture
def crowd() -> ParameterDict:
    """Twenty Gaussians in front of the camera, three behind it."""
    generator = torch.Generator().manual_seed(3)
    points = torch.rand(20, 3, generator=generator) * torch.tensor([4.0, 3, 2]) - 1.5
    points[:, 2] += 4
    points[:3, 2] *= -1
    colours = torch.zeros(20, 3, dtype=torch.uint8).numpy()
    gaussians = gaussians_from_points(points.numpy(), colours, 0.6, 1.0, generator)
    return gaussians.requires_grad_(False)


def camera() -> Camera:
    K = torch.tensor([[6.0, 0, 3.5], [0, 6, 2.5], [0, 0, 1]])
    return Camera("view", torch.eye(4), K, *SIZE)


def weights_of(gaussians: ParameterDict) -> Tensor:
    """Return the reference's weights [H, W, N]: what Gaussians of one channel each look like."""
    means, quats, scales, opacities = activated(gaussians)
    quats, seen = quats / quats.norm(dim=-1, keepdim=True), camera()
    shapes = means, quats, scales, opacities, torch.eye(len(means))
    return rasterize_reference(*shapes, seen.viewmat, seen.K, *SIZE)[0]


def test_one_pixel_a_channel_lifts_the_weights_of_blending(crowd):
    pixels = torch.eye(35).reshape(5, 7, 35)
    found = adjoint(crowd, camera(), pixels)
    expected = weights_of(crowd)
    assert ((expected > 0).sum(dim=(0, 1)) > 0).sum() == 17
    assert torch.allclose(found.T.reshape(5, 7, 20), expected, rtol=1e-4, atol=1e-6)


def test_the_adjoint_is_one_of_blending(crowd):
    """<A x, f> = <x, A^T f> for any x and f."""
    generator = torch.Generator().manual_seed(2)
    held, picture = (torch.rand(*size, generator=generator) for size in ((20, 4), (5, 7, 4)))
    shown = weights_of(crowd) @ held
    lifted_up = (held * adjoint(crowd, camera(), picture)).sum()
    assert (shown * picture).sum().item() == pytest.approx(lifted_up.item(), rel=1e-4)


def test_a_region_weighs_what_its_pixels_weigh_together(crowd):
    ids = torch.randint(-1, 4, (5, 7), generator=torch.Generator().manual_seed(1))
    rows = torch.tensor([3, 0])
    expected = [weights_of(crowd)[ids == row].sum(dim=0) for row in (3, 0)]
    found = region_weights(partial(adjoint, crowd, camera()), ids, rows)
    assert torch.allclose(found, torch.stack(expected, dim=1), atol=1e-5)


def test_regions_come_so_many_at_once_and_none_is_no_region(monkeypatch):
    monkeypatch.setattr(lifting, "AT_ONCE", 2)
    ids = torch.tensor([[5, -1, 2], [7, 2, 5]])
    assert [rows.tolist() for rows in regions_of(ids)] == [[2, 5], [7]]
    assert regions_of(torch.full((2, 2), -1)) == []


def by_hand() -> tuple[Tensor, Tensor]:
    """Return sums of weighted vectors [2, 2, 2] and weights [2, 2] of the first view's pixels."""
    pairs = [torch.tensor(pair) for pair in (NEAR, FAR)]
    fine = torch.stack(pairs)  # x in the first pixel, y in the second
    coarse = torch.stack([pair[1] * torch.tensor(X) for pair in pairs])
    return torch.stack([fine, coarse], dim=1), torch.stack(
        [torch.stack([pair.sum(), pair[1]]) for pair in pairs]
    )


@pytest.mark.parametrize("at_once", [1, 32])
@pytest.mark.parametrize("unit", [False, True])
def test_two_gaussians_and_two_pixels_by_hand(tmp_path, monkeypatch, at_once, unit):
    monkeypatch.setattr(lifting, "AT_ONCE", at_once)
    stage = stage_of_two(two_layers(tmp_path))
    lift = WeightedMean(stage, unit)
    first, second = cameras(stage)
    lift.add(first)
    sums, weights = by_hand()
    assert torch.allclose(lift.sums, sums, atol=1e-5)
    assert torch.allclose(lift.weights, weights, atol=1e-5)
    lift.add(second)  # which says y on both pixels of the fine layer, and nothing else
    for row, pair in enumerate((NEAR, FAR)):
        sums[row, 0, 1] += sum(pair)
        weights[row, 0] += sum(pair)
    expected = sums / weights[..., None]
    if unit:
        expected = expected / expected.norm(dim=-1, keepdim=True)
    assert lift.numbers() == {"seen": 1.0}
    assert torch.allclose(lift.held(), expected.flatten(1), atol=1e-5)


def test_views_come_in_any_order_and_a_saved_state_continues(tmp_path):
    stage = stage_of_two(two_layers(tmp_path))
    first, second = cameras(stage)
    whole, begun, rest = (WeightedMean(stage, False) for _ in range(3))
    for seen in (first, second):
        whole.add(seen)
    begun.add(second)
    rest.load_state_dict({k: v.clone() for k, v in begun.state_dict().items()})
    rest.add(first)
    assert torch.allclose(rest.held(), whole.held(), atol=1e-6)


def test_what_no_region_shows_holds_zeros(tmp_path):
    stage = stage_of_two(two_layers(tmp_path))
    for unit in (False, True):
        lift = WeightedMean(stage, unit)
        lift.add(cameras(stage)[1])
        assert lift.numbers() == {"seen": 0.5}
        held = lift.held()
        assert torch.allclose(held, torch.tensor([[0.0, 1, 0, 0]] * 2), atol=1e-6)
