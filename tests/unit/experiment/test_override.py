"""What a suite has otherwise than the other sections say."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from semsplat.experiment.check import ParamsError, check
from semsplat.experiment.recipes import features_job
from semsplat.experiment.runs import merged, shown_runs, training_job, training_keys
from semsplat.keys import FeaturesKey, TrainingKey

CONFIG: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[3] / "params.yaml").read_text(encoding="utf-8")
)


def with_override(suite: str, override: dict[str, Any], chosen: str = "demo") -> dict[str, Any]:
    config = deepcopy(CONFIG)
    config["suites"][suite]["override"] = override
    return {**config, "suite": chosen}


def test_the_chosen_suite_alone_is_overridden() -> None:
    override = {"geometry": {"ssim_lambda": 0.5}, "methods": {"cgc": {"dim": 8}}}
    config = with_override("smoke", override)
    assert check(config).geometry.ssim_lambda == CONFIG["geometry"]["ssim_lambda"]
    params = check({**config, "suite": "smoke"})
    assert params.geometry.ssim_lambda == 0.5
    assert params.methods["cgc"] == CONFIG["methods"]["cgc"] | {"dim": 8}
    assert params.geometry.steps == CONFIG["geometry"]["steps"]


def test_a_mistake_in_the_override_of_any_suite_is_named() -> None:
    override = {"features": {"recipes": {"levels": {"clip": "tinny"}}}}
    with pytest.raises(ParamsError) as error:
        check(with_override("smoke", override))
    assert str(error.value) == (
        "params.yaml: suites.smoke.override: features.recipes.levels.clip: 'tinny' is not defined;"
        " did you mean 'tiny'?"
    )
    with pytest.raises(ParamsError, match=r"suites\.smoke\.override: geometry\.step: unknown key"):
        check(with_override("smoke", {"geometry": {"step": 3}}))


@pytest.mark.parametrize("section", ["suites", "figures", "settings", "datasets", "seed"])
def test_what_is_computed_is_no_suite_s_to_change(section: str) -> None:
    with pytest.raises(ParamsError, match=rf"suites\.demo\.override\.{section}"):
        check(with_override("demo", {section: {}}))


def test_a_section_of_another_kind_replaces_the_whole() -> None:
    base = {"tracks": {"kind": "a", "options": {"x": 1, "y": 2}}, "labels": {"kind": "c"}}
    other = {"tracks": {"kind": "b", "options": {"z": 3}}}
    assert merged(base, other) == {**other, "labels": {"kind": "c"}}
    same = {"tracks": {"kind": "a", "options": {"x": 5}}}
    assert merged(base, same)["tracks"] == {"kind": "a", "options": {"x": 5, "y": 2}}
    silent = {"tracks": {"options": {"x": 5}}}
    assert merged(base, silent)["tracks"] == {"kind": "a", "options": {"x": 5, "y": 2}}


@pytest.mark.parametrize("suite", list(CONFIG["suites"]))
def test_every_suite_is_valid_and_trains(suite: str) -> None:
    assert training_keys(check({**CONFIG, "suite": suite})) or suite == "photos"


def test_the_paper_suite_has_the_papers_steps_and_models() -> None:
    params = check({**CONFIG, "suite": "paper"})
    assert params.suites["paper"].steps_scaler == params.suites["paper"].rates_scaler == 1.0
    for dataset, scene, recipe, clip in (
        ("replica", "room0", "regions", "ViT-B-16-quickgelu"),
        ("lerf_ovs", "ramen", "granular", "ViT-B-16"),
        ("mipnerf360", "room", "levels", "ViT-B-16"),
    ):
        run = features_job(params, FeaturesKey(dataset, scene, recipe, "0"))
        assert run.clip.architecture == clip
        assert run.sam is not None and run.sam.architecture == "vit_h"
    assert len(params.features.templates["imagenet_scene"]) == 85  # METHODS 1.5
    recipe = params.features.recipes["granular"]
    assert recipe.segmenter.options["base_points"] == 16  # METHODS 2.2
    assert recipe.regions.min_score == 0.7  # METHODS 0.3


@pytest.mark.parametrize("setting", ["clipgs_a", "clipgs_d", "gags", "langsplat", "le_gaussians",
                                     "cgc", "gaussian_grouping", "goi"])  # fmt: skip
def test_with_the_papers_models_every_method_has_its_published_rates(setting: str) -> None:
    params = check({**CONFIG, "suite": "paper"})
    published = {"clipgs_d": "clipgs_c"}.get(setting, setting)
    key = TrainingKey("replica", "room0", setting, 0)
    told = training_job(params, key).options
    rates = training_job(params, key._replace(setting=f"rates_{published}_1")).options
    assert told["lr"] == rates["lr"]


def test_rates_are_chosen_on_a_scene_of_no_other_suite() -> None:
    suites = check(CONFIG).suites
    (study,) = suites["rates"].scenes
    assert [name for name, suite in suites.items() if study in suite.scenes] == ["rates"]


def test_every_row_is_trained_on_the_scenes_of_its_columns_alone() -> None:
    params = check({**CONFIG, "suite": "paper"})
    places: dict[str, set[str]] = {}
    for run in training_keys(params):
        places.setdefault(run.setting, set()).add(f"{run.dataset}/{run.scene}")
    assert places["clipgs_b"] == {"replica/room0", "scannet/scene0494_00"}  # Table 3's
    assert len(places["clipgs_d"]) == 20
    assert {place.split("/")[0] for place in places["gags_rad"]} == {"mipnerf360"}
    assert {run.dataset for run in shown_runs(params, "cgc_table1")} == {"lerf_mask"}
