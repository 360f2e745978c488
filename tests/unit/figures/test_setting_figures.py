"""The figures of trained settings: what they show, and what of scenes that lack something."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from PIL import Image

from semsplat.data.images import write_png
from semsplat.data.manifest import write_manifest
from semsplat.data.scene import load_image, load_scene
from semsplat.data.scene_writer import SceneWriter
from semsplat.features.lessons import Lesson, write_lesson
from semsplat.figures import figure_kind
from semsplat.figures.pictures import picture_grid, wrapped
from semsplat.io import write_json
from semsplat.keys import GeometryKey
from semsplat.palette import CLASS_COLOURS
from tests.unit.data.scene_helpers import K, one_line_error, random_image, viewmat_at
from tests.unit.evaluate.feature_helpers import CLASSES, write_wall
from tests.unit.evaluate.job_helpers import CLASS_ANSWERS, run_score
from tests.unit.figures.conftest import OPTIONS, RUNS, SETTINGS, setting_key, texts

KINDS = ("class_maps", "consistency")
RUN = RUNS[0]
WALL = GeometryKey("toys", "wall", 0)
HALVES = np.where(np.arange(16) < 8, 2, 5) + np.zeros((12, 1), int)
FLAT = {"settings": {"flat": "flat"}}


@pytest.fixture(autouse=True)
def no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A torch hub without files."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))


def draw(kind: str, run: GeometryKey = RUN, **options: Any) -> bytes:
    module, out = figure_kind(kind), Path("paper_figures", f"{kind}.png")
    module.draw([run], module.Options.model_validate({**OPTIONS[kind], **options}), out)
    return out.read_bytes()


def titles(figure: Figure) -> list[str]:
    """Return the titles of the columns, each in one line."""
    return [" ".join(axis.get_title().split()) for axis in figure.axes if axis.get_title()]


def heading(figure: Figure) -> str:
    return " ".join(figure.get_suptitle().split())


def score_wall(maps: dict[str, np.ndarray]) -> None:
    """Write class maps of the run WALL under the setting flat, and score them as the phase does."""
    scene, folder = load_scene(WALL.scene_dir), WALL.setting_dir("flat")
    lessons = Path("lessons")
    for frame in scene.frames:
        nothing = np.zeros((12, 16), np.int32)
        write_lesson(lessons, frame.name, Lesson(nothing, nothing - 1, None))
        ids = maps.get(frame.name, HALVES).astype(np.uint16)
        write_png(folder / "predictions/classes" / f"{frame.name}.png", ids)
    for frame in scene.test:
        write_png(folder / "predictions" / f"{frame.name}.png", load_image(frame))
    write_manifest(folder / "predictions", {})
    write_manifest(lessons, {"classes": [{"id": i, "name": n} for i, n in CLASSES.items()]})
    write_json(WALL.train_dir("flat") / "run.json", {"run_key": "flat"})
    run_score(
        CLASS_ANSWERS, WALL.scene_dir, folder / "predictions", folder / "scores.json", lessons
    )


def write_wall_run(maps: dict[str, np.ndarray] | None = None, **scene: Any) -> None:
    """Write a scene that lacks something, without truth in its held-out view, and its scores."""
    scene = {"steps": (0.0, 0.2, 0.4), **scene}
    write_wall(WALL.scene_dir, dataset="toys", scene="wall", **scene)
    score_wall(maps or {})


# class maps


def test_class_maps_stand_beside_photograph_and_truth(results: Path, drawn: list[Figure]) -> None:
    draw("class_maps", n_views=3)
    (figure,) = drawn
    assert titles(figure) == ["photograph", "truth", "(a) flat", "(b) + coherent"]
    # shelf, seed 0: 0.50 and, one place further, 0.55
    summary = "mIoU of held-out views: (a) flat 50.0%, (b) + coherent 55.0%"
    assert heading(figure) == f"{summary} (clipgs/image_mean@1)"
    below = {"mIoU 50.0%, 87.5% right", "mIoU 55.0%, 87.5% right"}
    assert below | {"left/a", "left/b", "c", "wall", "lamp"} <= texts(figure)
    assert "rug" not in texts(figure)  # no pixel of it is drawn


def test_a_view_without_truth_has_an_empty_place_and_no_numbers(
    results: Path, drawn: list[Figure]
) -> None:
    draw("class_maps", n_views=3)
    rows = np.array([axis for axis in drawn[0].axes]).reshape(3, 4)
    shown = {row[0].get_ylabel(): [bool(axis.images) for axis in row] for row in rows}
    assert shown == {"left/a": [True] * 4, "left/b": [True, False, True, True], "c": [True] * 4}
    numbers = {row[0].get_ylabel(): [axis.get_xlabel() for axis in row] for row in rows}
    assert numbers["left/b"] == [""] * 4 and numbers["c"][:2] == [""] * 2 and all(numbers["c"][2:])


def test_class_maps_are_drawn_in_the_colours_of_their_classes(
    results: Path, drawn: list[Figure]
) -> None:
    draw("class_maps", n_views=1)
    truth, flat, coherent = (axis.images[0].get_array() for axis in drawn[0].axes[1:4])
    wall, lamp = CLASS_COLOURS[1], CLASS_COLOURS[4]  # class ids 2 and 5
    for picture, border in ((truth, 8), (flat, 6), (coherent, 7)):
        found = [to_hex(pixel / 255).upper() for pixel in picture[5]]
        assert found == [wall] * border + [lamp] * (16 - border)


def test_without_any_truth_there_is_no_column_for_it(results: Path, drawn: list[Figure]) -> None:
    write_wall_run()
    draw("class_maps", WALL, **FLAT)
    assert titles(drawn[0]) == ["photograph", "flat"]
    assert heading(drawn[0]) == "mIoU of held-out views: no truth (clipgs/image_mean@1)"
    assert not any("right" in text for text in texts(drawn[0]))


def test_settings_stand_in_the_order_of_the_options(results: Path, drawn: list[Figure]) -> None:
    draw("class_maps", settings=dict(reversed(SETTINGS.items())))
    assert titles(drawn[0])[2:] == ["(b) + coherent", "(a) flat"]


# consistency


def test_consistency_shows_both_views_and_where_they_differ(
    results: Path, drawn: list[Figure]
) -> None:
    draw("consistency")
    (figure,) = drawn
    parts = ("view", "next", "difference")
    assert titles(figure) == [f"{label} {part}" for label in SETTINGS.values() for part in parts]
    what = "differing pixels of neighbouring training views"
    numbers = "(a) flat 12.5%, (b) + coherent 6.2%"
    assert heading(figure) == f"{what}: {numbers} (class_maps/inconsistency@2)"
    assert {"train", "later/b", "later/c", "12.5% differ", "6.2% differ"} <= texts(figure)
    assert {"same label", "another label", "not compared", "wall", "lamp"} <= texts(figure)
    differing, compared = np.uint8([0xD5, 0x5E, 0x00]), figure.axes[2].images[0].get_array()[0]
    # verdicts of the first setting: columns 0 and 1 are not compared, column 6 differs
    white = (compared == 255).all(axis=-1).nonzero()[0].tolist()
    orange = (compared == differing).all(axis=-1).nonzero()[0].tolist()
    assert (white, orange) == ([0, 1], [6])


def test_pairs_are_spread_over_all_of_them(results: Path, drawn: list[Figure]) -> None:
    draw("consistency", n_pairs=1)
    assert "later/c" not in texts(drawn[0])
    draw("consistency", n_pairs=9)
    assert len(drawn[1].axes) == 2 * 6


def test_without_depth_the_class_maps_are_drawn_and_the_reason(
    results: Path, drawn: list[Figure]
) -> None:
    write_wall_run(depth=None)
    draw("consistency", WALL, **FLAT)
    assert titles(drawn[0]) == ["flat view", "flat next"] and len(drawn[0].axes) == 4
    assert "no two consecutive training views have depth" in heading(drawn[0])
    assert "another label" not in texts(drawn[0])
    assert {"v0", "v1", "v2"} <= texts(drawn[0])


def test_depth_without_a_pixel_to_compare_is_no_lack_of_depth(
    results: Path, drawn: list[Figure]
) -> None:
    write_wall_run({f"v{index}": HALVES * 0 for index in range(3)})
    draw("consistency", WALL, **FLAT)
    assert "no labelled pixel" in heading(drawn[0])
    assert {"none compared", "no label"} <= texts(drawn[0])


def test_what_is_drawn_is_what_was_scored(results: Path, drawn: list[Figure]) -> None:
    # the border between the halves stays, the wall moves by a pixel: 1 of 15 columns, then none
    moved = np.roll(HALVES, -1, axis=1)
    moved[:, -1] = 5
    write_wall_run({"v1": HALVES, "v2": moved})
    draw("consistency", WALL, **FLAT)
    assert {"6.7% differ", "0.0% differ"} <= texts(drawn[0])
    assert "flat 3.3%" in heading(drawn[0])


def test_a_single_view_has_no_neighbour(results: Path) -> None:
    write_wall_run(steps=(0.0,))
    with one_line_error("toys/wall", "no neighbour"):
        draw("consistency", WALL, **FLAT)


# both


@pytest.mark.parametrize("kind", KINDS)
def test_a_figure_names_the_trainings_it_shows_and_no_date(results: Path, kind: str) -> None:
    draw(kind)
    with Image.open(Path("paper_figures", f"{kind}.png")) as image:
        assert image.info["Source"] == ", ".join(setting_key(RUN, name) for name in SETTINGS)
        assert image.info["Software"] == "semsplat" and "Creation Time" not in image.info


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_class_map_is_one_line(results: Path, kind: str) -> None:
    for frame in load_scene(RUN.scene_dir).frames:
        (RUN.setting_dir("flat") / "predictions/classes" / f"{frame.name}.png").unlink()
    with one_line_error("predictions/classes", "no such file"):
        draw(kind)
    assert not list(results.glob("paper_figures/*"))


@pytest.mark.parametrize("kind", KINDS)
def test_long_names_stay_inside_the_figure(results: Path, drawn: list[Figure], kind: str) -> None:
    with SceneWriter(WALL.scene_dir, dataset="toys", scene="wall", source="", licence="") as writer:
        for index, split in enumerate(("test", "train", "train")):
            image, depth = random_image(seed=index), np.full((12, 16), 4, np.float32)
            viewmat = viewmat_at(0.2 * index)
            writer.add_frame(f"v{index}", image, viewmat, K, split, depth=depth, labels=HALVES)  # type: ignore[arg-type]
        writer.set_semantics({"classes": [{"id": i, "name": n} for i, n in CLASSES.items()]})
    score_wall({})
    draw(kind, WALL, settings={"flat": "SAC + 3DCS + PDR + a word"}, row_height_in=1.1)
    (figure,) = drawn
    figure.draw_without_rendering()
    page, heading_box = figure.bbox, figure._suptitle.get_window_extent()  # type: ignore[attr-defined]
    boxes = [axis.title.get_window_extent() for axis in figure.axes if axis.get_title()]
    assert len(boxes) == 3
    for box in (*boxes, heading_box):
        assert min(box.x0, box.y0) >= 0 and box.x1 <= page.x1 and box.y1 <= page.y1
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))
    below = [axis.xaxis.label.get_window_extent().y0 for axis in figure.axes]
    assert all(box.y1 <= heading_box.y0 for box in boxes)
    assert min(below) >= figure.legends[0].get_window_extent().y1


@pytest.mark.parametrize(
    ("title", "width_in", "lines"),
    [
        ("photograph", 2.0, ["photograph"]),
        ("SAC + 3DCS\nview", 2.0, ["SAC + 3DCS", "view"]),
        ("one two three", 0.9, ["one two", "three"]),  # 10 characters
        ("CLIP-GS and more", 0.9, ["CLIP-GS", "and more"]),
        ("abcdef", 0.36, ["abcd", "ef"]),
    ],
)
def test_titles_have_as_many_lines_as_they_need(
    title: str, width_in: float, lines: list[str]
) -> None:
    assert wrapped(title, width_in).split("\n") == lines


def test_a_title_of_several_lines_makes_the_grid_taller_and_not_wider() -> None:
    one, _ = picture_grid(2, ["a", "b"], 1.0, 1.0)
    two, axes = picture_grid(2, ["a", "word " * 4], 1.0, 1.0)
    assert axes[0, 1].get_title() == "word word\nword word"
    assert two.get_figwidth() == one.get_figwidth()
    assert two.get_figheight() > one.get_figheight()
