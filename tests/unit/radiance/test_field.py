"""Grids, the field on them, and how it is marched through."""

from __future__ import annotations

import math

import pytest
import torch

from semsplat.radiance.field import SHIFT, STEEP, RadianceField, harmonics
from semsplat.radiance.march import leaves, sampled, seen_colours, seen_depth
from semsplat.radiance.planes import AXES, Planes
from semsplat.radiance.space import Rays
from tests.unit.radiance.conftest import small


def rays(origin=(0.0, 0.0, 0.0), direction=(0.0, 0.0, 1.0), n=2) -> Rays:
    return Rays(torch.tensor([origin] * n), torch.tensor([direction] * n), torch.ones(n))


def test_a_point_has_products_of_a_plane_and_a_line():
    grid = Planes(1, 3, 0.0)
    with torch.no_grad():
        grid.planes[:] = torch.arange(27.0).view(3, 1, 3, 3)
        grid.lines[:] = torch.tensor([10.0, 20.0, 40.0]).view(1, 1, 3, 1)
    x, y, z = 0.5, -0.5, -1.0  # in cells 1.5, 0.5 and 0
    at = {0: 1.5, 1: 0.5, 2: 0.0}

    def line(u: float) -> float:
        known = [10.0, 20.0, 40.0, 40.0]
        return known[int(u)] + (u - int(u)) * (known[int(u) + 1] - known[int(u)])

    found = grid(torch.tensor([[x, y, z]]))[0].tolist()
    for k, (a, b, c) in enumerate(AXES):  # a plane counts a along its columns
        plane = 9 * k + at[a] + 3 * at[b]
        assert found[k] == pytest.approx(plane * line(at[c]))


def test_the_corners_of_the_grid_are_the_corners_of_the_box():
    grid = Planes(1, 4, 1.0)
    with torch.no_grad():
        grid.lines[:] = 1
    found = grid(torch.tensor([[1.0, 1.0, 0.0]]))[0]
    assert found[0].item() == pytest.approx(grid.planes[0, 0, 3, 3].item(), abs=1e-6)


def test_points_of_several_planes_keep_their_rows():
    grid = Planes(2, 5, 1.0)
    points = torch.rand(7, 3) * 2 - 1
    assert torch.allclose(grid(points)[3:4], grid(points[3:4]))
    assert grid(points).shape == (7, 6)


def test_density_is_the_steep_softplus_of_the_sum():
    field = RadianceField(small())
    field.bound(torch.zeros(3), torch.tensor([2.0, 2.0, 1.0]))
    point = torch.tensor([[0.2, 0.1, -0.3]])
    said = field.density_grid(point).sum().item()
    expected = STEEP / 3.0 * math.log1p(math.exp(said - SHIFT))
    assert field.density(point).item() == pytest.approx(expected, rel=1e-4)


def test_harmonics_are_orthonormal():
    torch.manual_seed(0)
    d = torch.nn.functional.normalize(torch.randn(200_000, 3), dim=-1)
    products = 4 * math.pi * (harmonics(d).T @ harmonics(d)) / len(d)
    assert torch.allclose(products, torch.eye(9), atol=0.03)


def test_a_ray_leaves_the_box_where_it_leaves_it():
    field = RadianceField(small())
    field.bound(torch.tensor([0.0, 0.0, 1.0]), torch.tensor([1.0, 2.0, 3.0]))
    assert leaves(field, rays()).tolist() == pytest.approx([4.0, 4.0])
    assert leaves(field, rays(direction=(1.0, 0.0, 0.0))).tolist() == pytest.approx([1.0, 1.0])
    away = rays(origin=(0.0, 0.0, 9.0))  # behind the camera: it is looked for as far as it is big
    assert leaves(field, away)[0].item() == pytest.approx(field.size.item())


def wall(field: RadianceField, z: float) -> None:
    """Make all of a field dense where z is larger than a cell's, in numbers of the inside."""
    cells = field.options.cells
    with torch.no_grad():
        field.density_grid.planes[:] = 0
        field.density_grid.planes[0] = 1
        field.density_grid.lines[:] = 0
        dense = torch.linspace(-1, 1, cells) >= z
        field.density_grid.lines[0] = torch.where(dense, 30.0, -30.0).view(1, cells, 1)


def test_samples_find_a_wall_and_its_depth():
    field = RadianceField(small(cells=65, coarse=64, fine=16))
    wall(field, 0.4)  # of the inside, where the box has 0.8: half way to its side
    told = Rays(rays().origins, rays().directions, torch.full((2,), 2.0))
    samples = sampled(field, told, None)
    depth, opacity = seen_depth(told, samples)
    assert opacity.tolist() == pytest.approx([1.0, 1.0], abs=1e-3)
    assert depth.tolist() == pytest.approx([0.25, 0.25], abs=0.02)  # of z: half of the distance
    assert samples.distances[:, 1:].ge(samples.distances[:, :-1]).all()


def test_without_density_a_ray_is_black_and_has_no_depth():
    field = RadianceField(small())
    wall(field, 2.0)
    looked = sampled(field, rays(), None)
    assert seen_colours(field, rays(), looked).abs().max() < 1e-4


def test_what_lies_nearer_than_near_is_not_looked_at():
    field = RadianceField(small(near=0.1))
    samples = sampled(field, rays(), None)
    assert samples.distances.min() >= 0.1 * field.size


def test_drawn_samples_move_and_views_do_not():
    field = RadianceField(small())
    drawn = [sampled(field, rays(), torch.Generator().manual_seed(s)).distances for s in (1, 1, 2)]
    assert torch.equal(drawn[0], drawn[1]) and not torch.equal(drawn[0], drawn[2])
    assert torch.equal(sampled(field, rays(), None).edges, sampled(field, rays(), None).edges)


def test_near_densities_learn_less():
    def moved(calm: float) -> torch.Tensor:
        torch.manual_seed(0)
        field = RadianceField(small(calm=calm))
        sampled(field, rays(), None).weights.sum().backward()
        return field.density_grid.lines.grad.abs().sum()

    assert moved(100.0) < 0.01 * moved(1e-3)


def test_the_heaviest_samples_bring_no_gradient():
    field = RadianceField(small())
    samples = sampled(field, rays(), None)
    heavy = samples.heaviest(3)
    assert samples.weights.requires_grad and not heavy.weights.requires_grad
    expected = samples.weights.detach().sort(-1, descending=True).values[:, :3]
    assert torch.equal(heavy.weights, expected)
    row = [samples.weights[0].tolist().index(w) for w in heavy.weights[0].tolist()]
    assert torch.equal(heavy.distances[0], samples.distances[0, row])
    assert torch.equal(heavy.inside[0], samples.inside[0, row])
    assert samples.heaviest(99).weights.shape == samples.weights.shape
