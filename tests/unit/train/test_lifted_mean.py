"""Lifting by the weighted mean: from disk to disk, from training views alone, and its answer."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from semsplat.bench.gpu.world import LEFT, RIGHT, level_view, world_x, write_levels, write_masks
from semsplat.data.scene import Scene
from semsplat.errors import SemsplatError
from semsplat.io import read_json, read_json_lines
from semsplat.train.lifting import Unit, WeightedMean
from semsplat.train.methods import lifted_mean
from semsplat.train.model import open_field
from semsplat.train.run import Places
from tests.unit.train.conftest import PARAMS
from tests.unit.train.level_helpers import write_geometry
from tests.unit.train.lift_helpers import X, Y, lifted, lifted_config
from tests.unit.train.wired import frame

TOLD = lifted_config("lifted_mean")


@pytest.fixture(scope="module")
def places(tiny_scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Places:
    levels = write_levels(tmp_path_factory.mktemp("levels"), tiny_scene).folder
    geometry = write_geometry(tmp_path_factory.mktemp("geometry"), tiny_scene)
    return Places(tiny_scene.scene_dir, None, levels, geometry)


def semantics(folder: Path) -> torch.Tensor:
    return open_field(folder, "cpu").semantics


def test_nothing_is_scaled_and_a_gaussian_holds_three_vectors():
    told = lifted_mean.Options.model_validate(PARAMS["methods"]["lifted_mean"])
    assert told.scaled(0.5, 4.0) == told and told.held(512) == 1536


def test_it_lifts_in_one_pass_and_answers_from_disk(tiny_scene, places, tmp_path):
    out = lifted(places, tmp_path / "out", TOLD)
    card = read_json(out / "run.json")
    numbers, n_views = card["numbers"], len(tiny_scene.train)
    field = open_field(out, "cpu")
    assert numbers["semantic_dim"] == 3 * len(LEFT) == field.semantics.shape[1]
    assert numbers["train_s"] >= 0 and numbers["prepare_s"] >= 0 and numbers["compile_s"] >= 0
    assert numbers["n_train_views"] == n_views and "features" in card["inputs"]
    lines = read_json_lines(out / "metrics.jsonl")
    assert [line["step"] for line in lines] == list(range(n_views))
    assert 0 < lines[0]["seen"] <= lines[-1]["seen"] <= 1
    assert (out / "point_cloud.ply").read_bytes() == (
        places.geometry / "point_cloud.ply"
    ).read_bytes()
    for seen in tiny_scene.test:
        right = torch.from_numpy(np.where((world_x(seen) > 0)[..., None], RIGHT, LEFT)).float()
        said = lifted_mean.vectors(field, seen).maps
        assert said.shape == (3, seen.height, seen.width, len(LEFT))
        assert (said[1] * right).sum(-1).mean() > 0.9


def test_every_training_view_is_lifted_once_and_no_other(tiny_scene, places, tmp_path, monkeypatch):
    seen, inner = [], WeightedMean.add

    def noting(lift, camera):
        seen.append((camera.name, camera.width, camera.height))
        inner(lift, camera)

    monkeypatch.setattr(WeightedMean, "add", noting)
    out = lifted(places, tmp_path / "out", TOLD)
    assert sorted(seen) == sorted((f.name, f.width, f.height) for f in tiny_scene.train)
    levels = write_levels(tmp_path / "levels", tiny_scene).folder
    for held_out in tiny_scene.test:
        (levels / "views" / f"{held_out.name}.npz").unlink()
    alone = Places(places.scene, None, levels, places.geometry)
    blind = lifted(alone, tmp_path / "blind", TOLD)
    assert torch.equal(semantics(blind), semantics(out))


def test_each_level_is_lifted_from_its_own_regions(tiny_scene, places, tmp_path):
    """The whole of a view has one vector; what it says reaches the third level alone."""
    rng = np.random.default_rng(5)
    views = {}
    for one in tiny_scene.train:
        view = level_view(one, rng, len(LEFT))
        table = view.vectors.copy()
        table[view.ids[2].max()] = -LEFT
        view.ids[2] = view.ids[2].max()
        views[one.name] = type(view)(view.ids, view.scores, table)
    levels = write_levels(tmp_path / "levels", tiny_scene, **views).folder
    changed = Places(places.scene, None, levels, places.geometry)
    held = semantics(lifted(changed, tmp_path / "out", TOLD)).unflatten(-1, (3, -1))
    seen = held[:, 2].norm(dim=-1) > 0
    expected = torch.from_numpy(-LEFT).float()
    assert seen.any() and torch.allclose(
        held[seen, 2], expected.expand_as(held[seen, 2]), atol=1e-3
    )
    assert not torch.allclose(held[:, 1], held[:, 2], atol=0.1)


def test_a_recipe_of_one_layer_has_one_map(tiny_scene, places, tmp_path):
    masks = write_masks(tmp_path / "masks", tiny_scene).folder
    one = Places(places.scene, None, masks, places.geometry)
    field = open_field(lifted(one, tmp_path / "out", TOLD), "cpu")
    assert field.facts.shape["levels"] == 1
    said = lifted_mean.vectors(field, tiny_scene.test[0])
    assert said.maps.shape[0] == 1 and said.factors is None
    right = np.where((world_x(tiny_scene.test[0]) > 0)[..., None], RIGHT, LEFT)
    assert (said.maps[0] * torch.from_numpy(right).float()).sum(-1).mean() > 0.9


def test_means_of_length_one_where_asked(places, tmp_path):
    out = lifted(places, tmp_path / "out", lifted_config("lifted_mean", length="unit"))
    lengths = semantics(out).unflatten(-1, (3, -1)).norm(dim=-1)
    assert torch.allclose(lengths[lengths > 0], torch.ones(()), atol=1e-5)
    means = semantics(lifted(places, tmp_path / "mean", TOLD)).unflatten(-1, (3, -1)).norm(dim=-1)
    assert means.max() < 1.001 and (means[means > 0] < 0.999).any()


@pytest.mark.usefixtures("saved_each_step")
def test_a_killed_lifting_resumes_to_identical_files(places, tmp_path, monkeypatch):
    whole = lifted(places, tmp_path / "whole", TOLD)
    inner, calls = WeightedMean.add, []

    def stopping(lift, camera):
        if len(calls) == 4:
            raise KeyboardInterrupt
        calls.append(camera.name)
        inner(lift, camera)

    with monkeypatch.context() as patch:
        patch.setattr(WeightedMean, "add", stopping)
        with pytest.raises(KeyboardInterrupt):
            lifted(places, tmp_path / "again", TOLD, 1e-9)
        patch.setattr(WeightedMean, "add", lambda lift, c: calls.append(c.name) or inner(lift, c))
        again = lifted(places, tmp_path / "again", TOLD, 1e-9)
    assert len(calls) == len(set(calls)) == 6
    for name in ("point_cloud.ply", "semantics.safetensors"):
        assert (again / name).read_bytes() == (whole / name).read_bytes(), name


def test_without_features_or_geometry_it_says_what_to_give(places, tmp_path):
    for lacking, need in (
        (Places(places.scene, None, None, places.geometry), "features"),
        (Places(places.scene, None, places.features, None), "geometry"),
    ):
        with pytest.raises(SemsplatError, match=f"learns from {need}"):
            lifted(lacking, tmp_path / need, TOLD)


def test_the_answer_renders_every_level_on_its_own():
    held, seen, asked = torch.tensor([[*X, *Y, 0.6, 0.8]]), frame(0), []

    def blend(frame, shown):
        assert frame is seen
        asked.append(shown.tolist())
        return shown[None] / 2

    facts = SimpleNamespace(shape={"out": 2, "levels": 3})
    field = SimpleNamespace(semantics=held, decoder=Unit(), blend=blend, facts=facts)
    found = lifted_mean.vectors(field, seen)
    assert asked == [[X], [Y], [pytest.approx([0.6, 0.8])]]
    assert found.maps[:, 0, 0].flatten().tolist() == pytest.approx([*X, *Y, 0.6, 0.8])
