"""The median of directions: by hand, resumed, and against outvoted mistakes from disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from semsplat.bench.gpu.world import LEFT, RIGHT, world_x, write_levels
from semsplat.data.scene import Scene
from semsplat.io import read_json_lines
from semsplat.train.lifted_median import CLOSEST, CosineMedian
from semsplat.train.methods import lifted_median
from semsplat.train.model import open_field
from semsplat.train.run import Places
from tests.unit.train.conftest import PARAMS
from tests.unit.train.level_helpers import write_geometry
from tests.unit.train.lift_helpers import (
    NEAR,
    X,
    Y,
    assert_a_state_continues,
    lifted,
    lifted_config,
    solved,
    stage_of_two,
    two_layers,
)
from tests.unit.train.wired import features_of, masks


def unit(vector: Tensor) -> Tensor:
    return vector / vector.norm()


def test_without_iterations_it_is_the_mean_at_length_one(tmp_path):
    stage = stage_of_two(two_layers(tmp_path))
    found = solved(CosineMedian(stage, 0, None), stage).held().view(2, 2, 2)[0, 0]
    assert torch.allclose(found, unit(torch.tensor([NEAR[0], NEAR[1] + sum(NEAR)])), atol=1e-5)


def test_one_iteration_by_hand(tmp_path):
    """The near Gaussian: x in one pixel, y in three."""
    stage = stage_of_two(two_layers(tmp_path))
    mean = unit(torch.tensor([NEAR[0], NEAR[1] + sum(NEAR)]))
    far = [float((mean - torch.tensor(vector)).norm()) for vector in (X, Y)]
    expected = unit(torch.tensor([NEAR[0] / far[0], (NEAR[1] + sum(NEAR)) / far[1]]))
    found = solved(CosineMedian(stage, 1, None), stage).held().view(2, 2, 2)
    assert torch.allclose(found[0, 0], expected, atol=1e-4)
    assert torch.allclose(found[:, 1], torch.tensor([X, X]), atol=1e-5)  # all that it was told


def test_a_majority_wins_where_a_mean_is_in_between(tmp_path):
    views = [masks([[0, 0]], vectors=[vector]) for vector in (X, Y, Y)]
    stage = stage_of_two(features_of(tmp_path, ["all"], *views), 3)
    mean, median = (solved(CosineMedian(stage, n, None), stage).held() for n in (0, 25))
    assert mean[0].tolist() == pytest.approx([5**-0.5, 2 * 5**-0.5], abs=1e-4)
    assert (median[:, 1] > 0.999).all() and median.isfinite().all()


def test_what_is_closest_weighs_no_more_than_the_bound(tmp_path):
    lift = CosineMedian(stage_of_two(two_layers(tmp_path)), 1, None)
    weights, vectors = torch.ones(2, 2), torch.tensor([X, Y])
    assert lift.reweighted(0, weights, vectors) is weights
    lift.done = 1
    lift.estimate[:, 0] = torch.tensor(X)
    found = lift.reweighted(0, weights, vectors)
    assert torch.allclose(found, torch.tensor([[1 / CLOSEST, 0.5**0.5]] * 2), rtol=1e-4)


def test_a_state_between_views_of_a_later_pass_continues(tmp_path):
    stage = stage_of_two(two_layers(tmp_path))
    assert_a_state_continues(lambda: CosineMedian(stage, 2, None), stage)


def test_options_arrive_and_nothing_is_scaled(tmp_path):
    options = PARAMS["methods"]["lifted_median"] | {"iterations": 3, "gate": 0.6}
    told = lifted_median.Options.model_validate(options)
    assert told.scaled(0.5, 4.0) == told and told.held(512) == 1536
    lift = lifted_median.lift(told, stage_of_two(two_layers(tmp_path)))
    assert isinstance(lift, CosineMedian) and lift.passes == 4 and lift.gate == 0.6
    for share in (0.0, 1.1):
        with pytest.raises(ValidationError):
            lifted_median.Options.model_validate(options | {"gate": share})


def test_through_a_gate_a_gaussian_learns_of_the_rays_that_count_it_alone(tmp_path):
    """In the first pixel the near one has 0.5 of 0.9; in the second, 0.09, it does not count."""
    stage = stage_of_two(two_layers(tmp_path))
    assert NEAR[0] / (NEAR[0] + 0.8 * (1 - NEAR[0])) > 0.55 > 0.2 > NEAR[1] / 0.8
    gated = solved(CosineMedian(stage, 0, 0.55), stage)
    fine = gated.held().view(2, 2, 2)[:, 0]
    # the near one: x of the first view and y of the second; the far one: what the second pixel said
    assert torch.allclose(fine[0], unit(torch.tensor([1.0, 1.0])), atol=1e-5)
    assert torch.allclose(fine[1], torch.tensor(Y), atol=1e-5)
    assert torch.allclose(
        gated.weights[:, 0], torch.tensor([2 * NEAR[0], 2 * 0.8 * (1 - NEAR[1])]), atol=1e-4
    )
    every = solved(CosineMedian(stage, 3, 1.0), stage).held()
    assert torch.allclose(every, solved(CosineMedian(stage, 3, None), stage).held(), atol=1e-5)


def test_it_lifts_and_answers_from_disk(tiny_scene: Scene, tmp_path: Path):
    levels = write_levels(tmp_path / "levels", tiny_scene).folder
    geometry = write_geometry(tmp_path / "geometry", tiny_scene)
    places = Places(tiny_scene.scene_dir, None, levels, geometry)
    out = lifted(places, tmp_path / "out", lifted_config("lifted_median", iterations=2))
    assert len(read_json_lines(out / "metrics.jsonl")) == 3 * len(tiny_scene.train)
    field = open_field(out, "cpu")
    for seen in tiny_scene.test:
        right = torch.from_numpy(np.where((world_x(seen) > 0)[..., None], RIGHT, LEFT)).float()
        said = lifted_median.vectors(field, seen).maps
        assert (said[1] * right).sum(-1).mean() > 0.9
