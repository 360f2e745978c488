"""Contrastive Gaussian Clustering: what it learns, whom it moves, and when."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from semsplat.bench.gpu.world import write_masks
from semsplat.data.scene import Scene
from semsplat.features.store import SceneFeatures, ViewFeatures
from semsplat.fit.inputs import Inputs
from semsplat.fit.trainee import Trainee
from semsplat.fit.views import load_view
from semsplat.io import read_json
from semsplat.train.attached import SEMANTICS
from semsplat.train.methods import Stage, cgc
from semsplat.train.model import open_field
from semsplat.train.objectives import joint_objective, start_joint
from semsplat.train.run import Places, train
from tests.unit.data.scene_helpers import one_line_error
from tests.unit.train.conftest import GEOMETRY, PARAMS
from tests.unit.train.mask_helpers import config, options


@pytest.fixture
def masks(tmp_path: Path, tiny_scene: Scene) -> SceneFeatures:
    return write_masks(tmp_path / "masks", tiny_scene)


def losses(scene: Scene, features: SceneFeatures, chosen: cgc.Options, step: int):
    attachment = cgc.attach(chosen, None, features)
    trainee = start_joint(scene, GEOMETRY, attachment, 5, "cpu")
    stage = Stage(
        scene.train, None, features, trainee.gaussians, attachment.decoder, Inputs("cpu"), 0
    )
    objective = joint_objective(trainee, GEOMETRY, cgc.semantic_terms(chosen, stage), chosen)
    found, _, _ = objective(step, load_view(scene.train[1], 1.0, Inputs("cpu")))
    return {k: v for k, v in found.items() if k in ("contrast", "near", "far")}, trainee


def moved(term: torch.Tensor, trainee: Trainee) -> set[str]:
    """Return the tensors that a term alone moves."""
    named = dict(trainee.gaussians.items())
    found = torch.autograd.grad(term, list(named.values()), allow_unused=True, retain_graph=True)
    return {key for key, grad in zip(named, found, strict=True) if grad is not None and grad.any()}


@pytest.mark.parametrize(
    ("steps", "every", "rate"),
    [(1.0, (50, 100), 1), (0.5, (25, 50), 2**0.5), (0.001, (1, 1), 50**0.5)],
)
def test_the_losses_are_used_as_often_in_fewer_steps(steps, every, rate):
    base = cgc.Options(**PARAMS["methods"]["cgc"])
    scaled = base.scaled(steps, 7.0)
    assert (scaled.contrast.every, scaled.spatial.every) == every
    assert scaled.lr == pytest.approx(base.lr * rate)


def test_the_losses_move_features_alone(tiny_scene, masks):
    found, trainee = losses(tiny_scene, masks, options(), 0)
    assert all(moved(term, trainee) == {SEMANTICS} for term in found.values())


def test_the_switch_lets_the_contrast_move_shapes_but_never_colours(tiny_scene, masks):
    found, trainee = losses(tiny_scene, masks, options(moves_geometry=True), 0)
    assert {"means", "opacities"} < moved(found["contrast"], trainee)
    assert not moved(found["contrast"], trainee) & {"sh0", "shN"}
    assert moved(found["near"], trainee) == {SEMANTICS}  # positions are detached


def test_between_two_uses_features_get_a_gradient_of_zeros(tiny_scene, masks):
    _, trainee = losses(tiny_scene, masks, options(), 1)
    grad = trainee.gaussians[SEMANTICS].grad
    assert grad is not None and not grad.any()


def test_fewer_gaussians_are_drawn_less_often_and_weigh_as_much_each(tiny_scene, masks):
    count = len(losses(tiny_scene, masks, options(), 0)[1].gaussians["means"])
    share = {"samples": 100, "samples_of": 10 * count}  # 10 of 100 are drawn
    found, _ = losses(tiny_scene, masks, options(spatial=share), 0)
    assert 0.1 * 0.025 <= found["near"].item() <= 0.1 * 0.0441


def test_a_view_whose_masks_are_all_small_teaches_nothing(tiny_scene, masks):
    found, trainee = losses(tiny_scene, masks, options(contrast={"more_than_px": 10_000}), 0)
    assert found["contrast"].item() == 0 and not moved(found["contrast"], trainee)


def test_a_view_without_masks_teaches_nothing(tmp_path, tiny_scene):
    frame = tiny_scene.train[1]
    none = np.full((1, frame.height, frame.width), -1, np.int16)
    empty = ViewFeatures(none, np.zeros(0, np.float16), np.zeros((0, 8), np.float16), None)
    features = write_masks(tmp_path / "masks", tiny_scene, **{frame.name: empty})
    found, _ = losses(tiny_scene, features, options(), 0)
    assert found["contrast"].item() == 0


def places(scene: Scene, features: SceneFeatures | None) -> Places:
    return Places(scene.scene_dir, None, features.folder if features else None, None)


def run(scene: Scene, features: SceneFeatures | None, out: Path, **changes) -> Path:
    chosen = options(lr=0.05, **changes)
    text = config(chosen).model_dump_json()
    train(places(scene, features), out, out.with_name("scratch"), text, 1e9, "cpu")
    return out


def test_masks_are_needed(tmp_path, tiny_scene):
    with one_line_error("give --features"):
        run(tiny_scene, None, tmp_path / "out")


def test_masks_that_agree_in_no_view_become_features_that_agree_in_all(tmp_path, tiny_scene, masks):
    out = run(tiny_scene, masks, tmp_path / "out")
    field = open_field(out, "cpu")
    means, unit = field.trained.gaussians["means"], F.normalize(field.semantics, dim=-1)
    right = means[:, 0] > 0.2
    left = means[:, 0] < -0.2
    own = (unit[left].mean(0) @ unit[left].T).mean()
    other = (unit[left].mean(0) @ unit[right].T).mean()
    assert own - other > 0.3, (own, other)
    assert read_json(out / "run.json")["numbers"]["semantic_dim"] == 16


def test_features_that_are_not_numbers_are_refused(tmp_path, tiny_scene, masks, monkeypatch):
    from semsplat.train import run as module

    def broken(path, trainee, facts):
        with torch.no_grad():
            trainee.gaussians[SEMANTICS][0] = torch.nan
        write(path, trainee, facts)

    write = module.write_field
    monkeypatch.setattr(module, "write_field", broken)
    out = run(replace(tiny_scene), masks, tmp_path / "out")
    with one_line_error("not finite; train again"):
        open_field(out, "cpu")
