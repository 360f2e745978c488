"""Every answer as a picture, and as files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import OpenEXR
import pytest
from numpy.typing import NDArray

from semsplat import Field
from semsplat.arrays import read_arrays
from semsplat.data.images import read_rgb
from semsplat.palette import CLASS_COLOURS
from semsplat.paths import train_dir
from semsplat.viewer.channels import Shown, legend, split
from semsplat.viewer.films import Kind, cameras_named, numbers_of, write_pictures
from tests.unit.data.scene_helpers import one_line_error
from tests.unit.field.project import LEFT, RIGHT
from tests.unit.field.test_field import FROM_ABOVE, at

White = [255, 255, 255]


def shown(project: Path, name: str) -> Shown:
    return Shown(Field.open(project / train_dir("made", "balls", name, 0)))


def pixel(picture: NDArray[np.uint8], place: tuple[int, int]) -> list[int]:
    return picture[place[1], place[0]].tolist()


@pytest.mark.parametrize(
    ("name", "channels"),
    [
        ("clip_gs", ["colours", "depth", "classes", "features", "selection"]),
        ("gags", ["colours", "depth", "features", "relevancy", "selection"]),
        ("cgc", ["colours", "depth", "features", "selection"]),
    ],
)
def test_a_method_has_the_channels_of_its_answers(project: Path, name: str, channels: list):
    assert shown(project, name).channels == channels
    with one_line_error(f"cannot show {'relevancy' if name != 'gags' else 'classes'}"):
        shown(project, name).picture(FROM_ABOVE, "relevancy" if name != "gags" else "classes")


def test_channels_look_like_what_they_are_of(project: Path) -> None:
    one = shown(project, "clip_gs")
    camera = one.field.camera("held_out")
    classes = one.picture(camera, "classes")
    assert pixel(classes, LEFT) != pixel(classes, RIGHT)
    names = dict(legend([one]))
    assert names["chair"] == "#{:02X}{:02X}{:02X}".format(*pixel(classes, LEFT))
    assert set(names.values()) <= {*CLASS_COLOURS}
    depth = one.picture(camera, "depth")
    assert pixel(depth, (0, 0)) == [0, 0, 0] and sum(pixel(depth, LEFT)) > 0
    features = one.picture(camera, "features")
    assert pixel(features, (0, 0)) == White and pixel(features, LEFT) != pixel(features, RIGHT)
    with one_line_error("nothing is selected"):
        one.picture(camera, "selection")
    one.selection = one.field.select("wall")
    selection = one.picture(camera, "selection")
    red, green, blue = pixel(selection, (3, 6))  # beside the chosen ball all is grey
    assert red == green == blue


def test_relevancy_is_red_where_it_is_above_a_half(project: Path, monkeypatch) -> None:
    one = shown(project, "gags")
    with one_line_error("relevancy: of what?"):
        one.picture(FROM_ABOVE, "relevancy")
    one.prompt = "mug"
    said = np.full((1, 12, 16), 0.2, np.float32)
    said[0, :, :8] = 0.9
    monkeypatch.setattr(Field, "relevancy", lambda _, camera, asked: said if asked else None)
    picture = one.picture(one.field.camera("held_out"), "relevancy").astype(int)
    warm = picture[..., 0] - picture[..., 2]
    assert at(warm, LEFT) > 50 and at(warm, RIGHT) < -50


def test_two_pictures_share_one_with_a_border() -> None:
    first, second = np.zeros((4, 10, 3), np.uint8), np.full((4, 10, 3), 9, np.uint8)
    both = split(first, second, 0.3)
    assert both[0, :, 0].tolist() == [0, 0, 255, 255, 9, 9, 9, 9, 9, 9]
    assert (split(first, second, 1.0)[:, :9] == 0).all()
    assert (split(first, second, 0.0)[:, 1:] == 9).all()


def test_words_and_files_name_cameras(project: Path, tmp_path: Path) -> None:
    field = shown(project, "cgc").field
    names = {w: [c.name for c in cameras_named(field, w)] for w in ("train", "test", "all", "a")}
    assert names == {
        "train": ["a", "b"],
        "test": ["held_out"],
        "all": ["a", "b", "held_out"],
        "a": ["a"],
    }
    with one_line_error("no view 'tset'"):
        cameras_named(field, "tset")
    field.save_ply(tmp_path / "x.ply")
    with one_line_error("without its scene there is no 'flight'"):
        cameras_named(Field.open(tmp_path / "x.ply"), "flight")


def test_pictures_and_numbers_are_the_fields(project: Path, tmp_path: Path) -> None:
    one = shown(project, "clip_gs")
    cameras = cameras_named(one.field, "test")
    for kind in ("png", "exr", "npz"):
        write_pictures(one, cameras, "depth", kind, tmp_path)
    depth = one.field.depth("held_out")
    drawn = read_rgb(tmp_path / "held_out.png", (16, 12))
    np.testing.assert_array_equal(drawn, one.picture(cameras[0], "depth"))
    np.testing.assert_array_equal(read_arrays(tmp_path / "held_out.npz")["depth"], depth)
    with OpenEXR.File(str(tmp_path / "held_out.exr")) as file:
        np.testing.assert_array_equal(file.channels()["Y"].pixels, depth)
    write_pictures(one, cameras, "features", "exr", tmp_path / "features")
    with OpenEXR.File(str(tmp_path / "features/held_out.exr"), separate_channels=True) as file:
        planes = file.channels()
        assert list(planes) == ["features.000", "features.001"]
        second = one.field.features("held_out")[..., 1]
        np.testing.assert_array_equal(planes["features.001"].pixels, second)
    assert numbers_of(one, FROM_ABOVE, "classes").dtype == np.uint16
    with one_line_error("nothing is selected"):
        numbers_of(one, FROM_ABOVE, "selection")


def test_a_film_has_a_frame_of_every_camera(project: Path, tmp_path: Path) -> None:
    one = shown(project, "clip_gs")
    write_pictures(one, cameras_named(one.field, "all"), "colours", "mp4", tmp_path)
    film = cv2.VideoCapture(str(tmp_path / "colours.mp4"))
    assert film.get(cv2.CAP_PROP_FRAME_COUNT) == 3
    assert (film.get(cv2.CAP_PROP_FRAME_WIDTH), film.get(cv2.CAP_PROP_FRAME_HEIGHT)) == (16, 12)
    there, frame = film.read()
    wanted = one.field.colours("a").astype(int)[..., ::-1]
    assert there and np.abs(frame.astype(int) - wanted).mean() < 25


@pytest.mark.parametrize("sizes", [[(16, 12), (12, 16)], [(16, 1)]])
def test_a_film_is_of_pictures_of_one_size_that_can_be_seen(
    project: Path, tmp_path: Path, sizes: list[tuple[int, int]]
) -> None:
    cameras = [replace(FROM_ABOVE, width=width, height=height) for width, height in sizes]
    with one_line_error("mp4: cameras of one size of 2x2 px or more make a film"):
        write_pictures(shown(project, "clip_gs"), cameras, "colours", "mp4", tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["png", "npz", "exr", "mp4"])
def test_what_cannot_be_shown_is_told_before_anything_is_drawn(
    project: Path, tmp_path: Path, kind: Kind, capsys
) -> None:
    for name, channel, told in (
        ("gags", "relevancy", "relevancy: of what"),
        ("cgc", "selection", "nothing is selected"),
        ("cgc", "classes", "cannot show classes"),
    ):
        with one_line_error(told):
            write_pictures(shown(project, name), [FROM_ABOVE], channel, kind, tmp_path)
    assert not capsys.readouterr().err and not list(tmp_path.iterdir())
