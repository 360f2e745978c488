"""Which 2-D features a suite computes."""

from __future__ import annotations

import pytest

from semsplat.experiment.check import check
from semsplat.experiment.recipes import (
    features_job,
    features_keys,
    seed_of,
    setting_recipe,
    teacher_recipe,
)
from semsplat.experiment.runs import setting_teacher
from semsplat.experiment.schema import Params
from semsplat.keys import ALL, FeaturesKey
from tests.unit.experiment.test_runs import CONFIG, PARAMS, TABLES, taught_by_two, with_suite


def test_the_features_of_a_suite_are_those_that_its_figures_show() -> None:
    known = CONFIG["features"]["recipes"]
    recipe = next(iter(known.values()))
    recipes = {**known, "fine": recipe, "coarse": recipe, "unused": recipe}
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
    assert features_keys(check(config)) == [
        FeaturesKey("procedural", "den", "coarse", ALL),
        FeaturesKey("procedural", "den", "fine", ALL),
        FeaturesKey("procedural", "table", "coarse", ALL),
        FeaturesKey("procedural", "table", "fine", ALL),
    ]
    config["suites"]["demo"]["figures"] = ["scores"]
    assert features_keys(check(config)) == []


def test_a_teacher_reads_a_recipe_or_none() -> None:
    assert teacher_recipe(PARAMS, "clip") == "regions"
    assert teacher_recipe(PARAMS, "truth_runs") is None


def test_a_setting_reads_its_own_recipe_or_its_teachers_or_none() -> None:
    assert setting_recipe(PARAMS, "clipgs_d") == "regions"
    assert setting_recipe(PARAMS, "iid_sac") is None
    assert setting_recipe(PARAMS, "gags") == "granular"
    assert setting_recipe(PARAMS, "gags_uniform") == "levels"
    assert setting_teacher(PARAMS, "gags") is None


def test_features_are_those_that_trainings_learn_from() -> None:
    assert features_keys(taught_by_two()) == [  # once, whatever the seeds; label maps need none
        FeaturesKey("procedural", "table", "regions", ALL),
        FeaturesKey("sparse", "den", "regions", ALL),
    ]
    alone = with_suite("few", "nowhere", "masks", figures=TABLES, scenes=["procedural/table"])
    assert features_keys(alone) == [FeaturesKey("procedural", "table", "regions", ALL)]


# prompts that follow a geometry


FOUND = CONFIG["figures"]["gags_granularity"]
POINTS = CONFIG["figures"]["prompt_points"]


def granular(*figures: str) -> Params:
    known = {"found": FOUND, "points": POINTS}
    return with_suite(*figures, figures=known, scenes=["procedural/table"])


def test_prompts_that_follow_a_geometry_are_made_for_every_seed() -> None:
    assert features_keys(granular("found")) == [
        FeaturesKey("procedural", "table", "granular", "0"),
        FeaturesKey("procedural", "table", "granular", "1"),
    ]
    assert seed_of(PARAMS, "granular", 2) == "2"
    assert seed_of(PARAMS, "levels", 2) == ALL


def test_a_sheet_of_a_scene_shows_the_first_seeds_prompts_alone() -> None:
    params = granular("points")
    assert params.suites["demo"].seeds[0] == 1
    assert features_keys(params) == [
        FeaturesKey("procedural", "table", "granular", "1"),
        FeaturesKey("procedural", "table", "levels", ALL),
    ]


@pytest.mark.parametrize(("recipe", "whose", "seed"), [
    ("granular", "2", 2),
    ("granular", "0", 0),
    ("levels", ALL, None),
])  # fmt: skip
def test_an_extraction_is_told_the_seed_of_its_geometry(
    recipe: str, whose: str, seed: int | None
) -> None:
    run = features_job(PARAMS, FeaturesKey("procedural", "table", recipe, whose))
    assert (run.name, run.seed) == (recipe, seed)
    assert run.recipe == PARAMS.features.recipes[recipe]
