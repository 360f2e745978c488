"""Schedules and rates, seen in what training does with them."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import pytest
import torch

from semsplat.data.scene import Scene, scene_extent
from semsplat.fit.inputs import Inputs
from semsplat.fit.loop import fit
from semsplat.fit.schedules import image_scale
from semsplat.fit.steps import Fit
from semsplat.fit.trainee import Trainee, seed_everything
from semsplat.fit.views import View, views_in_order
from semsplat.geometry.rgb import rgb_objective, start_training
from semsplat.params.geometry import Geometry, Training
from tests.unit.fit.test_loop import PAPER

RATES = {
    "means": 1e-3, "means_final": 1e-5, "sh0": 2e-3, "shN": 3e-3, "opacities": 4e-3,
    "scales": 5e-3, "quats": 6e-3,
}  # fmt: skip


def geometry(steps: int = 4, **sections: Any) -> Geometry:
    """Return parameters without density control before step 1000, with changes by section."""
    values = PAPER.model_dump() | {"steps": steps}
    still = {"densify": {"start": 1000, "stop": 1001, "every": 1000, "reset_every": 1000}}
    for name, changes in (still | sections).items():
        values[name] = values[name] | changes if isinstance(changes, dict) else changes
    return Geometry(**values)


def taken(scene: Scene, config: Geometry, folder: Any, look: Any, seed: int = 3) -> list[Any]:
    """Train and return what ``look`` sees of trainee and view before each step, and at the end."""
    trainee = start_training(scene, config, seed_everything(seed), "cpu")
    with torch.no_grad():
        trainee.gaussians["scales"][:, 0] += 0.5  # a sphere has no orientation to learn
    inner, seen = rgb_objective(trainee.gaussians, config), []

    def objective(step: int, view: View) -> Any:
        seen.append(look(trainee, view))
        return inner(step, view)

    scale = partial(image_scale, config=config.progressive)
    views = partial(views_in_order, scene.train, seed=seed, scale=scale, inputs=Inputs("cpu"))
    plan = Fit(config.steps, "key", folder, Training(save_every_s=1e9, log_every=1000))
    fit(plan, trainee, objective, views)
    return [*seen, look(trainee, None)]


def copies(trainee: Trainee, _: View | None) -> dict[str, torch.Tensor]:
    return {key: value.detach().clone() for key, value in trainee.gaussians.items()}


def test_the_first_step_of_adam_moves_every_number_by_the_rate_of_its_group(tiny_scene, tmp_path):
    before, after = taken(tiny_scene, geometry(1, lr=RATES), tmp_path, copies)
    extent = scene_extent(tiny_scene)
    expected = RATES | {"means": 1e-3 * extent}
    for key in before:
        moved = (after[key] - before[key]).abs()
        if key == "shN":  # the first step is without view-dependent colour
            assert not moved.any()
        else:
            assert moved.max().item() == pytest.approx(expected[key], rel=1e-3), key


def means_rate(trainee: Trainee, _: View | None) -> float:
    return trainee.optimizers["means"].param_groups[0]["lr"]


def test_the_rate_of_positions_falls_by_equal_factors_and_no_other_does(tiny_scene, tmp_path):
    def rates(trainee: Trainee, _: View | None) -> list[float]:
        return [o.param_groups[0]["lr"] for key, o in trainee.optimizers.items() if key != "means"]

    first, *rest = taken(tiny_scene, geometry(lr=RATES), tmp_path / "a", rates)
    assert rest == [first] * 4
    found = taken(tiny_scene, geometry(lr=RATES), tmp_path / "b", means_rate)
    # a hundredth over four steps: 10^(-1/2) a step
    expected = [1e-3 * scene_extent(tiny_scene) * 10 ** (-step / 2) for step in range(4)]
    assert found[:4] == pytest.approx(expected)


PDR = {
    "enabled": True,
    "scale_start": 0.5,
    "scale_steps": 4,
    "interval_start": 4,
    "interval_steps": 8,
}


def test_pdr_shows_small_pictures_first(tiny_scene, tmp_path):
    def size(_: Trainee, view: View | None) -> tuple[int, ...] | None:
        return view and (view.width, view.height, *view.image.shape[:2])

    found = taken(tiny_scene, geometry(6, progressive=PDR), tmp_path, size)
    # 1 - (1 + cos(pi t / 4)) / 4 = 0.5, 0.573, 0.75, 0.927, 1, 1 of 48 x 36 pixels
    sizes = [(24, 18), (28, 21), (36, 27), (44, 33), (48, 36), (48, 36)]
    assert found[:6] == [(w, h, h, w) for w, h in sizes]
    plain = taken(tiny_scene, geometry(2), tmp_path / "plain", size)
    assert plain[:2] == [(48, 36, 36, 48)] * 2


def refined(scene: Scene, folder: Any, steps: int, **sections: Any) -> list[int]:
    """Return the steps after which there were more or fewer Gaussians."""
    config = geometry(steps, **sections)
    counts = taken(scene, config, folder, lambda trainee, _: len(trainee.gaussians["means"]))
    return [step for step in range(steps) if counts[step] != counts[step + 1]]


BUSY = {"start": 3, "stop": 14, "every": 3, "grad_threshold": 1e-9, "prune_opacity": 1e-6}


def test_gaussians_are_refined_after_the_start_and_before_the_stop(tiny_scene, tmp_path):
    # every third step; 3 is no later than the start, 15 is behind the stop
    assert refined(tiny_scene, tmp_path, 18, densify=BUSY) == [6, 9, 12]


def test_pdr_refines_at_growing_frequency(tiny_scene, tmp_path):
    # the interval 2 + (1 + cos(pi t / 8)) is 4 at 0; 3 at 4 (4 -> 7); 2.08 at 7, so 2 from there
    progressive = PDR | {"scale_start": 1.0}
    found = refined(tiny_scene, tmp_path, 15, densify=BUSY | {"every": 2}, progressive=progressive)
    assert found == [4, 7, 9, 11, 13]


def opacity(trainee: Trainee, _: View | None) -> float:
    return torch.sigmoid(trainee.gaussians["opacities"]).max().item()


def test_opacities_are_cut_to_twice_the_pruning_threshold_at_their_step(tiny_scene, tmp_path):
    reset = {"reset_every": 3, "stop": 9, "start": 0, "every": 1000, "prune_opacity": 0.02}
    found = taken(tiny_scene, geometry(11, densify=reset, init={"opacity": 0.3}), tmp_path, opacity)
    # step t is seen at t + 1: resets after 3 and 6, and none at 0 or from the stop on
    assert [step for step in range(11) if found[step + 1] <= 0.0401] == [3, 6]
    assert found[4] == pytest.approx(0.04, abs=1e-4)


def test_a_degree_of_harmonics_begins_at_its_step(tiny_scene, tmp_path):
    config = geometry(4).model_copy(update={"sh_every": 2})
    found = taken(tiny_scene, config, tmp_path, copies)
    used = [(found[step]["shN"] != 0).any(dim=2).any(dim=0).sum().item() for step in range(5)]
    assert used == [0, 0, 0, 3, 3]  # three coefficients of degree 1 learn at step 2 and 3


@pytest.mark.parametrize("seeds", [(3, 3), (3, 4)])
def test_the_order_of_views_is_the_seeds(tiny_scene, tmp_path, seeds):
    def name(_: Trainee, view: View | None) -> str:
        return view.name if view else ""

    first, second = (
        taken(tiny_scene, geometry(6), tmp_path / str(i), name, seed)
        for i, seed in enumerate(seeds)
    )
    assert set(first[:6]) == {frame.name for frame in tiny_scene.train}  # none is held out
    assert (first == second) == (seeds[0] == seeds[1])


def test_a_white_background_is_the_photographs_loss_of_nothing(tiny_scene, tmp_path):
    white = geometry(1, background="white", init={"opacity": 1e-6})
    trainee = start_training(tiny_scene, white, seed_everything(0), "cpu")
    view = next(iter(views_in_order(tiny_scene.train, range(1), 0, lambda _: 1.0, Inputs("cpu"))))
    terms, _, numbers = rgb_objective(trainee.gaussians, white)(0, view)
    off = 1 - view.image
    assert terms["l1"].item() == pytest.approx(0.8 * off.abs().mean().item(), abs=1e-4)
    expected = -10 * math.log10(off.square().mean().item())
    assert float(numbers["psnr"]()) == pytest.approx(expected, abs=1e-2)
