"""The benchmark of the features compares like with like."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semsplat.bench import features as bench
from semsplat.features.extraction import write_features
from semsplat.io import read_json
from tests.unit.data.scene_helpers import one_line_error
from tests.unit.features.conftest import two_blocks, write_wall_geometry

KEYS = {
    *("batched_s", "batched_masks_s", "batched_vectors_s"),
    *("loop_s", "loop_masks_s", "loop_vectors_s", "times_faster"),
    *("n_regions", "views_with_other_regions", "pixels_differ", "vectors_differ"),
    *("size_px", "bytes_per_image"),
}


@pytest.fixture
def extracted(run_of: Any, write_scene: Any, tmp_path: Path, monkeypatch: Any) -> None:
    """One scene under two recipes, in the working directory."""
    runs = {name: run_of(name) for name in ("granular", "weightless")}
    scene = write_scene([two_blocks(), two_blocks()[::-1], two_blocks()[:, ::-1]], "data")
    wall = write_wall_geometry(tmp_path / "geometry", z=3.0)
    monkeypatch.chdir(tmp_path)
    for name, run in runs.items():
        geometry = wall if name == "granular" else None
        folder = f"{name}/0" if geometry else f"{name}/all"
        out = Path("results/features/made/scene", folder)
        write_features(scene, out, Path("cache"), run.model_dump_json(), geometry, "cpu")


def test_both_ways_find_the_same(extracted: None) -> None:
    report = bench.benchmark(["made/scene/granular/0", "made/scene/weightless/all"], 1, "cpu")
    assert report.keys() == {"protocol", "machine", "git", "device", "torch_threads", "runs"}
    json.dumps(report)
    for run, row in report["runs"].items():
        assert row.keys() == KEYS and row["n_regions"] > 0 and row["size_px"] == [48, 36]
        assert row["views_with_other_regions"] == row["pixels_differ"] == 0
        assert row["vectors_differ"] < 1e-3  # half precision
        sizes = [p.stat().st_size for p in Path("results/features", run).glob("views/*")]
        assert row["bytes_per_image"] == round(np.mean(sizes))


def test_times_are_means_over_views_and_add_up() -> None:
    times = {f"{way}_{part}_s": 1.0 for way in ("batched", "loop") for part in ("masks", "vectors")}
    same = {"n_regions": 2, "pixels_differ": 0, "vectors_differ": 0.0}
    other = {"n_regions": 4, "pixels_differ": None, "vectors_differ": 0.5}
    row = bench.summary([times | same | {"loop_masks_s": 7.0}, times | other])
    assert row["batched_s"] == 2 and row["loop_s"] == 5 and row["times_faster"] == 2.5
    assert (row["n_regions"], row["views_with_other_regions"]) == (3, 1)
    assert row["vectors_differ"] == 0.5


def test_one_at_a_time_changes_batches_alone(extracted: None) -> None:
    card = read_json(Path("results/features/made/scene/granular/0/run.json"))
    run = bench.FeaturesJob.model_validate(card["config"])
    single = bench.one_at_a_time(bench.Models(run, None, None)).run.recipe  # type: ignore[arg-type]
    options = {**run.recipe.segmenter.options, "points_per_batch": 1}
    segmenter = run.recipe.segmenter.model_copy(update={"options": options})
    assert single == run.recipe.model_copy(update={"segmenter": segmenter, "crop_batch": 1})


def test_a_run_that_is_no_place_of_features_is_one_line() -> None:
    with one_line_error("made/scene", "dataset/scene/recipe/seed"):
        bench.measure("made/scene", 1, "cpu")
