"""Instances without a query."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from semsplat.data.images import read_ids
from semsplat.data.normal_frame import NormalFrame
from semsplat.data.scene import load_scene
from semsplat.evaluate.clusters import by_size, cluster, write_clusters
from semsplat.evaluate.protocols import instances
from semsplat.io import read_json
from semsplat.params.evaluate import Clusters
from semsplat.splat.cpu.harmonics import C0
from semsplat.splat.ply import read_ply
from semsplat.train.model import open_field
from tests.unit.data.scene_helpers import one_line_error
from tests.unit.evaluate.model_helpers import write_grouped, write_scene

MOVED = NormalFrame(np.array([100.0, -20.0, 3.0]), 4.0)
OPTIONS = Clusters(samples=100, min_opacity=0.1, min_share=0.1)
SIZES = (30, 60, 20)


def groups(tmp_path: Path, opacity: float = 0.9, spread: float = 0.01):
    """Return a field of three groups of Gaussians, and the group of each."""
    field = open_field(write_grouped(tmp_path / "model"), "cpu")
    truth = np.repeat(np.arange(3), SIZES)
    noise = torch.randn(len(truth), 3, generator=torch.Generator().manual_seed(0))
    features = torch.eye(3)[truth] * 7 + spread * noise
    gaussians = {
        k: v[:1].expand(len(truth), *v.shape[1:]) for k, v in field.trained.gaussians.items()
    }
    gaussians["opacities"] = torch.full((len(truth),), opacity).logit()
    trained = replace(field.trained, gaussians=gaussians)
    return replace(field, trained=trained, semantics=features), truth


def test_groups_are_found_the_largest_first(tmp_path):
    field, truth = groups(tmp_path)
    found = cluster(field, OPTIONS, seed=0)
    assert found.tolist() == np.array([1, 0, 2])[truth].tolist()


def test_gaussians_outside_the_sample_get_the_cluster_of_the_most_similar(tmp_path):
    field, truth = groups(tmp_path)
    found = cluster(field, OPTIONS.model_copy(update={"samples": 60}), seed=0)
    assert found.tolist() == np.array([1, 0, 2])[truth].tolist()


@pytest.mark.parametrize(
    ("opacity", "spread", "word"), [(0.05, 0.01, "opaque"), (0.9, 1e3, "none")]
)
def test_nothing_to_cluster_is_one_line(tmp_path, opacity, spread, word):
    field, _ = groups(tmp_path, opacity, spread)
    options = OPTIONS.model_copy(update={"min_share": 0.45}) if spread > 1 else OPTIONS
    with one_line_error(word):
        cluster(field, options, seed=0)


def test_clusters_are_numbered_by_size():
    assert by_size(np.array([5, 5, 9, 2, 2, 2])).tolist() == [1, 1, 2, 0, 0, 0]


def test_maps_and_splats_are_written(tmp_path, monkeypatch):
    from semsplat.evaluate import clusters

    monkeypatch.setattr(clusters, "cluster", lambda *_: np.array([1, 0]))
    scene_dir, model = write_scene(tmp_path / "scene"), write_grouped(tmp_path / "model")
    out = tmp_path / "clusters"
    write_clusters(scene_dir, model, out, OPTIONS, 0, "cpu")
    near = next(frame for frame in load_scene(scene_dir).test if frame.name == "cam/near")
    ids = read_ids(out / "maps/cam/near.png", (near.width, near.height))
    assert (ids[6, 4], ids[6, 12], ids[0, 0]) == (2, 1, 0)
    whole, left = read_ply(out / "clusters.ply"), read_ply(out / "objects/1.ply")
    assert len(whole["means"]) == 2 and left["means"][0, 0] < 0
    colours = whole["sh0"][:, 0] * C0 + 0.5
    assert (colours[0] - colours[1]).abs().max() > 0.1 and not whole["shN"].any()
    assert np.load(out / "ids.npy").tolist() == [1, 0]
    assert read_json(out / "scores.json") == {
        "protocol": "instances/ari@1",
        "ari": {"cam/near": None, "cam/far": None},  # the scene has no true instances
    }


def test_splats_are_in_the_scenes_own_coordinates(tmp_path, monkeypatch):
    from semsplat.evaluate import clusters

    moved = replace(load_scene(write_scene(tmp_path / "scene")), stored_in=MOVED)
    monkeypatch.setattr(clusters, "cluster", lambda *_: np.array([1, 0]))
    monkeypatch.setattr(clusters, "load_scene", lambda _: moved)
    model, out = write_grouped(tmp_path / "model"), tmp_path / "clusters"
    write_clusters(tmp_path / "scene", model, out, OPTIONS, 0, "cpu")
    own = MOVED.own(read_ply(model / "point_cloud.ply")["means"].numpy())
    assert np.allclose(read_ply(out / "clusters.ply")["means"], own)
    assert np.allclose(read_ply(out / "objects/0.ply")["means"], own[1:])


def test_the_rand_index_by_hand():
    truth = np.array([[1, 1, 2, 2, 0]])
    assert instances.score(np.array([[7, 7, 3, 3, 9]]), truth) == {"ari": 1}  # numbers mean nothing
    assert instances.score(np.array([[7, 7, 7, 7, 9]]), truth) == {"ari": 0}
    # of 6 pairs: 2 together in truth, 2 in the clusters, none in both; expected 2 * 2 / 6
    assert instances.score(np.array([[1, 2, 1, 2, 0]]), truth) == {"ari": pytest.approx(-0.5)}
    assert instances.score(truth, np.zeros_like(truth)) == {}
