"""Which rays a step learns from, what it learns, and how fast."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from semsplat.data.scene import load_image
from semsplat.fit.schedules import log_linear
from semsplat.radiance.batches import Pixels, generator_at
from semsplat.radiance.colours import colour_terms, rates_of, set_rates
from semsplat.radiance.field import RadianceField
from semsplat.radiance.march import sampled, seen_colours
from semsplat.radiance.space import box_of, rays_of
from semsplat.radiance.volume import distortion
from tests.unit.radiance.conftest import small


def test_rays_are_those_of_the_pixels_whose_colours_they_have(tiny_scene):
    batch = Pixels(tiny_scene.train, "cpu").drawn(64, generator_at(3, 0))
    images = [np.array(load_image(frame)) for frame in tiny_scene.train]
    for k in range(64):
        frame = tiny_scene.train[batch.views[k]]
        x, y = (int(v) for v in batch.places[k] * torch.tensor([frame.width, frame.height]))
        assert images[batch.views[k]][y, x] / 255 == pytest.approx(batch.colours[k].numpy())
        expected = rays_of(frame, "cpu")[torch.tensor([y * frame.width + x])]
        assert torch.allclose(batch.rays.directions[k], expected.directions[0], atol=1e-6)
        assert torch.allclose(batch.rays.origins[k], expected.origins[0], atol=1e-5)
        assert batch.fy[k].item() == pytest.approx(frame.K[1, 1] / frame.height)


def test_all_training_views_are_drawn_from_and_no_other(tiny_scene):
    batch = Pixels(tiny_scene.train, "cpu").drawn(4000, generator_at(0, 0))
    counts = torch.bincount(batch.views, minlength=len(tiny_scene.train))
    assert len(counts) == len(tiny_scene.train) and counts.min() > 400


def test_the_first_pixel_of_a_view_is_not_the_last_of_the_one_before(tiny_scene, monkeypatch):
    size = tiny_scene.train[0].width * tiny_scene.train[0].height
    known = torch.tensor([0, size - 1, size, 2 * size])
    monkeypatch.setattr(torch, "randint", lambda *_, **__: known)
    batch = Pixels(tiny_scene.train, "cpu").drawn(4, generator_at(0, 0))
    assert batch.views.tolist() == [0, 0, 1, 2]
    width, height = tiny_scene.train[0].width, tiny_scene.train[0].height
    corner = [0.5 / width, 0.5 / height]
    assert batch.places[0].tolist() == pytest.approx(corner)
    assert batch.places[1].tolist() == pytest.approx([1 - corner[0], 1 - corner[1]])
    assert batch.places[2].tolist() == pytest.approx(corner)


def test_a_step_draws_the_same_rays_again_and_another_step_others(tiny_scene):
    pixels = Pixels(tiny_scene.train, "cpu")
    first, again, other, seed = (
        pixels.drawn(8, generator_at(*at)).places for at in ((1, 5), (1, 5), (1, 6), (2, 5))
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other) and not torch.equal(first, seed)


def test_the_terms_are_the_mean_square_and_the_weighted_distortion(tiny_scene):
    options = small(distortion=0.5)
    field, pixels = RadianceField(options), Pixels(tiny_scene.train, "cpu")
    field.bound(*box_of(tiny_scene, 3.0))
    batch = pixels.drawn(16, generator_at(0, 0))
    samples = sampled(field, batch.rays, generator_at(0, 1))
    terms = colour_terms(field, options, batch, samples)
    seen = seen_colours(field, batch.rays, samples)
    assert terms["colours"].item() == pytest.approx(((seen - batch.colours) ** 2).mean().item())
    expected = 0.5 * distortion(samples.weights, samples.edges).item()
    assert terms["distortion"].item() == pytest.approx(expected)


def test_rates_fall_log_linearly_to_what_is_left():
    assert [log_linear(s, 100, 1.0, 0.01) for s in (0, 50, 100, 300)] == pytest.approx(
        [1, 0.1, 0.01, 0.01]
    )


def test_grids_and_networks_have_their_own_rates():
    field = RadianceField(small())
    rates = rates_of(field, small(), "radiance.")
    assert rates.keys() == {f"radiance.{name}" for name, _ in field.named_parameters()}
    assert rates["radiance.density_grid.planes"] == 0.02
    assert rates["radiance.colour_grid.lines"] == 0.02
    assert rates["radiance.colour.0.weight"] == 0.005


def test_shares_are_of_the_first_rates_however_often_they_are_set():
    groups = [{"lr": 0.5}, {"lr": 0.2}]
    for share in (0.5, 0.5, 0.1):
        set_rates(groups, share)
    assert [group["lr"] for group in groups] == pytest.approx([0.05, 0.02])


def test_steps_are_scaled_down_to_a_floor_and_floors_never_raise_them():
    assert small(steps=1000, steps_floor=40).at_least(0.5).steps == 500
    assert small(steps=1000, steps_floor=40).at_least(0.001).steps == 40
    assert small(steps=10, steps_floor=40).at_least(0.001).steps == 10
