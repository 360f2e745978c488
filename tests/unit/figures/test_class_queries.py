"""Sheets of CLIP-GS's Figs. 1, 3, 4 and 6: classes asked for by name, and colours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from semsplat.arrays import write_arrays
from semsplat.data.images import write_png
from semsplat.data.manifest import write_manifest
from semsplat.data.scene import load_scene
from semsplat.figures import class_queries, colours, figure_kind
from tests.unit.figures.conftest import OPTIONS, RUNS, SETTINGS, texts

RUN = RUNS[0]


def draw(kind: str, **options: Any) -> None:
    module = figure_kind(kind)
    told = module.Options.model_validate({**OPTIONS[kind], **options})
    module.draw([RUN], told, Path("paper_figures", f"{kind}.png"))


def rows_of(**options: Any) -> list[class_queries.Row]:
    told = class_queries.Options.model_validate({**OPTIONS["class_queries"], **options})
    return class_queries.shown_rows(load_scene(RUN.scene_dir), RUN, told)


def test_training_views_come_first_and_held_out_views_show_the_class(results: Path) -> None:
    rows = rows_of(classes=["lamp"], n_train_views=2, n_views=2)
    assert [row.trained_on for row in rows] == [True, True, False, False]
    assert {row.name for row in rows} == {"lamp"}
    names = {True: {f.name for f in load_scene(RUN.scene_dir).train}}
    names[False] = {f.name for f in load_scene(RUN.scene_dir).test}
    assert all(row.frame.name in names[row.trained_on] for row in rows)


def test_of_a_class_that_the_scene_does_not_show_the_most_seen_stands_in(results: Path) -> None:
    # wall and lamp have half of each labelled view; the first setting sees more lamp elsewhere
    assert {row.name for row in rows_of(classes=["picture"])} == {"lamp"}
    assert {row.name for row in rows_of(classes=["wall", "lamp"])} == {"wall", "lamp"}


def test_votes_are_drawn_beside_training_views_alone(results: Path, drawn: list[Figure]) -> None:
    votes = {f.name: np.zeros((12, 16), np.uint16) for f in load_scene(RUN.scene_dir).train}
    for name in votes:
        votes[name][:6] = 5
    write_arrays(RUN.setting_dir("flat") / "votes.npz", votes)
    draw("class_queries", votes_of="flat", n_train_views=1, n_views=1)
    (figure,) = drawn
    grid = np.array(figure.axes).reshape(2, -1)
    assert [axis.get_visible() for axis in grid[:, -1]] == [True, False]
    picture = np.asarray(grid[0, -1].images[0].get_array())
    orange = np.abs(picture / 255 - to_rgb(class_queries.VOTED)).max(-1) < 0.02
    middle = picture.shape[0] // 2
    assert orange[: middle + 3].any() and not orange[middle + 4 :].any()
    assert f"votes of {SETTINGS['flat']}" in " ".join(texts(figure)).replace("\n", " ")


def test_without_votes_there_is_no_column_of_them(results: Path, drawn: list[Figure]) -> None:
    draw("class_queries", votes_of=None)
    assert not [text for text in texts(drawn[0]) if "vote" in text]
    draw("class_queries", votes_of="another", settings=SETTINGS)
    assert not [text for text in texts(drawn[1]) if "vote" in text]


def test_the_iou_of_the_class_is_that_of_the_scores(results: Path, drawn: list[Figure]) -> None:
    draw("class_queries", classes=["wall"])
    said = drawn[0].get_suptitle().replace("\n", " ")
    assert "IoU of “wall” in held-out views: (a) flat 50.0%, (b) + coherent 55.0%" in said
    assert "class_maps/pooled@1" in said


def test_a_setting_paints_its_own_class_map(results: Path, drawn: list[Figure]) -> None:
    maps = {"flat": np.full((12, 16), 5), "coherent": np.full((12, 16), 2)}
    for setting, ids in maps.items():
        for frame in load_scene(RUN.scene_dir).frames:
            path = RUN.setting_dir(setting) / "predictions/classes" / f"{frame.name}.png"
            write_png(path, ids.astype(np.uint16))
        write_manifest(RUN.setting_dir(setting) / "predictions", {})
    draw("class_queries", classes=["lamp"], n_train_views=0, n_views=1, votes_of=None)
    photograph, flat, coherent = (
        np.asarray(axis.images[0].get_array()).astype(float) for axis in drawn[0].axes
    )
    inner = (slice(8, -8), slice(8, -8))
    assert np.ptp(flat[inner], axis=-1).max() > 0  # a lamp everywhere: in colour
    assert np.ptp(coherent[inner], axis=-1).max() == 0  # no lamp anywhere: grey
    assert photograph.shape == flat.shape


def test_colours_are_those_of_each_setting_with_its_scores(
    results: Path, drawn: list[Figure]
) -> None:
    draw("colours", n_views=1)
    (figure,) = drawn
    shown = [np.asarray(axis.images[0].get_array()) for axis in figure.axes]
    assert [int(picture.max()) for picture in shown[1:]] == [0, 60]
    assert "PSNR 20.00 dB, SSIM 0.800" in texts(figure)
    said = figure.get_suptitle().replace("\n", " ")
    assert "PSNR of held-out views in dB: (a) flat 20.00, (b) + coherent 20.00" in said
    assert colours.NAME in figure.get_suptitle()
