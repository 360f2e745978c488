"""A whole training from files to files, on the tiny plane."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from semsplat.bench.gpu.world import CLASSES, write_lessons_of
from semsplat.data.scene import Scene
from semsplat.features.lessons import Lessons
from semsplat.fit.state import load_state
from semsplat.geometry.__main__ import reconstruct
from semsplat.io import read_json
from semsplat.params.geometry import GeometryJob
from semsplat.params.methods import TrainingJob
from semsplat.splat.ply import read_ply
from semsplat.train import run as module
from semsplat.train.model import open_field
from semsplat.train.run import Places, train
from tests.unit.train.conftest import GEOMETRY, PARAMS, stop_at

SEED = 11


def config(**changes) -> str:
    options = {**PARAMS["methods"]["clip_gs"], "lr": {"semantics": 0.05, "decoder": 0.05}}
    options["coherent"] = {**options["coherent"], "start": 25}
    values = {
        "dataset": "made", "scene": "plane", "setting": "clip", "seed": 0, "run_seed": SEED,
        "steps_scaler": 1.0, "rates_scaler": 1.0, "method": "clip_gs", "options": options,
        "geometry": GEOMETRY, "log_every": 5, "teacher": PARAMS["features"]["teachers"]["clip"],
    }  # fmt: skip
    return TrainingJob(**(values | changes)).model_dump_json()


def trained(scene: Scene, lessons: Lessons, out: Path, **changes) -> Path:
    places = Places(scene.scene_dir, lessons.folder, None, None)
    train(places, out, out.with_name("scratch"), config(**changes), 1e9, "cpu")
    return out


@pytest.fixture(scope="module")
def folder(tiny_scene, lessons, tmp_path_factory) -> Path:
    return trained(tiny_scene, lessons, tmp_path_factory.mktemp("run") / "out")


def accuracy(folder: Path, scene: Scene, lessons: Lessons) -> float:
    """Return the share of held-out pixels whose class is the one that is right by x."""
    field, ids = open_field(folder, "cpu"), np.array([0, *lessons.class_ids])
    return float(np.mean([(field.class_map(f) == ids[lessons.view(f.name).labels]).mean()
                          for f in scene.test]))  # fmt: skip


def test_it_learns_classes_of_views_it_has_not_seen(folder, tiny_scene, lessons):
    assert accuracy(folder, tiny_scene, lessons) > 0.9


def test_one_view_that_is_taught_wrongly_is_outvoted(tiny_scene, tmp_path):
    wrong = write_lessons_of(tmp_path / "lessons", tiny_scene, swap=(tiny_scene.train[2].name,))
    right = write_lessons_of(tmp_path / "right", tiny_scene)
    found = trained(tiny_scene, wrong, tmp_path / "out")
    assert accuracy(found, tiny_scene, right) > 0.9


def test_the_card_says_what_was_learned_from_and_how_big_it_is(folder, lessons):
    card = read_json(folder / "run.json")
    assert set(card["inputs"]) == {"scene", "lessons"}
    assert set(card["outputs"]) == {"point_cloud.ply", "semantics.safetensors", "metrics.jsonl"}
    assert card["config"]["teacher"]["corruption"] is None
    numbers = card["numbers"]
    assert (numbers["semantic_dim"], numbers["device"]) == (3, "cpu")
    assert numbers["semantic_mb"] == pytest.approx(numbers["n_gaussians"] * 3 * 4 / 2**20, abs=1e-3)
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert "loss_l2d" in lines[0] and "loss_l3d" in lines[-1]


def test_semantics_that_stay_out_of_the_geometry_leave_it_bit_for_bit(folder, tiny_scene, tmp_path):
    place = {"dataset": "made", "scene": "plane", "seed": 0, "run_seed": SEED, "steps_scaler": 1.0}
    plain = GeometryJob(**place, geometry=GEOMETRY, log_every=5)
    reconstruct(tiny_scene.scene_dir, tmp_path / "out", tmp_path / "scratch",
                plain.model_dump_json(), 1e9, "cpu")  # fmt: skip
    alone, together = (read_ply(p / "point_cloud.ply") for p in (tmp_path / "out", folder))
    assert all(torch.equal(alone[key], together[key]) for key in alone)


@pytest.mark.usefixtures("saved_each_step")
def test_a_killed_training_resumes_to_identical_files(
    folder, tiny_scene, lessons, tmp_path, monkeypatch
):
    stop_at(monkeypatch, module, "joint_objective", 30)
    scratch = tmp_path / "scratch"
    with pytest.raises(KeyboardInterrupt):
        places = Places(tiny_scene.scene_dir, lessons.folder, None, None)
        train(places, tmp_path / "out", scratch, config(), 1e-9, "cpu")
    monkeypatch.undo()
    (key,) = {torch.load(scratch / "state.pt", weights_only=True)["run_key"]}
    assert load_state(scratch / "state.pt", key)["step"] == 30
    again = trained(tiny_scene, lessons, tmp_path / "out")
    for name in ("point_cloud.ply", "semantics.safetensors"):
        assert (again / name).read_bytes() == (folder / name).read_bytes(), name


def test_settings_of_one_seed_start_alike_whatever_they_attach(tiny_scene, lessons, tmp_path):
    options = {**json.loads(config())["options"], "dim": 8}
    wide = trained(tiny_scene, lessons, tmp_path / "wide/out", options=options)
    narrow = trained(tiny_scene, lessons, tmp_path / "narrow/out")
    first, second = (read_ply(p / "point_cloud.ply") for p in (wide, narrow))
    assert all(torch.equal(first[key], second[key]) for key in first)


def predicted(folder: Path, scene: Scene) -> set[int]:
    field = open_field(folder, "cpu")
    return {int(i) for frame in scene.test for i in np.unique(field.class_map(frame))}


def test_a_class_that_is_never_taught_is_never_predicted(tiny_scene, tmp_path):
    three = [*CLASSES, {"id": 9, "name": "unicorn"}]
    lessons = write_lessons_of(tmp_path / "lessons", tiny_scene, classes=three)
    assert predicted(trained(tiny_scene, lessons, tmp_path / "out"), tiny_scene) == {3, 8}


def test_a_scene_of_one_class_trains(tiny_scene, tmp_path):
    lessons = write_lessons_of(tmp_path / "lessons", tiny_scene, classes=CLASSES[:1])
    assert predicted(trained(tiny_scene, lessons, tmp_path / "out"), tiny_scene) == {3}
