"""GAGS and the fusion in N2F2's manner, from features on disk to a field that answers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import Identity, ParameterDict

from semsplat.arrays import write_arrays
from semsplat.bench.gpu.world import DIMENSIONS, LEFT, RIGHT, level_view, world_x, write_levels
from semsplat.data.scene import Scene
from semsplat.errors import SemsplatError
from semsplat.features.queries import Texts
from semsplat.features.store import SceneFeatures, ViewFeatures
from semsplat.fit.inputs import Inputs
from semsplat.fit.state import load_state
from semsplat.fit.views import load_view
from semsplat.io import read_json
from semsplat.splat.ply import read_ply
from semsplat.train import run as module
from semsplat.train.granularity import level_maps
from semsplat.train.methods import Stage, gags, n2f2
from semsplat.train.model import SemanticField, open_field
from semsplat.train.run import Places, train
from tests.unit.train.conftest import PARAMS, stop_at
from tests.unit.train.level_helpers import config, trained, write_geometry


@pytest.fixture(scope="module")
def features(tiny_scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> SceneFeatures:
    return write_levels(tmp_path_factory.mktemp("levels"), tiny_scene)


@pytest.fixture(scope="module")
def geometry(tiny_scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_geometry(tmp_path_factory.mktemp("geometry"), tiny_scene)


@pytest.fixture(scope="module")
def folder(tiny_scene, features, geometry, tmp_path_factory) -> Path:
    return trained(tiny_scene, features, geometry, tmp_path_factory.mktemp("gags") / "out")


def opened(folder: Path) -> SemanticField:
    """Return the field of a training; rendering asks run.json for harmonics and background."""
    return open_field(folder, "cpu")


def test_it_finds_the_level_on_which_all_views_agree(folder, tiny_scene):
    field = opened(folder)
    for frame in tiny_scene.test:
        found = gags.vectors(field, frame)
        assert found.factors is not None and found.maps.shape == (1, 36, 48, DIMENSIONS)
        assert (found.factors.argmax(-1) == 1).float().mean() > 0.9
        right = torch.from_numpy(np.where((world_x(frame) > 0)[..., None], RIGHT, LEFT)).float()
        assert (found.maps[0] * right).sum(-1).mean() > 0.9


def test_the_geometry_stays_as_it_is_bit_for_bit(folder, geometry):
    before, after = (read_ply(f / "point_cloud.ply") for f in (geometry, folder))
    assert all(torch.equal(before[key], after[key]) for key in before)


def test_the_card_names_features_and_geometry_as_inputs(folder):
    card = read_json(folder / "run.json")
    assert set(card["inputs"]) == {"scene", "features", "geometry"}
    assert card["config"]["teacher"] is None and card["numbers"]["semantic_dim"] == 16


@pytest.mark.parametrize(
    "options",
    [
        {"levels": "average"},
        {"levels": "part"},
        {"region_aware": False, "entropy": {"early": 0.0, "late": 0.0}},
        {"decoder": {"networks": "separate", "hidden_share": 4.0}, "distill": "l1_mixture",
         "pixels": "zeros", "consistency_of": "features", "late_from": 0},
    ],
)  # fmt: skip
def test_every_variant_learns(tiny_scene, features, geometry, tmp_path, options):
    out = trained(tiny_scene, features, geometry, tmp_path / "out", steps=40, **options)
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["loss_distill"] < 0.9 * lines[0]["loss_distill"]
    assert ("loss_entropy" in lines[0]) == (options.get("levels") is None)


def test_one_level_alone_is_learned_as_if_there_were_no_other(
    tiny_scene, features, geometry, tmp_path
):
    field = opened(trained(tiny_scene, features, geometry, tmp_path / "out", levels="part"))
    frame = tiny_scene.test[0]
    right = torch.from_numpy(np.where((world_x(frame) > 0)[..., None], RIGHT, LEFT)).float()
    assert (gags.vectors(field, frame).maps[0] * right).sum(-1).mean() > 0.95


@pytest.mark.usefixtures("saved_each_step")
def test_a_killed_training_resumes_to_identical_files(
    tiny_scene, features, geometry, tmp_path, monkeypatch
):
    whole = trained(tiny_scene, features, geometry, tmp_path / "whole", steps=30)
    stop_at(monkeypatch, module, "frozen_objective", 20)
    places = Places(tiny_scene.scene_dir, None, features.folder, geometry)
    scratch = tmp_path / "again_scratch"
    with pytest.raises(KeyboardInterrupt):
        train(places, tmp_path / "again", scratch, config(steps=30), 1e-9, "cpu")
    monkeypatch.undo()
    (key,) = {torch.load(scratch / "state.pt", weights_only=True)["run_key"]}
    state = load_state(scratch / "state.pt", key)
    assert state is not None and state["step"] == 20
    assert set(state["content"]["gaussians"]) == {"semantics"}  # what stays is not saved
    again = trained(tiny_scene, features, geometry, tmp_path / "again", steps=30)
    for name in ("point_cloud.ply", "semantics.safetensors"):
        assert (again / name).read_bytes() == (whole / name).read_bytes(), name


# views with little to teach


def without(view: ViewFeatures, *levels: int) -> ViewFeatures:
    ids = view.ids.copy()
    ids[list(levels)] = -1
    return replace(view, ids=ids)


def no_masks(scene: Scene) -> ViewFeatures:
    frame = scene.train[0]
    ids = np.full((3, frame.height, frame.width), -1, np.int16)
    return ViewFeatures(ids, np.zeros(0, np.float16), np.zeros((0, DIMENSIONS), np.float16), None)


@pytest.mark.parametrize("method", ["gags", "n2f2"])
@pytest.mark.parametrize("pixels", ["all_levels", "any_level", "zeros"])
def test_views_without_masks_and_with_empty_levels_teach_what_they_have(
    tiny_scene, geometry, tmp_path, monkeypatch, method, pixels
):
    monkeypatch.setattr(Texts, "encode", lambda _, prompts: torch.eye(DIMENSIONS)[: len(prompts)])
    whole = level_view(tiny_scene.train[1], np.random.default_rng(0))
    names = [frame.name for frame in tiny_scene.train]
    views = {
        names[0]: no_masks(tiny_scene),
        names[1]: without(whole, 2),
        names[2]: without(whole, 0),
    }
    features = write_levels(tmp_path / "levels", tiny_scene, **views)
    options = {"pixels": pixels, "late_from": 0} if method == "gags" else {}
    out = trained(
        tiny_scene, features, geometry, tmp_path / "out", method=method, steps=12, **options
    )
    assert all(
        t.isfinite().all() for t in (opened(out).semantics, *opened(out).decoder.parameters())
    )
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert all(np.isfinite(line["loss"]) for line in lines)


def test_levels_are_read_at_the_size_of_the_view(tiny_scene, features):
    inputs = Inputs("cpu")
    stage = Stage(tiny_scene.train, None, features, ParameterDict(), Identity(), inputs, 0)
    maps = level_maps(stage, load_view(tiny_scene.train[0], 0.5, inputs))
    assert maps.ids.shape == (3, 18, 24) and maps.targets.shape == (3, 18, 24, DIMENSIONS)


def test_one_training_view_is_enough(tiny_scene, features, geometry, tmp_path, monkeypatch):
    one = replace(tiny_scene, train=tiny_scene.train[:1])
    monkeypatch.setattr("semsplat.train.run.load_scene", lambda _: one)
    out = trained(tiny_scene, features, geometry, tmp_path / "out", steps=12)
    assert read_json(out / "run.json")["numbers"]["n_train_views"] == 1


# N2F2


def test_the_fusion_prefers_the_level_that_sounds_like_a_phrase(
    tiny_scene, features, geometry, tmp_path, monkeypatch
):
    phrases = torch.from_numpy(np.stack([LEFT, RIGHT])).float()
    monkeypatch.setattr(Texts, "encode", lambda *_: phrases)
    out = trained(tiny_scene, features, geometry, tmp_path / "out", method="n2f2")
    field = opened(out)
    assert torch.equal(field.decoder.phrases, phrases) and field.semantics.shape[1] == 48
    found = n2f2.vectors(field, tiny_scene.test[0])
    assert found.factors is not None and (found.factors.argmax(-1) == 1).float().mean() > 0.9


# what is missing


@pytest.mark.parametrize("missing", ["features", "geometry"])
def test_a_source_that_is_not_given_is_one_line(tiny_scene, features, geometry, tmp_path, missing):
    given = {"features": features.folder, "geometry": geometry, missing: None}
    places = Places(tiny_scene.scene_dir, None, **given)
    with pytest.raises(SemsplatError, match=f"give --{missing}"):
        train(places, tmp_path / "out", tmp_path / "scratch", config(), 1e9, "cpu")


def test_features_without_canonical_phrases_are_refused(tiny_scene, tmp_path):
    features = write_levels(tmp_path, tiny_scene)
    write_arrays(tmp_path / "text.npz", {"classes": np.eye(DIMENSIONS, dtype=np.float32)})
    options = gags.Options.model_validate(PARAMS["methods"]["gags"])
    with pytest.raises(SemsplatError, match="no canonical prompts"):
        gags.attach(options, None, features)
