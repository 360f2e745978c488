"""Whole trainings of the methods that answer masks: from files to files, and what they select."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from semsplat.bench.gpu.world import DIMENSIONS, LEFT, RIGHT, world_x, write_masks
from semsplat.data.scene import Scene
from semsplat.evaluate.boundary import iou
from semsplat.features.lessons import Lessons
from semsplat.features.store import SceneFeatures, ViewFeatures
from semsplat.io import read_json
from semsplat.params.methods import TrainingJob
from semsplat.train import run as module
from semsplat.train.methods import Reference, method
from semsplat.train.model import open_field
from semsplat.train.run import Places, train
from tests.unit.train.conftest import GEOMETRY, PARAMS, stop_at
from tests.unit.train.level_helpers import write_geometry

OPTIONS: dict[str, dict[str, Any]] = {
    "gaussian_grouping": {
        "classes": 4,
        "lr": {"semantics": 0.05, "decoder": 0.02},
        "neighbours": {"weight": 2.0, "every": 2, "samples": 50, "pool": 200, "near": 5},
    },
    "goi": {
        "steps": 60,
        "lr": {"semantics": 0.05, "decoder": 0.05},
        "table": {
            "entries": 4, "lr": 0.01, "start_every": 3, "start_per_view": 4,
            "start_iterations": 5,
        },
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def geometry(tiny_scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_geometry(tmp_path_factory.mktemp("geometry"), tiny_scene)


@pytest.fixture(scope="module")
def dense(tiny_scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> SceneFeatures:
    """Features of cells as fine as pixels, that lean to either side and a little elsewhere."""
    views, rng = {}, np.random.default_rng(3)
    for frame in (*tiny_scene.train, *tiny_scene.test):
        right = (world_x(frame) > 0)[..., None]
        cells = np.where(right, RIGHT, LEFT) + 0.1 * rng.normal(size=(*right.shape[:2], DIMENSIONS))
        cells /= np.linalg.norm(cells, axis=-1, keepdims=True)
        ids = right[None, ..., 0].astype(np.int16)
        half = cells.transpose(2, 0, 1).astype(np.float16)
        views[frame.name] = ViewFeatures(ids, np.ones(2, np.float16), None, half)
    return write_masks(tmp_path_factory.mktemp("dense"), tiny_scene, **views)


@pytest.fixture(params=list(OPTIONS))
def places(
    request: pytest.FixtureRequest,
    tiny_scene: Scene,
    lessons: Lessons,
    dense: SceneFeatures,
    geometry: Path,
) -> tuple[str, Places]:
    """A method and what it learns from."""
    sources = {
        "gaussian_grouping": (lessons.folder, None, None),
        "goi": (None, dense.folder, geometry),
    }
    return request.param, Places(tiny_scene.scene_dir, *sources[request.param])


def trained(asked: tuple[str, Places], out: Path) -> Path:
    name, places = asked
    values = {
        "dataset": "made", "scene": "plane", "setting": name, "seed": 0, "run_seed": 11,
        "steps_scaler": 1.0, "rates_scaler": 1.0, "method": name, "geometry": GEOMETRY,
        "options": PARAMS["methods"][name] | OPTIONS[name], "log_every": 5, "teacher": None,
    }  # fmt: skip
    config = TrainingJob(**values).model_dump_json()
    train(places, out, out.with_name(f"{out.name}_scratch"), config, 1e-9, "cpu")
    return out


FACTS: dict[str, dict[str, Any]] = {
    "gaussian_grouping": {"tracks": 2, "share_without_id": 0},
    "goi": {"vectors": "CLIP's dense maps in the place of APE's"},
}


def test_a_side_that_is_shown_in_one_view_is_selected_in_another(places, tiny_scene, tmp_path):
    folder = trained(places, tmp_path / "out")
    field, kind = open_field(folder, "cpu"), method(places[0])
    shown, other = tiny_scene.train[0], tiny_scene.test[0]
    text = torch.from_numpy(RIGHT).float()
    masks = [torch.from_numpy(world_x(shown) > 0), torch.from_numpy(world_x(shown) <= 0)]
    queries = [kind.query(field, Reference(shown, mask, text)) for mask in masks]
    right, left = kind.select(field, other, torch.stack(queries)).numpy()
    assert iou(right, world_x(other) > 0) > 0.8 and iou(left, world_x(other) <= 0) > 0.8
    numbers = read_json(folder / "run.json")["numbers"]
    assert {key: numbers[key] for key in FACTS[places[0]]} == FACTS[places[0]]
    assert numbers["semantic_dim"] == PARAMS["methods"][places[0]]["dim"]


def test_a_killed_training_resumes_to_the_same_field(places, tmp_path, monkeypatch):
    whole = trained(places, tmp_path / "whole")
    objective = {"gaussian_grouping": "joint_objective", "goi": "frozen_objective"}[places[0]]
    with monkeypatch.context() as patch:
        stop_at(patch, module, objective, 17)
        with pytest.raises(KeyboardInterrupt):
            trained(places, tmp_path / "again")
    with monkeypatch.context() as patch:
        stop_at(patch, module, objective, 5)  # a run that begins again would be stopped there
        again = trained(places, tmp_path / "again")
    for name in ("semantics.safetensors", "point_cloud.ply"):
        assert (whole / name).read_bytes() == (again / name).read_bytes()
