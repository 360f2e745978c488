"""The RGB objective: its start, its switches, its coarse-to-fine schedule."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from semsplat.errors import SemsplatError
from semsplat.fit.inputs import Inputs
from semsplat.fit.loop import fit
from semsplat.fit.schedules import image_scale
from semsplat.fit.steps import Fit
from semsplat.fit.trainee import seed_everything
from semsplat.fit.views import views_in_order
from semsplat.geometry.rgb import rgb_objective, start_gaussians, start_training
from semsplat.params.geometry import Geometry, Training
from semsplat.params.scaling import scaled_geometry

PAPER = Geometry(**yaml.safe_load(Path("params.yaml").read_text())["geometry"])
SHORT = scaled_geometry(PAPER, 40 / 30_000)


def with_(config, section, **changes):
    return config.model_copy(update={section: getattr(config, section).model_copy(update=changes)})


def test_a_random_start_fills_the_cube_around_the_cameras(tiny_scene):
    config = with_(SHORT, "init", source="random", n_random=500)
    gaussians = start_gaussians(tiny_scene, config, seed_everything(0))
    centre = np.mean([-f.viewmat[:3, :3].T @ f.viewmat[:3, 3] for f in tiny_scene.train], axis=0)
    assert len(gaussians["means"]) == 500
    spread = (gaussians["means"].detach().numpy() - centre).std(0)
    assert (spread > 0.5).all() and spread.max() / spread.min() < 1.3


def test_cameras_in_one_place_are_one_line(tiny_scene):
    with pytest.raises(SemsplatError, match="one place") as error:
        start_training(
            replace(tiny_scene, train=tiny_scene.train[:1]), SHORT, seed_everything(0), "cpu"
        )
    assert "\n" not in str(error.value)


def test_white_background_shows_where_nothing_is(tiny_scene):
    config = SHORT.model_copy(update={"background": "white"})
    trainee = start_training(tiny_scene, config, seed_everything(0), "cpu")
    with torch.no_grad():
        trainee.gaussians["opacities"].fill_(-20)
    view = next(iter(views_in_order(tiny_scene.train, range(1), 0, lambda _: 1.0, Inputs("cpu"))))
    terms, _, _ = rgb_objective(trainee.gaussians, config)(0, view)
    assert terms["l1"].item() == pytest.approx(0.8 * (1 - view.image).abs().mean().item(), rel=1e-5)


def test_progressive_training_starts_at_half_and_ends_at_full_size(tiny_scene, tmp_path):
    config = with_(SHORT, "progressive", enabled=True)
    trainee = start_training(tiny_scene, config, seed_everything(0), "cpu")
    inner, sizes = rgb_objective(trainee.gaussians, config), []

    def objective(step, view):
        sizes.append((view.width, view.height))
        return inner(step, view)

    scale = partial(image_scale, config=config.progressive)
    views = partial(views_in_order, tiny_scene.train, seed=0, scale=scale, inputs=Inputs("cpu"))
    fit(
        Fit(40, "key", tmp_path, Training(save_every_s=1e9, log_every=10)),
        trainee,
        objective,
        views,
    )
    assert sizes[0] == (24, 18) and sizes[-1] == (48, 36)
    assert sizes == sorted(sizes)


def turned(scene, *names):
    """Return the scene with some training cameras facing away."""
    away = np.diag([-1.0, 1.0, -1.0, 1.0])
    train = tuple(
        replace(f, viewmat=away @ f.viewmat) if f.name in names else f for f in scene.train
    )
    return replace(scene, train=train)


def test_views_that_see_nothing_are_named(tiny_scene, capsys) -> None:
    generator = torch.Generator().manual_seed(0)
    start_gaussians(tiny_scene, SHORT, generator)
    assert not capsys.readouterr().err
    names = [frame.name for frame in tiny_scene.train]
    start_gaussians(turned(tiny_scene, *names[:2]), SHORT, generator)
    said = capsys.readouterr().err
    assert said == f"warning: 2 views see no initial point: {names[0]}, {names[1]}\n"
    with pytest.raises(SemsplatError, match="no training view sees any of the initial points"):
        start_gaussians(turned(tiny_scene, *names), SHORT, generator)
