"""Objects that are clicked on, by the verb for people."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from semsplat.cli import main
from semsplat.data.images import read_ids
from semsplat.data.normal_frame import NormalFrame
from semsplat.errors import SemsplatError
from semsplat.evaluate.grounding import Place
from semsplat.field.field import Field
from semsplat.field.objects import write_objects, write_splat_of
from semsplat.field.selection import Selection
from semsplat.io import read_json
from semsplat.paths import train_dir
from semsplat.splat.ply import read_ply

CLICKS = ("left=a:4,6", "right=held_out:12,6")


def model_of(project: Path, name: str) -> Path:
    return project / train_dir("made", "balls", name, 0)


def select(model: Path, out: Path, *clicks: str) -> None:
    words = ["semsplat", "select", str(model), str(out), "--click", *clicks]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", words)
        main()


@pytest.mark.parametrize("name", ["cgc", "clip_gs", "gaussian_grouping"])
def test_clicked_objects_become_masks_and_splats(project: Path, tmp_path: Path, name: str) -> None:
    out = tmp_path / "objects"
    select(model_of(project, name), out, *CLICKS)
    for view in ("a", "b", "held_out"):
        left, right = (
            read_ids(out / o / "masks" / f"{view}.png", (16, 12)) for o in ("left", "right")
        )
        assert set(np.unique(left)) == set(np.unique(right)) == {0, 255}
        assert (left[6, 4], left[6, 12]) == (255, 0) and (right[6, 4], right[6, 12]) == (0, 255)
    left, right = (read_ply(out / o / "object.ply")["means"] for o in ("left", "right"))
    assert len(left) == len(right) == 1 and left[0, 0] < 0 < right[0, 0]
    told = read_json(out / "manifest.json")["found"]
    assert told.keys() == {"left", "right"} and "pixel (12, 6) of 'held_out'" in told["right"]


def test_clicks_behind_options_of_their_own_all_count(project: Path, tmp_path: Path) -> None:
    left, right = CLICKS
    select(model_of(project, "cgc"), tmp_path / "objects", left, "--click", right)
    found = read_json(tmp_path / "objects/manifest.json")["found"]
    assert found.keys() == {"left", "right"}


def test_a_selected_splat_is_in_the_scenes_own_coordinates(project: Path, tmp_path: Path) -> None:
    frame = NormalFrame(np.array([100.0, -20.0, 3.0]), 4.0)
    field = Field.open(model_of(project, "cgc"))
    assert field.scene is not None
    field.scene = replace(field.scene, stored_in=frame)
    write_objects(field, {"left": Place("a", (4, 6))}, tmp_path / "objects")
    own = frame.own(read_ply(field.path / "point_cloud.ply")["means"].numpy())
    assert np.allclose(read_ply(tmp_path / "objects/left/object.ply")["means"], own[:1])


def test_an_object_that_no_gaussian_belongs_to_has_no_splat(project: Path, tmp_path: Path) -> None:
    field = Field.open(model_of(project, "clip_gs"))
    nothing = Selection(np.zeros(2, bool), lambda _: np.zeros((12, 16), bool), "nowhere")
    write_splat_of(field, nothing, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("clicks", "said"),
    [
        (["left"], "write NAME=VIEW:X,Y"),
        (["left=a:3"], "write NAME=VIEW:X,Y"),
        (["x=a:3,5", "x=a:4,5"], "'x' is clicked twice"),
        (["x=a:99,5"], "outside the picture"),
        ([], "no click; give --click"),
        (["..=a:3,5"], "'..' cannot be a folder's name"),
        ([".=a:3,5"], "'.' cannot be a folder's name"),
        ([".semsplat=a:3,5"], "cannot be a folder's name"),
        (["manifest.json=a:3,5"], "cannot be a folder's name"),
        (["up/and/away=a:3,5"], "write NAME=VIEW:X,Y"),
        (["x=nowhere:3,5"], "its scene has no view 'nowhere'"),
        (["x=a:0,0"], "nothing is drawn there"),
        ([f"{'n' * 300}=a:3,5"], "cannot be a folder's name"),
    ],
)
def test_a_wrong_click_is_one_line_on_the_command_line(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], clicks: list[str], said: str
) -> None:
    with pytest.raises(SystemExit):
        select(model_of(project, "cgc"), tmp_path / "objects", *clicks)
    error = capsys.readouterr().err.strip().splitlines()
    assert len(error) == 1 and said in error[0]
    assert not (tmp_path / "objects").exists()


def test_a_method_that_answers_texts_alone_is_refused(project: Path, tmp_path: Path) -> None:
    field = Field.open(model_of(project, "gags"))
    with pytest.raises(SemsplatError, match="gags answers to texts, not to clicks"):
        write_objects(field, {"left": Place("a", (4, 6))}, tmp_path / "out")
