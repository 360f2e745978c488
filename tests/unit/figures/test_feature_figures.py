"""The figures of 2-D features: what they show of unusual scenes and recipes."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from PIL import Image

from semsplat.data.scene import load_scene
from semsplat.evaluate.feature_scores import score_features
from semsplat.features.store import ViewFeatures
from semsplat.figures import figure_kind
from semsplat.figures.pictures import (
    evenly,
    region_overlay,
)
from semsplat.figures.style import scene_sources
from semsplat.io import read_json
from semsplat.keys import SceneKey
from semsplat.palette import CLASS_COLOURS, ClassPalette, region_colours
from tests.unit.data.scene_helpers import one_line_error, random_image
from tests.unit.evaluate.feature_helpers import features_of, write_features, write_wall
from tests.unit.figures.conftest import (
    ASKED_AT,
    OPTIONS,
    RECIPE,
    SCENES,
    texts,
    write_feature_results,
)
from tests.unit.processes import environment

KINDS = ("masks", "labels", "inconsistency")
PLACE = SCENES[0]
NOWHERE = np.full((12, 16), -1)
HALVES = np.where(np.arange(16) < 8, 0, 1) + np.zeros((12, 1), int)
WALL = SceneKey("toys", "wall")


def draw(kind: str, place: SceneKey = PLACE, **options: Any) -> bytes:
    module, out = figure_kind(kind), Path("paper_figures", f"{kind}.png")
    module.draw([place], module.Options.model_validate({**OPTIONS[kind], **options}), out)
    return out.read_bytes()


def write_wall_features(view: ViewFeatures, count: int = 2, **scene: Any) -> None:
    """Write the scene WALL with equal features in all its views."""
    steps = tuple(0.2 * index for index in range(count))
    write_wall(WALL.scene_dir, steps, dataset="toys", scene="wall", **scene)
    folder = write_features(WALL.features_dir(RECIPE), {f"v{i}": view for i in range(count)})
    score_features(WALL.scene_dir, folder, WALL.scores_dir(RECIPE) / "scores.json")


def test_masks_say_how_many_regions_cover_how_much(results: Path, drawn: list[Figure]) -> None:
    write_wall(WALL.scene_dir, (0.0,), dataset="toys", scene="wall")
    two_layers = features_of([np.where(HALVES == 0, 0, -1), HALVES + 1], [1, 2, 3])
    layers = ["whole", "part"]
    write_features(WALL.features_dir(RECIPE), {"v0": two_layers}, layers=layers)
    draw("masks", WALL)
    assert texts(drawn[0]) == {
        *("photograph", "layer whole", "layer part", "v0"),
        *("1 regions, 50% covered", "2 regions, 100% covered"),
    }


@pytest.mark.parametrize("kind", KINDS)
def test_a_view_without_any_region_is_drawn(results: Path, drawn: list[Figure], kind: str) -> None:
    write_feature_results(PLACE, {"train": features_of(NOWHERE, [], np.array([[1, 2]]))})
    draw(kind)
    expected = {
        "masks": {"0 regions, 0% covered"},
        "labels": {"0.0% of pixels right", "no label"},
        "inconsistency": {"none compared", "no label"},
    }[kind]
    assert expected <= texts(drawn[0])


def test_three_hundred_regions_are_drawn_in_distinct_colours(
    results: Path, drawn: list[Figure]
) -> None:
    many = np.arange(12 * 16).reshape(12, 16) + 108  # up to id 299
    view = features_of(many, [1 + index % 3 for index in range(300)])
    write_feature_results(PLACE, {"train": view})
    assert draw("masks")
    assert "192 regions, 100% covered" in texts(drawn[0])
    assert len(np.unique(region_colours(300), axis=0)) == 300


def test_labels_show_truth_and_every_kind_with_protocol(results: Path, drawn: list[Figure]) -> None:
    draw("labels", n_views=1)
    scores = read_json(PLACE.scores_dir(RECIPE) / "scores.json")
    values = ", ".join(
        f"{k} mIoU {scores['metrics'][f'{k}_miou']:.3f}" for k in ("region", "dense", "pseudo")
    )
    accuracy = scores["views"]["train"]["dense_accuracy"]
    assert texts(drawn[0]) == {
        *("photograph", "truth", "region labels", "dense labels", "pseudo labels", "train"),
        *("wall", "lamp", "rug"),
        *("100.0% of pixels right", f"{accuracy:.1%} of pixels right"),
        f"recipe regions, 3 training views: {values} (features/labels@1)",
    }


def test_columns_that_do_not_exist_are_left_out(results: Path, drawn: list[Figure]) -> None:
    write_wall_features(features_of(HALVES, [1, 2]))
    draw("labels", WALL)
    titles = {axis.get_title() for axis in drawn[0].axes} - {""}
    assert titles == {"photograph", "region labels"}
    assert not any("right" in text for text in texts(drawn[0]))
    assert "no truth" in drawn[0].get_suptitle()


def test_inconsistency_gives_the_pooled_number_with_its_protocol(
    results: Path, drawn: list[Figure]
) -> None:
    draw("inconsistency")
    scores = read_json(PLACE.scores_dir(RECIPE) / "scores.json")
    pooled = scores["metrics"]["region_inconsistency"]
    assert 0 < pooled < 1
    title = f"recipe regions, region labels: {pooled:.1%} differ over all 2 pairs"
    assert drawn[0].get_suptitle() == f"{title} (features/labels@1)"
    share = scores["pairs"][0]["region_inconsistency"]
    assert {f"{share:.1%} of compared pixels differ", "train", "later/b"} <= texts(drawn[0])


def test_without_depth_the_labels_are_drawn_and_the_reason(
    results: Path, drawn: list[Figure]
) -> None:
    write_wall_features(features_of(HALVES, [1, 2]), depth=None)
    draw("inconsistency", WALL)
    assert {axis.get_title() for axis in drawn[0].axes} - {""} == {"view", "next view"}
    assert "no two consecutive training views have depth" in drawn[0].get_suptitle()


def test_labels_that_the_recipe_lacks_are_photographs_and_the_reason(
    results: Path, drawn: list[Figure]
) -> None:
    write_wall_features(features_of(HALVES, [1, 2]))
    draw("inconsistency", WALL, labels="dense")
    assert "the recipe makes no dense labels" in drawn[0].get_suptitle()
    assert not drawn[0].legends


def test_a_single_view_has_no_neighbour(results: Path) -> None:
    write_wall_features(features_of(HALVES, [1, 2]), count=1)
    with one_line_error("toys/wall", "no neighbour"):
        draw("inconsistency", WALL)


@pytest.mark.parametrize("kind", KINDS)
def test_a_figure_names_the_scene_and_the_features_it_shows(results: Path, kind: str) -> None:
    draw(kind)
    folders = PLACE.scene_dir, PLACE.features_dir(RECIPE)
    digests = [read_json(folder / "manifest.json")["digest"] for folder in folders]
    with Image.open(Path("paper_figures", f"{kind}.png")) as image:
        assert image.info["Source"] == ", ".join(digests)


def test_the_command_draws_the_same_bytes(results: Path) -> None:
    here = draw("labels")
    words = ["--kind", "labels", "--options", json.dumps(OPTIONS["labels"]), "--out", "there.png"]
    command = [sys.executable, "-m", "semsplat.figures", *words, "--runs", "toys/shelf"]
    subprocess.run(command, env=environment(PYTHONHASHSEED="7"), check=True)
    assert Path("there.png").read_bytes() == here


def test_prompts_are_shown_over_the_depth_and_counted(results: Path, drawn: list[Figure]) -> None:
    draw("prompts", n_views=1)
    assert texts(drawn[0]) == {
        *("photograph", "train", "depth and points\nof regions"),
        *("regions, layer\nall", "3 points, depth 0.1 to 4.0", "2 regions, 100% covered"),
    }
    axis = drawn[0].axes[1]
    assert axis.collections[0].get_offsets().tolist() == ASKED_AT["points"].tolist()
    assert axis.get_xlim() == (-0.5, 15.5)  # points at the border do not widen the picture


def test_a_view_without_depth_is_drawn_with_its_points(results: Path, drawn: list[Figure]) -> None:
    view = replace(features_of(NOWHERE, []), **ASKED_AT | {"depth": np.zeros((12, 16), np.float16)})
    write_feature_results(PLACE, {"train": view})
    draw("prompts", n_views=1)
    assert "3 points, depth 0.0 to 1.0" in texts(drawn[0])


def test_a_comparison_names_both_recipes_and_the_points_of_a_grid(
    results: Path, drawn: list[Figure]
) -> None:
    grid = {"segmenter": {"options": {"points_per_side": 16}}}
    names = [frame.name for frame in load_scene(PLACE.scene_dir).train]
    views = dict.fromkeys(names, features_of(HALVES, [1, 2]))
    write_features(PLACE.features_dir("grid/all"), views, config=grid)
    draw("prompts", beside="grid/all")
    assert {"regions, layer\nall", "grid, layer all\n16 x 16 points"} <= texts(drawn[0])
    digests = [
        read_json(folder / "manifest.json")["digest"]
        for folder in (PLACE.scene_dir, PLACE.features_dir(RECIPE), PLACE.features_dir("grid/all"))
    ]
    assert scene_sources(PLACE, RECIPE, "grid/all") == digests


def test_prompts_of_a_recipe_without_any_are_one_line(results: Path) -> None:
    write_feature_results(PLACE, {"train": features_of(HALVES, [1, 2])})
    with one_line_error("recipe regions has no prompt points"):
        draw("prompts")


def test_a_layer_that_does_not_exist_is_one_line(results: Path) -> None:
    with one_line_error("no layer 'whole'; there is all"):
        draw("prompts", layer="whole")


# pictures


def test_a_class_has_the_colour_of_its_id_and_void_its_own() -> None:
    palette = ClassPalette({4: "wall", 2: "lamp"})
    picture = palette.picture(np.array([[0, 4], [2, 7]], np.int32))
    colours = [to_hex(pixel / 255).upper() for pixel in picture.reshape(-1, 3)]
    assert colours == ["#404040", CLASS_COLOURS[3], CLASS_COLOURS[1], "#FFFFFF"]
    assert [name for name, _ in palette.legend()] == ["lamp", "wall", "class 7", "no label"]


def test_classes_of_a_large_set_are_numbered() -> None:
    picture = ClassPalette({400: "wall", 2: "lamp"}).picture(np.array([[400, 2]], np.int32))
    assert [to_hex(pixel / 255).upper() for pixel in picture[0]] == [*CLASS_COLOURS[:2]]


def test_every_class_of_a_large_set_has_a_colour_of_its_own() -> None:
    palette = ClassPalette({index: str(index) for index in range(1, 101)})
    picture = palette.picture(np.arange(101, dtype=np.int32)[None])
    assert len(np.unique(picture[0], axis=0)) == 101


def test_an_overlay_outlines_regions_at_the_size_of_the_page() -> None:
    picture = region_overlay(random_image(), HALVES.astype(np.int16), height_px=24)
    assert picture.shape == (24, 32, 3)
    black = (picture == 0).all(axis=-1)
    assert black[:, 16].all() and black.sum() == 24
    grey = region_overlay(random_image(), NOWHERE.astype(np.int16), height_px=24)
    assert (grey[..., 0] == grey[..., 1]).all() and (grey[..., 0] == grey[..., 2]).all()


@pytest.mark.parametrize(
    ("count", "chosen"), [(1, "a"), (2, "ae"), (3, "ace"), (5, "abcde"), (9, "abcde")]
)
def test_items_are_spread_from_the_first_to_the_last(count: int, chosen: str) -> None:
    assert evenly("abcde", count) == list(chosen)
    assert evenly("", count) == []
