"""The regularised inverse: against the dense solution, by hand, resumed, and from disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from semsplat.bench.gpu.world import LEFT, RIGHT, world_x, write_levels
from semsplat.data.scene import Scene
from semsplat.io import read_json_lines
from semsplat.train import lifted_solution
from semsplat.train.lifted_solution import RegularisedInverse
from semsplat.train.lifting import WeightedMean
from semsplat.train.methods import lifted_inverse
from semsplat.train.model import open_field
from semsplat.train.run import Places
from tests.unit.train.conftest import PARAMS
from tests.unit.train.level_helpers import write_geometry
from tests.unit.train.lift_helpers import (
    FAR,
    NEAR,
    X,
    Y,
    assert_a_state_continues,
    cameras,
    lifted,
    lifted_config,
    solved,
    stage_of_two,
    two_layers,
)


def dense(ridge: float) -> torch.Tensor:
    """Return (A^T A + ridge D)^-1 A^T f of both levels, [2, 2, 2], of `two_layers`' views."""
    pixels = np.array([NEAR, FAR]).T  # of either view
    fine = np.concatenate([pixels, pixels]), np.array([X, Y, Y, Y])
    coarse = pixels[1:], np.array([X])
    found = []
    for A, f in (fine, coarse):
        normal = A.T @ A + ridge * np.diag(A.sum(axis=0))
        found.append(np.linalg.solve(normal, A.T @ f))
    return torch.from_numpy(np.stack(found, axis=1)).float()


@pytest.mark.parametrize("at_once", [1, 32])
@pytest.mark.parametrize("ridge", [0.05, 2.0])
def test_as_many_iterations_as_gaussians_solve_it(tmp_path, monkeypatch, ridge, at_once):
    monkeypatch.setattr(lifted_solution, "AT_ONCE", at_once)
    stage = stage_of_two(two_layers(tmp_path))
    lift = solved(RegularisedInverse(stage, ridge, 4), stage)
    assert torch.allclose(lift.held().view(2, 2, 2), dense(ridge), atol=1e-3)
    assert lift.numbers()["residual"] < 1e-3


def test_the_first_iteration_is_the_weighted_mean_times_a_number(tmp_path):
    stage = stage_of_two(two_layers(tmp_path))
    lift, mean = solved(RegularisedInverse(stage, 0.1, 1), stage), WeightedMean(stage, False)
    for seen in cameras(stage):
        mean.add(seen)
    ratio = (lift.held() / mean.held()).view(2, 2, 2)
    for level in (0, 1):
        found = ratio[:, level][~ratio[:, level].isnan()]
        assert torch.allclose(found, found[0], rtol=1e-4) and found[0] > 0


def test_the_residual_is_what_is_left_of_the_system(tmp_path):
    stage = stage_of_two(two_layers(tmp_path))
    lift = RegularisedInverse(stage, 0.1, 1)
    lift.add(cameras(stage)[0])
    assert lift.numbers() == {"seen": 1.0, "residual": 1.0}
    lift = solved(RegularisedInverse(stage, 0.1, 1), stage)
    normal = torch.zeros(2, 2, 2)
    for level, (pairs, views) in enumerate((((0, 1), 2), ((1,), 1))):
        A = torch.tensor([[NEAR[p], FAR[p]] for p in pairs]).repeat(views, 1)
        normal[:, level] = (A.T @ A + 0.1 * A.sum(0).diag()) @ lift.held().view(2, 2, 2)[:, level]
    left = (lift.first.sums - normal).norm() / lift.first.sums.norm()
    assert lift.numbers()["residual"] == pytest.approx(left.item(), abs=1e-4)


def test_a_state_between_views_of_a_later_pass_continues(tmp_path):
    stage = stage_of_two(two_layers(tmp_path))
    assert_a_state_continues(lambda: RegularisedInverse(stage, 0.1, 2), stage)


def test_what_no_region_shows_stays_zero(tmp_path):
    stage = stage_of_two(two_layers(tmp_path))
    stage.gaussians["means"].data[1, 2] = -5.0  # behind the camera
    held = solved(RegularisedInverse(stage, 0.1, 2), stage).held()
    assert held.isfinite().all() and held[0].any() and not held[1].any()


def test_options_arrive_and_nothing_is_scaled(tmp_path):
    options = PARAMS["methods"]["lifted_inverse"] | {"ridge": 0.7, "iterations": 3}
    told = lifted_inverse.Options.model_validate(options)
    assert told.scaled(0.5, 4.0) == told and told.held(512) == 1536
    lift = lifted_inverse.lift(told, stage_of_two(two_layers(tmp_path)))
    assert isinstance(lift, RegularisedInverse) and (lift.ridge, lift.passes) == (0.7, 4)


def test_it_lifts_and_answers_from_disk(tiny_scene: Scene, tmp_path: Path):
    levels = write_levels(tmp_path / "levels", tiny_scene).folder
    geometry = write_geometry(tmp_path / "geometry", tiny_scene)
    places = Places(tiny_scene.scene_dir, None, levels, geometry)
    out = lifted(places, tmp_path / "out", lifted_config("lifted_inverse", iterations=2))
    lines = read_json_lines(out / "metrics.jsonl")
    assert len(lines) == 3 * len(tiny_scene.train)
    assert lines[0]["residual"] == 1 > lines[11]["residual"] > lines[-1]["residual"]
    field = open_field(out, "cpu")
    for seen in tiny_scene.test:
        right = torch.from_numpy(np.where((world_x(seen) > 0)[..., None], RIGHT, LEFT)).float()
        said = lifted_inverse.vectors(field, seen).maps
        assert (said[1] * right).sum(-1).mean() > 0.9
