"""What a suite computes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from semsplat.experiment.asked import answers
from semsplat.experiment.check import check
from semsplat.experiment.runs import (
    geometry_job,
    geometry_keys,
    is_frozen,
    lessons_job,
    lessons_keys,
    merged,
    run_seed,
    scene_options,
    setting_options,
    setting_teacher,
    shown_runs,
    shown_settings,
    shown_trainings,
    training_job,
    training_keys,
)
from semsplat.experiment.schema import Params
from semsplat.figures.published import load_table
from semsplat.keys import GeometryKey, LessonsKey, TrainingKey
from semsplat.params.geometry import Geometry, GeometryJob
from semsplat.params.methods import TrainingJob
from semsplat.params.scaling import scaled_geometry
from semsplat.params.teachers import LessonsJob
from semsplat.train.methods import method_names, method_options

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
    assert geometry_keys(check(config)) == [
        GeometryKey("procedural", "table", 2),
        GeometryKey("procedural", "table", 0),
        GeometryKey("procedural", "den", 2),
        GeometryKey("procedural", "den", 0),
    ]


def test_a_scene_replaces_options_of_its_data_set() -> None:
    common = CONFIG["datasets"]["procedural"]["options"]
    nook = CONFIG["datasets"]["procedural"]["scenes"]["nook"]
    assert scene_options(PARAMS, "procedural", "nook") == {**common, **nook} != common


def test_the_seed_of_a_run_is_pinned() -> None:
    assert run_seed(20240414, GeometryKey("procedural", "room", 0)) == 333_093_523


def test_each_run_has_its_own_seed() -> None:
    places = [GeometryKey(d, s, n) for d in ("a", "b") for s in ("x", "y") for n in range(5)]
    seeds = {run_seed(m, p) for m in (0, 1) for p in places}
    assert len(seeds) == 2 * len(places)
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
    run = geometry_job(PARAMS, GeometryKey("procedural", "room", 0))
    training = PARAMS.training.model_copy(update={"save_every_s": 1.0})
    often = geometry_job(
        PARAMS.model_copy(update={"training": training}), GeometryKey("procedural", "room", 0)
    )
    assert often == run


@pytest.mark.parametrize("change", ["seed", "steps", "scene", "number", "log_every"])
def test_whatever_decides_a_result_is_part_of_its_run(change: str) -> None:
    run = GeometryKey("procedural", "room", 0)
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
    assert geometry_job(params, other) != geometry_job(PARAMS, run)


def test_a_run_survives_the_command_line() -> None:
    run = geometry_job(PARAMS, GeometryKey("procedural", "room", 0))
    text = run.model_dump_json()
    assert json.loads(text)["geometry"]["steps"] == 900
    assert GeometryJob.model_validate_json(text) == run


# settings, teachers and their runs


def with_suite(
    *figures: str, scenes: Any = ("procedural/table", "sparse/den"), **parts: Any
) -> Params:
    """Return parameters whose suite shows some figures on some scenes with two seeds."""
    suite = {"scenes": list(scenes), "seeds": [1, 0], "figures": list(figures), "settings": []}
    config = {**CONFIG, "suites": {"demo": {**CONFIG["suites"]["demo"], **suite}}, **parts}
    return check(config)


def sheet(settings: list[str], datasets: list[str]) -> dict[str, Any]:
    shown = {"settings": dict.fromkeys(settings, "row"), "datasets": datasets}
    return {
        "kind": "class_maps",
        "options": {**shown, "n_views": 1, "row_height_in": 1.5, "dpi": 80},
    }


TABLES = {
    "both": sheet(["clipgs_b", "clipgs_a"], []),
    "few": sheet(["clipgs_a"], ["sparse"]),
    "all": sheet(["clipgs_a", "clipgs_d"], ["procedural"]),
    "nowhere": sheet(["clipgs_c"], ["photos"]),
    "scores": CONFIG["figures"]["scores"],
    "masks": CONFIG["figures"]["masks"],
}


def test_a_figure_shows_the_runs_of_its_data_sets() -> None:
    params = with_suite("scores", figures=TABLES)
    den = [GeometryKey("sparse", "den", 1), GeometryKey("sparse", "den", 0)]
    all_runs = [GeometryKey("procedural", "table", 1), GeometryKey("procedural", "table", 0), *den]
    assert shown_runs(params, "few") == den
    assert shown_runs(params, "both") == shown_runs(params, "scores") == all_runs
    assert shown_runs(params, "nowhere") == []


def test_a_figure_may_name_its_scenes() -> None:
    options = CONFIG["figures"]["splats"]["options"]
    named = {"kind": "splats", "options": options | {"scenes": ["sparse/den", "procedural/room"]}}
    params = with_suite("scores", figures={**TABLES, "scene": named})
    assert {run[:2] for run in shown_runs(params, "scene")} == {("sparse", "den")}


def test_a_published_table_asks_for_the_settings_of_its_rows() -> None:
    params = with_suite("clipgs_table1", "clipgs_table2", "claims")
    assert shown_settings(params, "clipgs_table1") == ["lerf", "3dovs", "clipgs_a", "clipgs_d"]
    assert {(r.dataset, r.setting) for r in shown_trainings(params, "clipgs_table2")} == {
        ("sparse", setting) for setting in ("lerf", "3dovs", "clipgs_a", "clipgs_d")
    }
    both = set(shown_trainings(params, "clipgs_table1") + shown_trainings(params, "clipgs_table2"))
    assert set(shown_trainings(params, "claims")) == set(training_keys(params)) == both


def test_a_suite_leaves_settings_out_that_its_tables_name() -> None:
    suite = {**CONFIG["suites"]["demo"], "settings": [], "figures": ["clipgs_table1"]}
    left = {**CONFIG, "suites": {**CONFIG["suites"], "demo": {**suite, "without": ["lerf"]}}}
    assert shown_settings(check(left), "clipgs_table1") == ["3dovs", "clipgs_a", "clipgs_d"]
    fewer = {**suite, "settings": ["lerf", "clipgs_d"], "without": ["lerf"]}
    one = check({**CONFIG, "suites": {**CONFIG["suites"], "demo": fewer}})
    assert {run.setting for run in training_keys(one)} == {"clipgs_d"}


def test_a_table_of_ours_asks_for_its_rows_on_the_data_sets_that_it_names() -> None:
    scenes = ["photos/camvid", "photos/kermit", "procedural/den"]
    params = with_suite("mistakes_iid", "mistakes_iid_classes", scenes=scenes)
    rows = ["iid_sac", "iid_3dcs", "iid_within"]
    assert shown_settings(params, "mistakes_iid") == rows
    assert shown_trainings(params, "mistakes_iid_classes") == training_keys(params)
    assert {(run.dataset, run.setting) for run in training_keys(params)} == {
        ("photos", row) for row in rows
    }


def test_rows_of_other_tables_are_settings_once() -> None:
    params = with_suite("clipgs_details")
    assert shown_settings(params, "clipgs_details") == load_table("clipgs_table3").settings
    of_gags = {s for n in (1, 4, 5, 6) for s in load_table(f"gags_table{n}").settings}
    assert set(shown_settings(with_suite("gags_details"), "gags_details")) == of_gags


def test_a_suite_may_train_some_of_the_settings_that_its_figures_name() -> None:
    params = with_suite("both", "all", figures=TABLES)
    suite = params.suites["demo"].model_copy(update={"settings": ["clipgs_d", "clipgs_b"]})
    params = params.model_copy(update={"suites": {"demo": suite}})
    assert shown_settings(params, "both") == ["clipgs_b"]
    assert {run.setting for run in training_keys(params)} == {"clipgs_b", "clipgs_d"}
    assert {run.setting for run in shown_trainings(params, "all")} == {"clipgs_d"}


def test_trainings_are_those_that_the_suites_figures_show_each_once() -> None:
    params = with_suite("few", "all", "scores", "nowhere", figures=TABLES)
    assert training_keys(params) == [
        TrainingKey("procedural", "table", "clipgs_a", 0),
        TrainingKey("procedural", "table", "clipgs_a", 1),
        TrainingKey("procedural", "table", "clipgs_d", 0),
        TrainingKey("procedural", "table", "clipgs_d", 1),
        TrainingKey("sparse", "den", "clipgs_a", 0),
        TrainingKey("sparse", "den", "clipgs_a", 1),
    ]
    twice = with_suite("both", "both_again", figures={**TABLES, "both_again": TABLES["both"]})
    assert len(training_keys(twice)) == 2 * 2 * 2
    assert training_keys(with_suite("scores", figures=TABLES)) == []


def taught_by_two() -> Params:
    """Return a suite of two teachers, of whom the one of clipgs_d needs no features."""
    options = {**CONFIG["settings"]["clipgs_d"], "override": {"teacher": "truth_iid"}}
    settings = {**CONFIG["settings"], "clipgs_d": options}
    return with_suite("few", "all", figures=TABLES, settings=settings)


def test_lessons_are_those_that_trainings_learn_from() -> None:
    assert lessons_keys(taught_by_two()) == [
        LessonsKey("procedural", "table", "clip", 0),
        LessonsKey("procedural", "table", "clip", 1),
        LessonsKey("procedural", "table", "truth_iid", 0),
        LessonsKey("procedural", "table", "truth_iid", 1),
        LessonsKey("sparse", "den", "clip", 0),
        LessonsKey("sparse", "den", "clip", 1),
    ]
    alone = with_suite("few", "nowhere", "masks", figures=TABLES, scenes=["procedural/table"])
    assert training_keys(alone) == lessons_keys(alone) == []


def test_a_method_on_finished_geometry_needs_no_lessons() -> None:
    found = CONFIG["figures"]["gags_granularity"]
    params = with_suite("found", figures={"found": found}, scenes=["procedural/table"])
    assert lessons_keys(params) == []
    run, _ = training_keys(params)
    assert is_frozen(params, run.setting) and not is_frozen(params, "clipgs_d")
    assert answers(params, "gags") == ("relevancy", "points")
    assert answers(params, "clipgs_d") == ("colours", "classes", "points")
    assert answers(params, "geometry") == ("colours",)
    told = training_job(params, run)
    assert told.teacher is None and told.method == "gags"


def test_a_setting_replaces_options_section_by_section() -> None:
    base = {"dim": 3, "lr": {"semantics": 1.0, "decoder": 2.0}, "list": [1, 2], "none": None}
    diff = {"lr": {"decoder": 5.0}, "list": [3], "none": {"a": 1}, "new": 4}
    expected = {
        "dim": 3,
        "lr": {"semantics": 1.0, "decoder": 5.0},
        "list": [3],
        "none": {"a": 1},
        "new": 4,
    }
    assert merged(base, diff) == expected
    assert base["lr"] == {"semantics": 1.0, "decoder": 2.0}
    assert merged(base, {}) == base and merged(base, {"lr": None})["lr"] is None
    assert merged({"a": {"b": {"c": 1, "d": 2}}}, {"a": {"b": {"c": 0}}}) == {
        "a": {"b": {"c": 0, "d": 2}}
    }


def test_a_settings_options_are_its_methods_with_its_own() -> None:
    whole = setting_options(PARAMS, "clipgs_c1")
    changed = {"vote": "tracks", "start": 10_000, "uncovered": "pixel_argmax"}
    assert whole["coherent"] == {**changed, "teacher_weight": 0.0}
    assert whole["dim"] == 3 and setting_teacher(PARAMS, "clipgs_c1") == "clip"
    assert setting_options(PARAMS, "clipgs_b1")["dim"] == 16


def demo_run(setting: str, seed: int = 0, params: Params = PARAMS) -> TrainingJob:
    return training_job(params, TrainingKey("procedural", "room", setting, seed))


def test_self_training_starts_at_a_scaled_step() -> None:
    # 0.03 x 15000, 10000, 20000, 25000
    starts = [
        demo_run(f"clipgs_{row}").options["coherent"]["start"] for row in ("d", "c1", "c3", "c4")
    ]
    assert starts == [450, 300, 600, 750]


def test_rates_of_semantics_and_decoders_scale_and_those_of_the_geometry_do_not() -> None:
    run = demo_run("clipgs_d")  # 33.3 x 2.5e-3 and 33.3 x 5e-4
    assert run.options["lr"] == pytest.approx({"semantics": 0.08325, "decoder": 0.01665})
    assert run.geometry.lr == PAPER.lr
    assert (run.steps_scaler, run.rates_scaler) == (0.03, 33.3)


def test_without_a_decoder_to_wait_for_the_rate_stays() -> None:
    assert demo_run("clipgs_a").options == CONFIG["methods"]["feature_3dgs"]


def test_all_else_of_a_method_stays_as_it_is() -> None:
    run = demo_run("clipgs_c")
    kept = {key: value for key, value in run.options.items() if key not in ("lr", "coherent")}
    paper = {k: v for k, v in CONFIG["methods"]["clip_gs"].items() if k not in ("lr", "coherent")}
    assert kept == paper
    assert run.options["coherent"]["vote"] == "tracks"


def test_a_settings_geometry_is_that_of_the_file_with_its_own_keys_scaled() -> None:
    plain, progressive = demo_run("clipgs_c").geometry, demo_run("clipgs_d").geometry
    assert plain == geometry_job(PARAMS, GeometryKey("procedural", "room", 0)).geometry
    assert not plain.progressive.enabled and progressive.progressive.enabled
    same = progressive.progressive.model_copy(update={"enabled": False})
    assert progressive.model_copy(update={"progressive": same}) == plain
    row = {**CONFIG["settings"]["clipgs_c"], "geometry": {"steps": 100, "densify": {"stop": 60}}}
    params = check({**CONFIG, "settings": {**CONFIG["settings"], "new": row}})
    own = demo_run("new", params=params).geometry
    assert (own.steps, own.densify.stop, own.densify.start) == (3, 2, plain.densify.start)


def test_settings_share_the_seed_of_their_geometry_and_seeds_differ() -> None:
    seeds = {demo_run(setting).run_seed for setting in PARAMS.settings}
    assert seeds == {333_093_523}
    run = GeometryKey("procedural", "room", 0)
    assert geometry_job(PARAMS, run).run_seed == 333_093_523
    lesson = lessons_job(PARAMS, LessonsKey("procedural", "room", "clip", 0))
    assert lesson.run_seed == 333_093_523
    assert demo_run("clipgs_a", seed=1).run_seed != 333_093_523


def test_a_training_and_a_teacher_survive_the_command_line() -> None:
    for setting in PARAMS.settings:
        run = demo_run(setting)
        assert TrainingJob.model_validate_json(run.model_dump_json()) == run
    for teacher in PARAMS.features.teachers:
        lesson = lessons_job(PARAMS, LessonsKey("procedural", "room", teacher, 2))
        assert (lesson.name, lesson.seed) == (teacher, 2)
        assert LessonsJob.model_validate_json(lesson.model_dump_json()) == lesson


def test_what_other_settings_and_teachers_say_is_no_part_of_a_run() -> None:
    settings = {
        **CONFIG["settings"],
        "clipgs_a": {**CONFIG["settings"]["clipgs_a"], "override": {"weight": 9.0}},
    }
    other = check({**CONFIG, "settings": settings})
    assert demo_run("clipgs_d", params=other) == demo_run("clipgs_d")
    assert demo_run("clipgs_a", params=other) != demo_run("clipgs_a")


@given(steps=st.floats(1e-3, 1.0), rates=st.floats(0.1, 20))
def test_scaled_options_are_options_still(steps: float, rates: float) -> None:
    for name in method_names():
        model = method_options(name)
        paper = model.model_validate(CONFIG["methods"][name])
        model.model_validate(paper.scaled(steps, rates).model_dump())
        assert paper.scaled(1.0, 1.0) == paper
