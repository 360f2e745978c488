"""Which Gaussians density control grows and removes, on either side of every threshold."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch.nn import ParameterDict

from semsplat.fit.density import DensityControl
from semsplat.params.geometry import Densify, Progressive
from tests.unit.fit.test_density import PARAMS, info, start

EXTENT = 2.0
NUMBERS = {
    "start": 0, "stop": 100, "every": 5, "reset_every": 7, "grad_threshold": 1e-3,
    "split_scale": 0.02, "prune_opacity": 0.05, "prune_scale": 0.5,
}  # fmt: skip


def after(
    step: int,
    gradient: float = 0.0,
    height: int = 480,
    scale: float = 0.01,
    opacity: float = 0.9,
    **changes: Any,
) -> ParameterDict:
    """Return 20 Gaussians after one step; the first has this gradient, size and opacity."""
    densify = Densify(**PARAMS["densify"] | NUMBERS | changes)
    control = DensityControl(densify, Progressive(**PARAMS["progressive"]), EXTENT, height)
    gaussians, optimizers = start()
    with torch.no_grad():
        gaussians["scales"][:] = math.log(0.01)
        gaussians["scales"][0] = math.log(scale)
        gaussians["opacities"][0] = math.log(opacity / (1 - opacity))
    control.after_step(gaussians, optimizers, step, info(20, gradient))
    return gaussians


# gsplat measures in units of half the picture, which is 640 pixels wide
PER_PIXEL = 1e-3 / 320


@pytest.mark.parametrize(
    ("share", "height", "grown"),
    [(1.1, 480, 1), (0.9, 480, 0), (1.9, 240, 0), (2.1, 240, 1), (1.1, 960, 1), (0.9, 960, 0)],
)
def test_a_gradient_above_the_threshold_of_its_height_grows(share, height, grown):
    found = after(5, gradient=share * PER_PIXEL, height=height)
    assert len(found["means"]) == 20 + grown


def test_what_is_smaller_than_its_share_of_the_scene_is_cloned():
    found = after(5, gradient=1.0, scale=0.039)  # 0.02 of 2 is 0.04
    scales = found["scales"].exp()[:, 0]
    assert len(scales) == 21 and (scales - 0.039).abs().lt(1e-6).sum() == 2
    assert torch.equal(found["means"][0], found["means"][-1])


def test_what_is_larger_is_split_in_two_smaller_ones():
    found = after(5, gradient=1.0, scale=0.041)
    scales = found["scales"].exp()[:, 0]
    assert len(scales) == 21 and (scales - 0.041 / 1.6).abs().lt(1e-6).sum() == 2
    assert not torch.equal(found["means"][-2], found["means"][-1])


@pytest.mark.parametrize(("opacity", "left"), [(0.049, 19), (0.051, 20)])
def test_what_nobody_sees_is_removed(opacity, left):
    assert len(after(5, opacity=opacity)["means"]) == left
    assert len(after(4, opacity=opacity)["means"]) == 20  # between two refinements


@pytest.mark.parametrize(("step", "scale", "left"), [(5, 1.1, 20), (10, 1.1, 19), (10, 0.9, 20)])
def test_what_is_huge_is_removed_after_the_first_reset(step, scale, left):
    assert len(after(step, scale=scale)["means"]) == left  # 0.5 of 2 is 1; the reset is at 7


def test_a_saved_state_goes_on_with_the_gradients_so_far():
    densify = Densify(**PARAMS["densify"] | NUMBERS)
    controls = [
        DensityControl(densify, Progressive(**PARAMS["progressive"]), EXTENT, 480) for _ in "ab"
    ]
    gaussians, optimizers = start()
    controls[0].after_step(gaussians, optimizers, 4, info(20, 1.0))
    controls[1].load_state_dict(controls[0].state_dict())
    controls[1].after_step(gaussians, optimizers, 5, info(20, 0.0))
    assert len(gaussians["means"]) == 21  # the mean of 1 and 0 is above the threshold
