"""What a step teaches, and whom: gradients, schedules, neighbours."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from semsplat.arrays import write_arrays
from semsplat.data.scene import Scene
from semsplat.errors import SemsplatError
from semsplat.features.lessons import Lessons
from semsplat.features.store import SceneFeatures, ViewFeatures, write_view
from semsplat.fit.inputs import Inputs
from semsplat.fit.trainee import Trainee
from semsplat.fit.views import load_view
from semsplat.train.attached import SEMANTICS
from semsplat.train.coherent import neighbours, rendered_classes, voted_labels
from semsplat.train.methods import Stage, clip_gs, feature_3dgs
from semsplat.train.objectives import joint_objective, start_joint
from tests.unit.train.conftest import GEOMETRY, PARAMS

SHAPE = ("means", "quats", "scales", "opacities")
COLOURS = ("sh0", "shN")


def options(**changes) -> clip_gs.Options:
    base = clip_gs.Options(**PARAMS["methods"]["clip_gs"])
    coherent = base.coherent.model_copy(update=changes.pop("coherent", {}))
    return base.model_copy(update={**changes, "coherent": coherent})


def start(scene: Scene, lessons: Lessons, chosen: clip_gs.Options) -> tuple[Trainee, Stage]:
    torch.manual_seed(0)
    attachment = clip_gs.attach(chosen, lessons, None)
    trainee = start_joint(scene, GEOMETRY, attachment, 5, "cpu")
    stage = Stage(
        scene.train, lessons, None, trainee.gaussians, attachment.decoder, Inputs("cpu"), 0
    )
    return trainee, stage


def losses(scene, lessons, chosen, step):
    trainee, stage = start(scene, lessons, chosen)
    terms = clip_gs.semantic_terms(chosen, stage)
    objective = joint_objective(trainee, GEOMETRY, terms, chosen)
    return objective(step, load_view(scene.train[1], 1.0, Inputs("cpu")))[0], trainee


def gradients(term: torch.Tensor, trainee: Trainee) -> dict[str, bool]:
    """Tell of every tensor whether a term alone moves it."""
    named = dict(trainee.gaussians.items()) | dict(trainee.decoder.module.named_parameters())
    found = torch.autograd.grad(term, list(named.values()), allow_unused=True)
    return {
        key: grad is not None and bool(grad.any()) for key, grad in zip(named, found, strict=True)
    }


def test_t_and_the_rates_scale():
    scaled = options().scaled(0.05, 4.0)
    assert scaled.coherent.start == 750
    assert (scaled.lr.semantics, scaled.lr.decoder) == pytest.approx((0.01, 2e-3))
    assert (
        scaled.model_copy(update={"lr": options().lr, "coherent": options().coherent}) == options()
    )


def test_the_semantic_term_moves_semantics_and_decoder_alone(tiny_scene, lessons):
    found, trainee = losses(tiny_scene, lessons, options(), step=0)
    moved = gradients(found["l2d"], trainee)
    assert moved.pop(SEMANTICS) and moved.pop("weight") and moved.pop("bias")
    assert not any(moved.values()), moved


def test_the_switch_lets_it_move_shapes_but_never_colours(tiny_scene, lessons):
    found, trainee = losses(tiny_scene, lessons, options(moves_geometry=True), step=0)
    moved = gradients(found["l2d"], trainee)
    assert all(moved[key] for key in (*SHAPE, SEMANTICS, "weight"))
    assert not any(moved[key] for key in COLOURS)


def test_the_reconstruction_moves_everything_but_semantics(tiny_scene, lessons):
    found, trainee = losses(tiny_scene, lessons, options(), step=30)
    moved = gradients(found["l1"] + found["dssim"], trainee)
    assert all(moved[key] for key in (*SHAPE, "sh0"))
    assert not moved[SEMANTICS] and not moved["weight"]


def test_the_first_and_the_last_view_use_the_neighbour_that_exists(tiny_scene, lessons):
    stage = start(tiny_scene, lessons, options())[1]
    names = [frame.name for frame in tiny_scene.train]
    assert neighbours(stage, names[0]) == [1]
    assert neighbours(stage, names[2]) == [1, 3]
    assert neighbours(stage, names[-1]) == [len(names) - 2]


def test_a_single_view_votes_alone(tiny_scene, lessons):
    stage = start(tiny_scene, lessons, options())[1]
    alone = Stage(
        tiny_scene.train[:1], lessons, None, stage.gaussians, stage.decoder, Inputs("cpu"), 0
    )
    view = load_view(tiny_scene.train[0], 1.0, Inputs("cpu"))
    scores = torch.randn(view.height, view.width, 2)
    found = voted_labels(alone, view, scores, options().coherent)
    within = voted_labels(alone, view, scores, options(coherent={"vote": "within_view"}).coherent)
    assert torch.equal(found, within)


def test_labels_are_votes_of_what_the_three_views_render(tiny_scene, lessons):
    trainee, stage = start(tiny_scene, lessons, options())
    with torch.no_grad():  # what lies left of x = 0 is class 2, the rest class 1: not as taught
        trainee.gaussians[SEMANTICS][:] = 0
        trainee.gaussians[SEMANTICS][:, 0] = (trainee.gaussians["means"][:, 0] < 0) * 2.0 - 1.0
        stage.decoder.weight[:] = torch.tensor([[-1.0, 0, 0], [1.0, 0, 0]])
        stage.decoder.bias[:] = 0
    view = load_view(tiny_scene.train[2], 1.0, Inputs("cpu"))
    own = rendered_classes(stage, view)
    scores = torch.nn.functional.one_hot(own - 1, 2).float()
    found = voted_labels(stage, view, scores, options().coherent)
    regions = torch.from_numpy(stage.taught(view.name, "regions"))
    assert (found == torch.where(regions == 1, 1, 2)).all()


def test_pixels_outside_all_regions_keep_their_own_class_or_none(tiny_scene, lessons, tmp_path):
    stage = start(tiny_scene, lessons, options())[1]
    view = load_view(tiny_scene.train[0], 1.0, Inputs("cpu"))
    none = np.full((view.height, view.width), -1, np.int32)
    stage.known[view.name, "regions"] = none
    scores = torch.randn(view.height, view.width, 2)
    kept = voted_labels(stage, view, scores, options(coherent={"vote": "within_view"}).coherent)
    assert torch.equal(kept, scores.argmax(-1) + 1)
    quiet = options(coherent={"vote": "within_view", "uncovered": "ignore"}).coherent
    assert not voted_labels(stage, view, scores, quiet).any()


def test_at_half_size_the_neighbours_are_rendered_at_half_size_too(tiny_scene, lessons):
    stage = start(tiny_scene, lessons, options())[1]
    view = load_view(tiny_scene.train[1], 0.5, Inputs("cpu"))
    scores = torch.randn(view.height, view.width, 2)
    assert voted_labels(stage, view, scores, options().coherent).shape == (18, 24)


def test_no_gradient_flows_through_the_labels(tiny_scene, lessons):
    found, trainee = losses(tiny_scene, lessons, options(coherent={"start": 0}), step=0)
    moved = gradients(found["l3d"], trainee)
    assert moved.pop(SEMANTICS) and moved.pop("weight") and moved.pop("bias")
    assert not any(moved.values())


def write_clip(folder, scene, text):
    """Write features whose dense map of 2 x 2 cells is the second class on the right."""
    for frame in scene.train:
        dense = np.stack([np.array([[1, 0], [1, 0]]), np.array([[0, 1], [0, 1]])]).astype(
            np.float16
        )
        ids = np.zeros((1, frame.height, frame.width), np.int16)
        view = ViewFeatures(ids, np.ones(1, np.float16), None, dense)
        write_view(folder / "views" / f"{frame.name}.npz", view)
    write_arrays(folder / "text.npz", {"classes": text})
    return SceneFeatures(folder, {})


def test_feature_3dgs_learns_the_dense_map_and_answers_by_cosine(tiny_scene, lessons, tmp_path):
    features = write_clip(tmp_path, tiny_scene, np.eye(2, dtype=np.float32))
    chosen = feature_3dgs.Options(**PARAMS["methods"]["feature_3dgs"])
    attachment = feature_3dgs.attach(chosen, lessons, features)
    assert attachment.dim == 2
    trainee = start_joint(tiny_scene, GEOMETRY, attachment, 5, "cpu")
    assert trainee.decoder.optimizer is None
    stage = Stage(
        tiny_scene.train, lessons, features, trainee.gaussians, attachment.decoder, Inputs("cpu"), 0
    )
    view = load_view(tiny_scene.train[0], 1.0, Inputs("cpu"))
    terms = feature_3dgs.semantic_terms(chosen, stage)
    half = view.width // 2
    right = torch.zeros(view.height, view.width, 2)
    right[:, :half, 0] = 1
    right[:, half:, 1] = 1
    assert terms(0, view, right)["feature"].item() == pytest.approx(0)
    assert terms(0, view, 0 * right)["feature"].item() == pytest.approx(0.5)
    assert attachment.decoder(right).argmax(-1).float().mean() == pytest.approx(0.5)


def test_feature_3dgs_needs_a_teacher_with_features(lessons):
    chosen = feature_3dgs.Options(**PARAMS["methods"]["feature_3dgs"])
    with pytest.raises(SemsplatError, match="clip_regions"):
        feature_3dgs.attach(chosen, lessons, None)
