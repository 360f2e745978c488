"""The pictures of open-vocabulary search."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure

from semsplat.data.annotations import Annotation
from semsplat.data.scene import load_scene
from semsplat.data.scene_writer import SceneWriter
from semsplat.figures import figure_kind
from semsplat.figures.granularity import LEVELS, mixture
from semsplat.figures.pictures import outlined
from semsplat.figures.relevancy import chosen_prompts, shown_rows
from semsplat.io import read_json, write_json
from semsplat.keys import GeometryKey
from tests.unit.data.scene_helpers import ORIGIN, K, one_line_error, random_image, viewmat_at
from tests.unit.figures.conftest import OPTIONS, RUNS, texts

SHELF = RUNS[:2]


def edit_scores(run: GeometryKey, setting: str, **changes: Any) -> None:
    path = run.setting_dir(setting) / "scores.json"
    write_json(path, {**read_json(path), **changes})


def draw(run: GeometryKey = RUNS[0], **options: Any) -> None:
    module = figure_kind("relevancy")
    module.draw(
        [run], module.Options.model_validate({**OPTIONS["relevancy"], **options}), Path("r.png")
    )


def test_rows_are_views_and_prompts_and_columns_settings(
    results: Path, drawn: list[Figure]
) -> None:
    draw()
    found = texts(drawn[0])
    titles = {" ".join(text.split()) for text in found}
    assert {"photograph and truth", "(a) flat", "(b) + coherent"} <= titles
    assert {"left/a\n“lamp”", "left/a\n“lamp shade”", "c\n“lamp”", "c\n“lamp shade”"} <= found
    assert {"IoU 25.0%", "IoU 31.2%", "truth", "predicted mask"} <= found
    heading = " ".join(drawn[0].get_suptitle().split())
    assert heading == (
        "mIoU of all prompts in held-out views: (a) flat 25.0%, (b) + coherent 31.2%"
        " (lerf_ovs/segmentation@1)"
    )


def test_the_other_protocol_has_other_numbers(results: Path, drawn: list[Figure]) -> None:
    draw(protocol="lerf_ovs/segmentation_frozen@1")
    assert "IoU 50.0%" in texts(drawn[0]) and "IoU 25.0%" not in texts(drawn[0])
    assert "(lerf_ovs/segmentation_frozen@1)" in drawn[0].get_suptitle()


def test_a_prompt_without_prediction_has_an_empty_place(results: Path, drawn: list[Figure]) -> None:
    draw(n_views=1, n_prompts=3)
    rows = np.array([axis for axis in drawn[0].axes if axis.images][:9]).reshape(3, 3)
    assert rows[2][0].get_ylabel() == "left/a\n“wall”"
    assert [axis.get_xlabel() for axis in rows[2][1:]] == ["no prediction: IoU 0"] * 2
    assert (rows[2][1].images[0].get_array() == 255).all()


def test_more_prompts_than_there_are_is_no_mistake(results: Path) -> None:
    module = figure_kind("relevancy")
    options = module.Options.model_validate({**OPTIONS["relevancy"], "n_views": 9, "n_prompts": 9})
    rows = shown_rows(load_scene(RUNS[0].scene_dir), options)
    assert [(frame.name, prompt) for frame, prompt, _ in rows] == [
        (name, prompt) for name in ("left/a", "c") for prompt in ("lamp", "lamp shade", "wall")
    ]


def test_a_scene_without_annotations_is_one_line(results: Path) -> None:
    run = GeometryKey("toys", "bare", 0)
    with SceneWriter(run.scene_dir, **ORIGIN) as writer:
        writer.add_frame("a", random_image(), viewmat_at(0), K, "train")
        writer.add_frame("b", random_image(), viewmat_at(0), K, "test")
    with one_line_error("data/toys/bare: no held-out view is annotated", "datasets"):
        draw(run)


def areas(**pixels: int) -> dict[str, Annotation]:
    """Return annotations of so many pixels; an underscore stands for a space."""
    return {
        name.replace("_", " "): Annotation(np.arange(100).reshape(10, 10) < count, np.empty((0, 4)))
        for name, count in pixels.items()
    }


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"mug": 5, "table": 60, "sofa": 20}, ["table", "sofa", "mug"]),
        ({"ball": 5, "apple": 5}, ["apple", "ball"]),  # equal areas by name
        (
            {"table": 60, "table_top": 55, "table_leg": 5, "mug": 20, "mug_handle": 10},
            ["table", "mug handle", "mug", "table leg", "table top"],
        ),
        ({"mug_handle": 3, "mug_body": 9}, ["mug body", "mug handle"]),  # no object is annotated
    ],
)
def test_prompts_are_chosen_by_what_is_annotated(
    found: dict[str, int], expected: list[str]
) -> None:
    parts = {name.replace("_", " ") for name in found if "_" in name}
    assert chosen_prompts(areas(**found), parts) == expected


def test_an_outline_is_drawn_on_its_halo_and_nowhere_else() -> None:
    picture = np.full((60, 80, 3), 128, np.uint8)
    mask = np.zeros((6, 8), bool)
    mask[2:4, 2:6] = True
    found = outlined(picture, mask, "#FF0000")
    colours = {to_hex(pixel / 255) for pixel in found.reshape(-1, 3)}
    assert colours == {"#ff0000", "#ffffff", "#808080"}
    assert to_hex(found[20, 30] / 255) == "#ff0000"
    assert (found[28:32, 35:45] == 128).all() and (found[:10] == 128).all()
    assert (picture == 128).all()


# which level was chosen where


def test_shares_are_mixtures_of_three_colours() -> None:
    shares = np.zeros((3, 1, 2))
    shares[0, 0, 0] = 1
    shares[1:, 0, 1] = 0.5
    first, second, third = (np.array(to_rgb(colour)) for colour in LEVELS.values())
    np.testing.assert_allclose(mixture(shares), [[first, (second + third) / 2]])


def test_every_map_says_how_large_the_shares_are(results: Path, drawn: list[Figure]) -> None:
    module = figure_kind("granularity")
    options = module.Options.model_validate(OPTIONS["granularity"])
    module.draw([RUNS[0]], options, Path("g.png"))
    found = texts(drawn[0])
    assert {"left/a", "c", "sub-part 25%, part 50%, whole 25%"} <= found
    assert set(LEVELS) <= found
