"""What a suite computes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from semsplat.params.check import check
from semsplat.params.geometry import Geometry, GeometryRun
from semsplat.params.runs import (
    FeatureRun,
    Run,
    feature_runs,
    geometry_run,
    run_seed,
    runs,
    scaled_geometry,
    scene_options,
)

CONFIG: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[3] / "params.yaml").read_text(encoding="utf-8")
)
PARAMS = check(CONFIG)
PAPER: Geometry = PARAMS.geometry

COUNTS = {
    "": ("steps", "sh_every"),
    "densify": ("start", "stop", "every", "reset_every"),
    "progressive": ("scale_steps", "interval_start", "interval_steps"),
}
"""All iteration counts; nothing else may scale."""


def counts(geometry: Geometry) -> dict[str, int]:
    return {
        f"{part}.{key}": getattr(getattr(geometry, part) if part else geometry, key)
        for part, keys in COUNTS.items()
        for key in keys
    }


def test_runs_come_in_the_order_of_the_file() -> None:
    suite = {"scenes": ["procedural/table", "procedural/den"], "seeds": [2, 0]}
    config = {**CONFIG, "suites": {"demo": {**CONFIG["suites"]["demo"], **suite}}}
    assert runs(check(config)) == [
        Run("procedural", "table", 2),
        Run("procedural", "table", 0),
        Run("procedural", "den", 2),
        Run("procedural", "den", 0),
    ]


def test_the_features_of_a_suite_are_those_that_its_figures_show() -> None:
    recipe = next(iter(CONFIG["features"]["recipes"].values()))
    recipes = {"fine": recipe, "coarse": recipe, "unused": recipe}
    look = {"n_views": 2, "row_height_in": 1.0, "dpi": 100}
    shown = {"a": "fine", "b": "coarse", "c": "fine", "d": "unused"}
    figures = {n: {"kind": "masks", "options": {**look, "recipe": r}} for n, r in shown.items()}
    suite = {
        "scenes": ["procedural/table", "procedural/den"],
        "figures": ["a", "scores", "b", "c"],
    }
    config = {
        **CONFIG,
        "suites": {"demo": {**CONFIG["suites"]["demo"], **suite}},
        "features": {**CONFIG["features"], "recipes": recipes},
        "figures": {"scores": CONFIG["figures"]["scores"], **figures},
    }
    assert feature_runs(check(config)) == [
        FeatureRun("procedural", "den", "coarse"),
        FeatureRun("procedural", "den", "fine"),
        FeatureRun("procedural", "table", "coarse"),
        FeatureRun("procedural", "table", "fine"),
    ]
    config["suites"]["demo"]["figures"] = ["scores"]
    assert feature_runs(check(config)) == []


def test_a_scene_replaces_options_of_its_data_set() -> None:
    common = CONFIG["datasets"]["procedural"]["options"]
    nook = CONFIG["datasets"]["procedural"]["scenes"]["nook"]
    assert scene_options(PARAMS, "procedural", "nook") == {**common, **nook} != common


def test_the_seed_of_a_run_is_pinned() -> None:
    assert run_seed(20240414, Run("procedural", "room", 0), "geometry") == 333_093_523


def test_each_run_and_setting_has_its_own_seed() -> None:
    places = [Run(d, s, n) for d in ("a", "b") for s in ("x", "y") for n in range(5)]
    seeds = {run_seed(m, p, t) for m in (0, 1) for p in places for t in ("geometry", "cgc")}
    assert len(seeds) == 2 * len(places) * 2
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_a_scaler_of_one_changes_nothing() -> None:
    assert scaled_geometry(PAPER, 1.0) == PAPER


def test_the_papers_numbers_scale_down_to_their_floors() -> None:
    # 0.05 x 30000, 1000; 500, 15000, 100 (its floor), 3000 -> floor 500; 7000, 200 (floor), 4000
    assert list(counts(scaled_geometry(PAPER, 0.05)).values()) == [
        1500,
        50,
        25,
        750,
        100,
        500,
        350,
        200,
        200,
    ]


def test_a_floor_never_raises_a_count() -> None:
    densify = PAPER.densify.model_copy(update={"every": 20, "reset_every": 30})
    scaled = scaled_geometry(PAPER.model_copy(update={"densify": densify}), 0.01).densify
    assert (scaled.every, scaled.reset_every) == (20, 30)


@given(factor=st.floats(1e-6, 1.0))
def test_scaling_down_leaves_counts_positive_and_all_else_alone(factor: float) -> None:
    scaled = scaled_geometry(PAPER, factor)
    for key, count in counts(scaled).items():
        assert 1 <= count <= counts(PAPER)[key], key
    Geometry.model_validate(scaled.model_dump())
    before, after = PAPER.model_dump(), scaled.model_dump()
    for part, keys in COUNTS.items():
        for key in keys:
            (before[part] if part else before).pop(key)
            (after[part] if part else after).pop(key)
    assert before == after


def test_densification_that_starts_at_once_still_does() -> None:
    densify = PAPER.densify.model_copy(update={"start": 0})
    geometry = PAPER.model_copy(update={"densify": densify})
    assert scaled_geometry(geometry, 0.5).densify.start == 0


def test_how_often_a_state_is_saved_is_no_part_of_a_run() -> None:
    run = geometry_run(PARAMS, Run("procedural", "room", 0))
    training = PARAMS.training.model_copy(update={"save_every_s": 1.0})
    often = geometry_run(
        PARAMS.model_copy(update={"training": training}), Run("procedural", "room", 0)
    )
    assert often == run


@pytest.mark.parametrize("change", ["seed", "steps", "scene", "number", "log_every"])
def test_whatever_decides_a_result_is_part_of_its_run(change: str) -> None:
    run = Run("procedural", "room", 0)
    params, other = PARAMS, run
    if change == "seed":
        params = PARAMS.model_copy(update={"seed": 1})
    elif change == "steps":
        geometry = PAPER.model_copy(update={"steps": 7})
        params = PARAMS.model_copy(update={"geometry": geometry})
    elif change == "log_every":
        training = PARAMS.training.model_copy(update={"log_every": 1})
        params = PARAMS.model_copy(update={"training": training})
    else:
        other = run._replace(scene="den") if change == "scene" else run._replace(seed=1)
    assert geometry_run(params, other) != geometry_run(PARAMS, run)


def test_a_run_survives_the_command_line() -> None:
    run = geometry_run(PARAMS, Run("procedural", "room", 0))
    text = run.model_dump_json()
    assert json.loads(text)["geometry"]["steps"] == 1500
    assert GeometryRun.model_validate_json(text) == run
