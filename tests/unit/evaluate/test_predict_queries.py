"""What a trained field answers to prompts, written to disk and scored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from semsplat.arrays import read_arrays
from semsplat.bench.gpu.world import DIMENSIONS, write_levels
from semsplat.errors import SemsplatError
from semsplat.features.cache import Cache
from semsplat.features.queries import Texts
from semsplat.features.store import open_features
from semsplat.io import read_json, write_json
from tests.unit.evaluate.job_helpers import run_predict, run_score
from tests.unit.train.level_helpers import trained, write_geometry

PROMPTS = {"left": 0, "right": 1}
TINY_CLIP = {
    "architecture": "semsplat-tiny",
    "weights": "embedded",
    "precision": "float32",
    "sha256": "f3ec778fcd7bc0024b8ad2b985b31088af452288fb60883c9155e6ebf1d02651",
}


@pytest.fixture(scope="module")
def predictions(tiny_scene, tmp_path_factory) -> Path:
    """Return what GAGS says about the halves of the plane, which it was taught as two parts."""
    root = tmp_path_factory.mktemp("queries")
    features = write_levels(root / "levels", tiny_scene)
    geometry = write_geometry(root / "geometry", tiny_scene)
    model = trained(tiny_scene, features, geometry, root / "model", levels="part", steps=100)
    out = root / "results/evaluate/made/plane/gags/0/predictions"
    with pytest.MonkeyPatch.context() as patch:
        rows = torch.eye(DIMENSIONS)
        patch.setattr(Texts, "encode", lambda _, prompts: rows[[PROMPTS[p] for p in prompts]])
        scene_dir, cache = tiny_scene.scene_dir, root / "cache"
        run_predict(("relevancy",), scene_dir, model, out, features.folder, cache)
    return out


def test_annotated_views_alone_are_asked_for_their_own_prompts(predictions):
    found = {path.stem: read_arrays(path) for path in (predictions / "relevancy").iterdir()}
    assert set(found) == {"view_0", "view_1"}
    for arrays in found.values():
        assert arrays["prompts"].tolist() == ["left", "right"]
        assert arrays["relevancy"].shape == (2, 1, 36, 48)
        assert arrays["relevancy"].dtype == np.float16
        assert arrays["silhouettes"].shape == (2, 36, 48)
        assert arrays["silhouettes"].dtype == np.float16
        np.testing.assert_allclose(arrays["factors"].sum(axis=0), 1, atol=2e-3)
    assert {"model", "semantics", "device"} <= set(read_json(predictions / "manifest.json"))


def test_the_right_half_is_found_on_the_right(predictions, tiny_scene):
    left, right = read_arrays(predictions / "relevancy/view_0.npz")["relevancy"][:, 0]
    middle = round(0.7 * 40 / 3 + 24)  # where x = 0 is in the first view
    assert (right[:, middle + 2 :] > 0.5).mean() > 0.95 > (right[:, : middle - 2] > 0.5).mean()
    assert (left[:, : middle - 2] > 0.5).mean() > 0.95
    left, right = read_arrays(predictions / "relevancy/view_0.npz")["silhouettes"]
    assert right[:, middle + 2 :].mean() > 0.8 > 0.2 > right[:, : middle - 2].mean()
    assert left[:, : middle - 2].mean() > 0.8 > 0.2 > left[:, middle + 2 :].mean()
    out = predictions.parent / "scores.json"
    run_score(("relevancy",), tiny_scene.scene_dir, predictions, out)
    metrics = read_json(out)["metrics"]
    assert metrics["query_miou_frozen"] > 0.85 and metrics["train_query_miou_frozen"] > 0.85
    assert metrics["localisation_scaled"] == 1
    assert metrics["select3d_miou"] > 0.7 and metrics["select3d_accuracy"] == 1


def test_texts_are_encoded_by_the_features_own_model_and_templates(tmp_path):
    manifest = {"models": {"clip": TINY_CLIP}, "templates": ["{}", "a {}"]}
    write_json(tmp_path / "manifest.json", manifest)
    texts = Texts(open_features(tmp_path), "cpu")
    table, leg = texts.encode(["table", "table leg"])
    assert table.norm().item() == pytest.approx(1, abs=1e-5) and not torch.equal(table, leg)
    write_json(tmp_path / "manifest.json", {**manifest, "templates": ["{}"]})
    other = Texts(open_features(tmp_path), "cpu").encode(["table"])[0]
    assert not torch.allclose(table, other)


def test_a_prompt_in_the_cache_opens_no_model(tmp_path, monkeypatch):
    manifest = {"models": {"clip": TINY_CLIP}, "templates": ["{}", "a {}"]}
    write_json(tmp_path / "manifest.json", manifest)
    features, cache = open_features(tmp_path), Cache(tmp_path / "cache")
    fresh = Texts(features, "cpu").encode(["table"])
    assert torch.equal(Texts(features, "cpu", cache).encode(["table"]), fresh)

    def refuse(*_):
        raise AssertionError("a model was opened")

    monkeypatch.setattr("semsplat.features.clip.open_model", refuse)
    assert torch.equal(Texts(features, "cpu", cache).encode(["table"]), fresh)
    for other in ({"templates": ["{}"]}, {"models": {"clip": {**TINY_CLIP, "sha256": "0" * 64}}}):
        write_json(tmp_path / "manifest.json", {**manifest, **other})
        with pytest.raises((AssertionError, SemsplatError)):  # neither may be served the vector
            Texts(open_features(tmp_path), "cpu", cache).encode(["table"])
