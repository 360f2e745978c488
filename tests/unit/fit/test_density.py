"""Density control: thresholds, resets, and gsplat's surgery on our tensors."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import yaml

from semsplat.fit.density import DensityControl, grad_threshold
from semsplat.fit.trainee import adam_per_tensor
from semsplat.params.geometry import Densify, Progressive
from semsplat.splat.gaussians import gaussians_from_points, random_points

PARAMS = yaml.safe_load(Path("params.yaml").read_text())["geometry"]


def control(**changes):
    densify = Densify(**{**PARAMS["densify"], **changes})
    return DensityControl(densify, Progressive(**PARAMS["progressive"]), 1.0, 480)


def start(n=20):
    rng = torch.Generator().manual_seed(0)
    gaussians = gaussians_from_points(*random_points(n, [0, 0, 0], 1.0, rng), 0.9, 1.0, rng)
    return gaussians, adam_per_tensor(gaussians, dict.fromkeys(gaussians, 1e-3), 1e-15)


def info(n, gradient):
    means2d = torch.zeros(1, n, 2, requires_grad=True)
    means2d.grad = torch.zeros(1, n, 2)
    means2d.grad[0, 0, 0] = gradient
    return {
        "means2d": means2d, "radii": torch.ones(1, n, 2, dtype=torch.int32), "width": 640,
        "height": 480, "n_cameras": 1, "gaussian_ids": None,
    }  # fmt: skip


def test_the_papers_threshold_holds_from_480_pixels_up_and_rises_below():
    densify = Densify(**PARAMS["densify"])
    assert grad_threshold(densify, 480) == grad_threshold(densify, 1080) == 2e-4
    assert grad_threshold(densify, 120) == pytest.approx(8e-4)


def test_opacities_are_reset_at_their_step_and_not_at_step_zero():
    density = control(reset_every=30, start=10**6)
    gaussians, optimizers = start()
    for step in range(31):
        density.after_step(gaussians, optimizers, step, info(20, 0.0))
        reset = torch.sigmoid(gaussians["opacities"]).max().item() <= 0.0101
        assert reset == (step == 30)


def test_no_reset_after_densification_has_stopped():
    density = control(reset_every=30, stop=60)
    gaussians, optimizers = start()
    before = gaussians["opacities"].clone()
    for step in (60, 90):
        density.after_step(gaussians, optimizers, step, info(20, 0.0))
    assert torch.equal(gaussians["opacities"], before)


def test_a_gaussian_with_a_high_gradient_is_refined_at_the_scheduled_step_only():
    density = control(start=0, every=5)
    gaussians, optimizers = start()
    counts = []
    for step in range(1, 7):
        n = len(gaussians["means"])
        density.after_step(gaussians, optimizers, step, info(n, 1.0))
        counts.append(len(gaussians["means"]))
    assert counts == [20, 20, 20, 20, 21, 21]
    assert all(len(value) == 21 for value in gaussians.values())
    for key, optimizer in optimizers.items():
        assert optimizer.param_groups[0]["params"][0] is gaussians[key]


def test_extra_tensors_are_split_along():
    density = control(start=0, every=1)
    gaussians, _ = start()
    gaussians["feature"] = torch.nn.Parameter(torch.randn(20, 16))
    optimizers = adam_per_tensor(gaussians, dict.fromkeys(gaussians, 1e-3), 1e-15)
    density.after_step(gaussians, optimizers, 1, info(20, 1.0))
    assert gaussians["feature"].shape == (21, 16)
