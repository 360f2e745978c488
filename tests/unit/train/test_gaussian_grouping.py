"""Gaussian Grouping's terms on views of 2 x 2 pixels and four Gaussians, by hand; and its start."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from semsplat.bench.gpu.world import write_lessons_of
from semsplat.data.manifest import write_manifest
from semsplat.data.scene import Scene
from semsplat.errors import SemsplatError
from semsplat.features.lessons import Lesson, Lessons, write_lesson
from semsplat.fit.inputs import Inputs
from semsplat.fit.trainee import Trainee
from semsplat.fit.views import load_view
from semsplat.train.attached import attach_to
from semsplat.train.methods import Stage, gaussian_grouping
from semsplat.train.objectives import joint_objective, start_joint
from tests.unit.train.conftest import GEOMETRY, PARAMS
from tests.unit.train.wired import lessons_of, row_of_gaussians, stage_of, view

LN2, LN3 = math.log(2), math.log(3)
ONES = [[1, 1], [1, 1]]
FIRST, SECOND = [[4, 4], [4, 7]], [[7, -1], [4, 4]]
"""tracks 4 and 7 have 5 and 2 pixels: ids 1 and 2"""


def options(**changes: Any) -> gaussian_grouping.Options:
    """Return the options of params.yaml with few ids and every Gaussian drawn at every 3rd step."""
    values = PARAMS["methods"]["gaussian_grouping"]
    neighbours = values["neighbours"] | {"every": 3, "samples": 4, "near": 2, "weight": 0.5}
    neighbours |= changes.pop("neighbours", {})
    small = {"dim": 3, "classes": 3, "neighbours": neighbours}
    return gaussian_grouping.Options(**values | small | changes)


def attached(lessons: Lessons, **changes: Any):
    """Return an attachment whose classifier gives the blended numbers as scores."""
    found = gaussian_grouping.attach(options(**changes), lessons, None)
    with torch.no_grad():
        found.decoder.scores.weight[:], found.decoder.scores.bias[:] = torch.eye(3), 0
    return found


@pytest.fixture
def lessons(tmp_path: Path) -> Lessons:
    return lessons_of(tmp_path, (ONES, ONES, FIRST), (ONES, ONES, SECOND))


@pytest.fixture
def stage(lessons: Lessons) -> Stage:
    """Return two views and four Gaussians on a line, the first two alike, as are the others."""
    held = torch.tensor([[LN3, 0, 0], [0.0, 0, 0], [0, LN3, 0], [0, LN3, 0]])
    made = stage_of(4, attached(lessons).decoder, held, lessons=lessons)
    with torch.no_grad():
        made.gaussians["means"][:, 0] = torch.tensor([0.0, 1, 10, 12])
    return made


def terms(stage: Stage, step: int, place: int = 0, blended: Tensor | None = None, **changes: Any):
    picture = torch.zeros(2, 2, 3) if blended is None else blended
    found = gaussian_grouping.semantic_terms(options(**changes), stage)(step, view(place), picture)
    return {name: value.item() for name, value in found.items()}


def test_every_pixel_learns_the_rank_of_its_track(stage):
    # scores log 3 for id 1: 3/5, 1/5, 1/5; the first view has ids 1 1 1 2, the second 2 0 1 1
    picture = torch.tensor([0.0, LN3, 0.0]).expand(2, 2, 3)
    right, wrong = math.log(5 / 3), math.log(5)
    first, second = (terms(stage, 1, place, picture)["l2d"] for place in (0, 1))
    assert first == pytest.approx((3 * right + wrong) / 4 / LN3)
    assert second == pytest.approx((2 * right + 2 * wrong) / 4 / LN3)
    assert terms(stage, 1, 0, picture, weight=0.25)["l2d"] == pytest.approx(first / 4)


def test_the_divergence_comes_at_its_own_steps(stage):
    assert [set(terms(stage, step)) for step in range(4)] == [
        {"l2d", "l3d"}, {"l2d"}, {"l2d"}, {"l2d", "l3d"},
    ]  # fmt: skip
    assert set(terms(stage, 0, neighbours={"weight": 0.0})) == {"l2d"}


def divergence(own: list[float], other: list[float]) -> float:
    return sum(p * math.log(p / q) for p, q in zip(own, other, strict=True))


def test_gaussians_are_compared_with_themselves_and_their_neighbours(stage):
    # pairs: each with itself, 0 with 1 and 1 with 0; 2 and 3 are alike
    here, there = [3 / 5, 1 / 5, 1 / 5], [1 / 3, 1 / 3, 1 / 3]
    expected = (divergence(here, there) + divergence(there, here)) / 8 / 3
    assert terms(stage, 3)["l3d"] == pytest.approx(0.5 * expected)
    assert terms(stage, 3, neighbours={"weight": 2.0})["l3d"] == pytest.approx(2 * expected)
    assert terms(stage, 3, neighbours={"near": 1})["l3d"] == pytest.approx(0, abs=1e-6)
    assert terms(stage, 3, neighbours={"pool": 1})["l3d"] == pytest.approx(0, abs=1e-6)


def test_step_and_seed_of_the_run_decide_who_is_drawn(lessons):
    def crowd(seed: int) -> Stage:
        held = torch.randn(60, 3, generator=torch.Generator().manual_seed(0))
        made = stage_of(60, attached(lessons).decoder, held, lessons=lessons, run_seed=seed)
        with torch.no_grad():
            made.gaussians["means"][:, 1] = held[:, 0]
        return made

    few = {"samples": 3}
    found = [terms(crowd(seed), step, neighbours=few)["l3d"]
             for seed, step in ((1, 3), (1, 3), (1, 6), (2, 3))]  # fmt: skip
    assert found[0] == found[1] and len({*found}) == 3


def test_positions_learn_nothing_by_the_divergence_and_numbers_and_classifier_do(stage):
    found = gaussian_grouping.semantic_terms(options(), stage)(0, view(0), torch.zeros(2, 2, 3))
    found["l3d"].backward()
    assert stage.gaussians["means"].grad is None
    assert stage.gaussians["semantics"].grad[:2].any()
    assert stage.decoder.scores.weight.grad.any()


# the start


def test_numbers_classifier_and_facts_of_the_start(lessons):
    rates = {"semantics": 0.03, "decoder": 0.07}
    found = gaussian_grouping.attach(options(dim=5, classes=2, lr=rates), lessons, None)
    assert (found.dim, found.rate, found.decoder_rate) == (5, 0.03, 0.07)
    assert found.decoder_eps == 1e-8 and found.shape == {"dim": 5, "classes": 2}
    assert sum(w.numel() for w in found.decoder.parameters()) == 5 * 2 + 2
    # track 7 has no id: its two pixels and the one in no track
    assert found.facts == {"tracks": 2, "share_without_id": 3 / 8}
    assert found.decoder.tracks.tolist() == [4]
    assert found.decoder.thresholds.tolist() == pytest.approx([0.7, 0.2])


def trainee_of(found: Any, count: int) -> Trainee:
    trainee = Trainee(row_of_gaussians(torch.zeros(count, 1)), {}, None, {})
    attach_to(trainee, found, 1e-15, torch.Generator().manual_seed(0))
    return trainee


def test_numbers_are_uniform_around_zero_as_rgb2sh_makes_them(lessons):
    trainee = trainee_of(gaussian_grouping.attach(options(dim=16), lessons, None), 2000)
    values = trainee.gaussians["semantics"].detach()
    bound = 0.5 / 0.28209479177387814
    assert values.min() >= -bound and values.max() < bound
    assert values.mean().item() == pytest.approx(0, abs=0.02)
    assert values.std().item() == pytest.approx(2 * bound / math.sqrt(12), rel=0.02)


def test_numbers_and_classifier_have_their_own_eps(lessons):
    trainee = trainee_of(gaussian_grouping.attach(options(), lessons, None), 4)
    assert trainee.optimizers["semantics"].param_groups[0]["eps"] == 1e-15
    assert [group["eps"] for group in trainee.decoder.optimizer.param_groups] == [1e-8]


def test_held_out_views_have_no_tracks_and_are_passed_over(tmp_path):
    maps = (np.zeros((2, 2), np.int32), np.zeros((2, 2), np.int32))
    write_lesson(tmp_path, "cam/held_out", Lesson(*maps))
    write_lesson(tmp_path, "seen", Lesson(*maps, np.array(FIRST, np.int32)))
    write_manifest(tmp_path, {"classes": []})
    lessons = Lessons(tmp_path, {"classes": [], "files": _files(tmp_path)})
    assert lessons.names == ["cam/held_out", "seen"]
    found = gaussian_grouping.attach(options(), lessons, None)
    assert found.facts == {"tracks": 2, "share_without_id": 0}


def _files(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*.npz"))]


def test_a_teacher_without_tracks_is_one_line(tmp_path):
    nowhere = [[-1, -1], [-1, -1]]
    lessons = lessons_of(tmp_path, (ONES, ONES, nowhere))
    with pytest.raises(SemsplatError, match="no tracks; name a teacher"):
        gaussian_grouping.attach(options(), lessons, None)


# schedules and gradients


def test_fewer_steps_compare_as_often_and_the_share_stays():
    published = gaussian_grouping.Options(**PARAMS["methods"]["gaussian_grouping"])
    assert published.scaled(1.0, 1.0) == published
    fewer = published.scaled(0.5, 4.0)
    assert fewer.neighbours.every == 2 and fewer.neighbours.weight == pytest.approx(2.0 * 2 / 5)
    assert fewer.lr == published.lr.times(4.0)
    least = published.scaled(0.03, 1.0)
    assert least.neighbours.every == 1 and least.neighbours.weight == pytest.approx(0.4)
    same = {"neighbours": published.neighbours, "lr": published.lr}
    assert fewer.model_copy(update=same) == published


@pytest.fixture
def plane_lessons(tiny_scene: Scene, tmp_path: Path) -> Lessons:
    return write_lessons_of(tmp_path / "plane", tiny_scene)


def test_the_ids_reach_shapes_and_never_colours(tiny_scene, plane_lessons):
    chosen = options(dim=16, classes=4)
    found = gaussian_grouping.attach(chosen, plane_lessons, None)
    trainee = start_joint(tiny_scene, GEOMETRY, found, 5, "cpu")
    stage = Stage(tiny_scene.train, plane_lessons, None, trainee.gaussians, found.decoder,
                  Inputs("cpu"), 5)  # fmt: skip
    objective = joint_objective(
        trainee, GEOMETRY, gaussian_grouping.semantic_terms(chosen, stage), chosen
    )
    losses, _, _ = objective(1, load_view(tiny_scene.train[1], 1.0, Inputs("cpu")))
    named = dict(trainee.gaussians.items())
    grads = torch.autograd.grad(losses["l2d"], list(named.values()), allow_unused=True)
    moved = {k: g is not None and bool(g.any()) for k, g in zip(named, grads, strict=True)}
    assert all(moved[key] for key in ("means", "quats", "scales", "opacities", "semantics"))
    assert not moved["sh0"] and not moved["shN"]
