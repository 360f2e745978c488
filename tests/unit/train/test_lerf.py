"""LERF: scales, losses and rays by hand; what moves what; what a prompt is asked at."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from semsplat.data.poses import camera_centre
from semsplat.errors import SemsplatError
from semsplat.radiance.batches import Pixels, generator_at
from semsplat.radiance.march import Samples, sampled
from semsplat.train.lerf_field import (
    LerfField,
    clip_loss,
    dino_loss,
    drawn_scales,
    sample_scales,
    unit_of,
)
from semsplat.train.methods import lerf
from semsplat.train.scale_targets import ScaleTargets
from tests.unit.radiance.conftest import small
from tests.unit.train.conftest import PARAMS
from tests.unit.train.radiant_helpers import (
    CHANGES,
    DIM,
    LEFT,
    RIGHT,
    SHARES,
    moved_by,
    options_of,
    started,
    write_scales,
)


@pytest.fixture(scope="module")
def features(tiny_scene, tmp_path_factory):
    return write_scales(tmp_path_factory.mktemp("scales"), tiny_scene)


@pytest.fixture(scope="module")
def with_dino(tiny_scene, tmp_path_factory):
    return write_scales(tmp_path_factory.mktemp("dino"), tiny_scene, dino=True)


def looked(options, scene, features, n=24):
    """Return the parts of a step: the field, its rays, samples, sizes of crops and targets."""
    trainee, stage, _ = started(lerf, options, scene, features)
    field, generator = stage.decoder, generator_at(7, 0)
    batch = Pixels(scene.train, "cpu").drawn(n, generator)
    samples = sampled(field.radiance, batch.rays, generator)
    drawn = drawn_scales(n, torch.tensor(SHARES), generator)
    targets = ScaleTargets(features, [frame.name for frame in scene.train], "cpu")
    return trainee, stage, batch, samples, drawn, targets


def test_the_loss_is_huber_summed_over_channels_and_meant_over_rays():
    said = torch.tensor([[2.0, 0.5], [0.0, 0.0]])
    wanted = torch.tensor([[0.0, 0.0], [1.0, 0.0]])
    first = 1.25 * (2.0 - 0.625) + 0.125  # beyond 1.25 it is linear
    assert clip_loss(said, wanted).item() == pytest.approx((first + 0.5) / 2)
    assert dino_loss(said, wanted).item() == pytest.approx((4.25 + 1) / 2)


def test_a_sample_is_as_large_as_its_crop_is_there():
    found = sample_scales(torch.tensor([0.2, 0.5]), torch.tensor([[1.0, 3.0], [2.0, 4.0]]),
                          torch.tensor([0.8, 0.5]))  # fmt: skip
    assert found.tolist() == [pytest.approx([0.25, 0.75]), pytest.approx([2.0, 4.0])]


def test_sizes_are_drawn_from_every_bin_and_evenly_within():
    shares = torch.tensor([0.05, 0.125, 0.5])
    lower, share, size = drawn_scales(4000, shares, torch.Generator().manual_seed(0))
    assert torch.bincount(lower).tolist() == pytest.approx([2000, 2000], abs=150)
    assert share.min() >= 0 and share.max() < 1 and abs(float(share.mean()) - 0.5) < 0.02
    expected = shares[lower] + share * (shares[lower + 1] - shares[lower])
    assert torch.allclose(size, expected)


def test_cameras_reach_as_far_as_1_in_normalised_units():
    centres = torch.tensor([[0.0, 0.0, 1.0], [4.0, 0.0, 1.0], [2.0, 6.0, 1.0]])
    assert unit_of(centres) == pytest.approx(4.0)  # the mean's y is 2


def field(**changes) -> LerfField:
    torch.manual_seed(1)
    parts = {"components": 2, "cells": [4], "hidden": 6, "layers": 2, "dims": (5, 0)}
    return LerfField(small(), **{**parts, **changes}, texts=(2, 2))


def some_samples() -> Samples:
    inside = torch.rand(3, 4, 3) * 2 - 1
    return Samples(torch.zeros(3, 0), torch.rand(3, 4) + 1, inside, torch.rand(3, 4))


def test_a_ray_is_the_direction_of_its_samples_directions_by_weight():
    known, samples = field(), some_samples()
    known.unit.fill_(2.0)
    placed = known.placed(known.points(samples))
    scales = torch.rand(3, 4)
    each = known.clip(placed + (scales / known.unit)[..., None] * known.scale.weight[:, 0])
    each = each / each.norm(dim=-1, keepdim=True)
    summed = (samples.weights[..., None] * each).sum(1)
    expected = summed / summed.norm(dim=-1, keepdim=True)
    assert torch.allclose(known.vectors(placed, scales, samples.weights), expected, atol=1e-5)


def test_scales_are_told_in_normalised_units():
    known, samples = field(), some_samples()
    placed = known.placed(known.points(samples))
    known.unit.fill_(2.0)
    asked = known.at_scales(samples, torch.tensor([0.0, 0.7]))
    assert torch.allclose(asked[1], known.vectors(placed, torch.tensor(1.4), samples.weights))
    with torch.no_grad():
        known.scale.weight.zero_()
    assert torch.allclose(*known.at_scales(samples, torch.tensor([0.0, 0.7])))


def test_the_network_has_the_layers_that_it_is_told():
    linear = [m for m in field(layers=4).clip if isinstance(m, torch.nn.Linear)]
    assert [m.out_features for m in linear] == [6, 6, 6, 5]  # the first of four is `placed`


def test_language_moves_no_density_and_no_colour(tiny_scene, with_dino):
    options = options_of(lerf, "lerf")
    _, stage, batch, samples, drawn, targets = looked(options, tiny_scene, with_dino)
    parts = lerf.language_terms(stage.decoder, options.language, batch, samples, drawn, targets)
    named = dict(stage.decoder.named_parameters())
    for name, term in parts.items():
        moved = moved_by(term, named)
        assert not any(k.startswith("radiance.") for k in moved), name
        assert any(k.startswith("grids.") for k in moved), name
        assert ("dino.0.weight" in moved) == (name == "dino")
        assert ("scale.weight" in moved) == (name == "clip")


def test_targets_sizes_and_samples_are_those_of_the_same_rays(tiny_scene, features, monkeypatch):
    options = options_of(lerf, "lerf")
    _, stage, batch, samples, drawn, targets = looked(options, tiny_scene, features)
    said = {}
    inner = stage.decoder.vectors

    def vectors(placed, scales, weights):
        said["scales"], said["weights"] = scales, weights
        said["vectors"] = inner(placed, scales, weights)
        return said["vectors"]

    monkeypatch.setattr(stage.decoder, "vectors", vectors)
    parts = lerf.language_terms(stage.decoder, options.language, batch, samples, drawn, targets)
    heavy = samples.heaviest(3)
    assert torch.equal(said["weights"], heavy.weights)
    assert torch.allclose(said["scales"], drawn[2][:, None] * heavy.distances / batch.fy[:, None])
    wanted = targets.between(batch.views, batch.places, drawn[0], drawn[1])
    expected = 0.1 * clip_loss(said["vectors"], wanted)
    assert parts.keys() == {"clip"}
    assert parts["clip"].item() == pytest.approx(expected.item())


def test_without_dino_the_card_says_so_and_with_it_the_loss_is_there(
    tiny_scene, features, with_dino
):
    options = options_of(lerf, "lerf")
    assert lerf.attach(options, None, features).facts["lacks"] == "DINO"
    assert "lacks" not in lerf.attach(options, None, with_dino).facts
    _, stage, batch, samples, drawn, targets = looked(options, tiny_scene, with_dino)
    parts = lerf.language_terms(stage.decoder, options.language, batch, samples, drawn, targets)
    heavy = samples.heaviest(3)
    keys = stage.decoder.keys(stage.decoder.points(heavy), heavy.weights)
    expected = dino_loss(keys, targets.dino_at(batch.views, batch.places))
    assert parts["dino"].item() == pytest.approx(expected.item())


def test_rates_fall_each_over_its_own_steps(tiny_scene, features):
    language = {**CHANGES["lerf"]["language"], "decay_steps": 60}
    options = options_of(lerf, "lerf", language=language)
    trainee, stage, _ = started(lerf, options, tiny_scene, features)
    task = lerf.task(options, trainee, stage)
    assert task.steps == CHANGES["lerf"]["radiance"]["steps"] == 120
    groups = trainee.decoder.optimizer.param_groups
    spoken = {id(p) for n, p in stage.decoder.named_parameters() if "radiance." not in n}
    assert {id(p) for p in groups[0]["params"]} == spoken
    view = None
    task.objective(60, view)
    assert groups[0]["lr"] == pytest.approx(0.05 * 0.1)
    planes = next(g for g in groups if g["params"][0] is stage.decoder.radiance.density_grid.planes)
    assert planes["lr"] == pytest.approx(0.05 * 0.1**0.5)
    task.objective(0, view)
    assert groups[0]["lr"] == pytest.approx(0.05) and planes["lr"] == pytest.approx(0.05)


def test_a_suite_scales_steps_and_decay_down_to_the_floor_and_no_rate():
    whole = lerf.Options(**PARAMS["methods"]["lerf"])
    half, least = whole.scaled(0.5, 3.0), whole.scaled(0.001, 3.0)
    assert (half.radiance.steps, half.language.decay_steps) == (15_000, 2_000)
    assert (least.radiance.steps, least.language.decay_steps) == (1_000, 133)
    assert half.language.lr == whole.language.lr and half.radiance.lr == whole.radiance.lr


def test_it_starts_in_the_scenes_box_and_unit_without_gaussians(tiny_scene, features):
    trainee, stage, attachment = started(lerf, options_of(lerf, "lerf"), tiny_scene, features)
    centres = np.stack([camera_centre(frame.viewmat) for frame in tiny_scene.train])
    assert stage.decoder.unit.item() == pytest.approx(unit_of(torch.from_numpy(centres)))
    assert stage.decoder.radiance.reach.max() > 1
    assert all(len(value) == 0 for value in trainee.gaussians.values())
    assert attachment.class_ids == [3, 8]
    assert stage.decoder.classes[:, :2].tolist() == [[1, 0], [0, 1]]
    assert stage.decoder.canonical.argmax(-1).tolist() == [3, 4]


def test_it_needs_a_pyramid_that_is_kept_apart(tiny_scene, tmp_path):
    options = options_of(lerf, "lerf")
    flat = write_scales(tmp_path / "flat", tiny_scene, pyramid=False)
    with pytest.raises(SemsplatError, match="pyramid_maps of two height_shares or more"):
        lerf.attach(options, None, flat)
    mixed = dataclasses.replace(write_scales(tmp_path / "mixed", tiny_scene))
    path = mixed.folder / "views" / f"{tiny_scene.train[0].name}.npz"
    arrays = dict(np.load(path))
    arrays.pop("scales")
    np.savez(path, **arrays)
    with pytest.raises(SemsplatError, match="set apart in the recipe"):
        lerf.attach(options, None, mixed)


def test_targets_are_interpolated_in_the_picture_and_between_sizes(tiny_scene, features):
    targets = ScaleTargets(features, [frame.name for frame in tiny_scene.train], "cpu")
    views, sizes = torch.tensor([1, 1, 1]), torch.tensor([0, 0, 2])
    places = torch.tensor([[0.1, 0.5], [0.5, 0.5], [0.9, 0.2]])  # between two cells: half of each
    found = targets.at(views, places, sizes)
    assert found[:, :3].tolist() == [[1, 0, 0], [0.5, 0.5, 0], [0, 0, 1]]
    mixed = targets.between(views[:1], places[:1], torch.tensor([1]), torch.tensor([0.25]))
    assert mixed[0, :3].tolist() == pytest.approx(
        [0.75 / 0.625**0.5, 0, 0.25 / 0.625**0.5], abs=1e-3
    )
    every = targets.all_at(views, places)
    assert every.shape == (3, 3, DIM)
    assert torch.allclose(every[:, 0], targets.at(views, places, torch.tensor([0, 0, 0])))


def test_all_four_cells_around_a_place_have_their_shares(tiny_scene, features):
    targets = ScaleTargets(features, [frame.name for frame in tiny_scene.train], "cpu")
    targets.maps[0, 0, 0] = torch.arange(48).view(6, 8)  # 8 a row
    at = torch.tensor([[(2.5 + 0.25) / 8, (3.5 + 0.75) / 6]])  # from column 2 and row 3 on
    found = targets.at(torch.tensor([0]), at, torch.tensor([0]))
    assert found[0, 0].item() == pytest.approx(8 * 3.75 + 2.25)


def test_targets_are_those_of_the_view_and_row_that_is_asked(tiny_scene, features):
    targets = ScaleTargets(features, [frame.name for frame in tiny_scene.train], "cpu")
    targets.maps[3, 1, :, 4, 6] = torch.arange(DIM)  # view 3, size 1, row 4, column 6
    at = torch.tensor([[6.5 / 8, 4.5 / 6]])
    assert targets.at(torch.tensor([3]), at, torch.tensor([1]))[0].tolist() == list(range(DIM))
    assert targets.at(torch.tensor([2]), at, torch.tensor([1]))[0].tolist() == RIGHT.tolist()
    assert targets.all_at(torch.tensor([3]), at)[0, 1].tolist() == list(range(DIM))
    assert LEFT[0] == 1
