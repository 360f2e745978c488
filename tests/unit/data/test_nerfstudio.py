"""Folders in nerfstudio's format, as its own tools write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from semsplat.data.datasets import nerfstudio
from semsplat.data.datasets.nerfstudio import split_of
from semsplat.data.images import write_png
from semsplat.data.scene import Scene, load_image, load_points, load_scene
from semsplat.data.transforms import Transforms
from semsplat.io import read_json, write_json
from semsplat.vertices import write_points
from tests.unit.data.scene_helpers import (
    assert_nothing_left,
    one_line_error,
    random_image,
    viewmat_at,
)

SIZE = (64, 48)
LENS = {"fl_x": 60.0, "fl_y": 58.0, "cx": 31.0, "cy": 25.0, "w": 64, "h": 48}
BENT = {"camera_model": "OPENCV", "k1": -0.12, "k2": 0.03, "p1": 0.004, "p2": -0.002}


def options(root: Path, **changes: Any) -> nerfstudio.Options:
    values = {
        "root": str(root), "split": "interval", "train_fraction": 0.9, "test_every": 3,
        "max_width_px": None, "source": "made in a test", "licence": "none",
    }  # fmt: skip
    return nerfstudio.Options(**(values | changes))


def scene_pixels(index: int = 0) -> np.ndarray:
    """A picture that is smooth enough to be resampled."""
    return cv2.resize(random_image(8, 6, seed=index), SIZE, interpolation=cv2.INTER_CUBIC)


def entry(name: str, x: float, **more: Any) -> dict[str, Any]:
    pose = np.linalg.inv(viewmat_at(x)) @ np.diag([1.0, -1.0, -1.0, 1.0])  # OpenGL axes
    return {"file_path": f"images/{name}.png", "transform_matrix": pose.tolist(), **more}


def write_folder(
    root: Path, frames: list[dict[str, Any]], points: bool = True, **shared: Any
) -> Path:
    """Write a folder as ns-process-data does; images are named by the frames."""
    for index, frame in enumerate(frames):
        write_png(root / frame["file_path"], scene_pixels(index))
    write_points(root / "sparse_pc.ply", np.ones((5, 3)), np.full((5, 3), 9, np.uint8))
    told = {**LENS, **shared, "ply_file_path": "sparse_pc.ply", "frames": frames}
    write_json(root / "transforms.json", told)
    return root


def imported(root: Path, **changes: Any) -> Scene:
    out = root.parent / "data/nerfstudio/desk"
    nerfstudio.import_scene("desk", options(root, **changes), out)
    return load_scene(out)


def test_a_folder_without_distortion_is_taken_as_it_is(tmp_path: Path) -> None:
    moved = [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, -1, 0]]
    frames = [entry(f"frame_{i:05}", float(i)) for i in range(4)]
    root = write_folder(tmp_path / "desk", frames, applied_transform=moved)
    scene = imported(root)
    assert [f.name for f in scene.test] == ["frame_00000", "frame_00003"]
    for frame in scene.frames:
        np.testing.assert_allclose(frame.viewmat, viewmat_at(float(frame.name[-1])), atol=1e-9)
        np.testing.assert_allclose(frame.K, [[60, 0, 31], [0, 58, 25], [0, 0, 1]])
    first = next(frame for frame in scene.frames if frame.name == "frame_00000")
    np.testing.assert_array_equal(load_image(first), scene_pixels(0))
    assert len(load_points(scene)[0]) == 5
    notes = read_json(scene.scene_dir / "manifest.json")["notes"]
    assert notes["applied_transform"] == moved and notes["left_out"] == []


@pytest.mark.parametrize("third", [0.0, 0.01])
def test_distortion_is_taken_out_as_opencv_does(tmp_path: Path, third: float) -> None:
    lens = {**BENT, "k3": third}
    scene = imported(write_folder(tmp_path / "desk", [entry("a", 0.0), entry("b", 1.0)], **lens))
    frame = next(f for f in scene.frames if f.name == "a")
    K = np.array([[60.0, 0, 30.5], [0, 58.0, 24.5], [0, 0, 1]])  # OpenCV's pixel centres
    wanted = frame.K.copy()
    wanted[:2, 2] -= 0.5
    numbers = np.array([BENT["k1"], BENT["k2"], BENT["p1"], BENT["p2"], third])
    theirs = cv2.undistort(scene_pixels(0), K, numbers, newCameraMatrix=wanted)
    inside = slice(4, min(frame.height, 48) - 4), slice(4, min(frame.width, 64) - 4)
    ours = load_image(frame)[inside].astype(int)
    assert np.abs(ours - theirs[inside]).mean() < 1.5
    assert np.abs(ours - scene_pixels(0)[inside]).mean() > 1.5


@pytest.mark.parametrize("told", [{"camera_model": "OPENCV_FISHEYE"}, {"is_fisheye": True}])
def test_a_fisheye_becomes_a_pinhole(tmp_path: Path, told: dict) -> None:
    bent = {**told, "k1": 0.05, "k2": 0.01, "k3": 0.0, "k4": 0.0}
    scene = imported(write_folder(tmp_path / "desk", [entry("a", 0.0), entry("b", 1.0)], **bent))
    frame = next(f for f in scene.frames if f.name == "a")
    y, x = 30.0, 44.0  # a pixel of the result, and where a fisheye saw it
    ray = np.linalg.inv(frame.K) @ [x, y, 1]
    angle = np.arctan(np.hypot(*ray[:2]))
    bent_angle = angle * (1 + 0.05 * angle**2 + 0.01 * angle**4)
    seen = ray[:2] / np.hypot(*ray[:2]) * bent_angle * [60, 58] + [31, 25]
    source = cv2.remap(scene_pixels(0), *np.float32(seen - 0.5).reshape(2, 1, 1), cv2.INTER_LINEAR)
    shown = load_image(frame)[int(y), int(x)]  # around (x, y), half a pixel away
    assert np.abs(shown.astype(int) - source[0, 0]).max() < 12


def test_frames_may_have_intrinsics_and_sizes_of_their_own(tmp_path: Path) -> None:
    own = {"fl_x": 30.0, "fl_y": 29.0, "cx": 16.0, "cy": 12.0, "w": 32, "h": 24}
    frames = [entry("a", 0.0), entry("b", 1.0), entry("c", 2.0, **own)]
    root = write_folder(tmp_path / "desk", frames)
    write_png(root / "images/c.png", scene_pixels()[::2, ::2])
    scene = imported(root)
    sizes = {f.name: (f.width, f.height, f.K[0, 0]) for f in scene.frames}
    assert sizes == {"a": (64, 48, 60.0), "b": (64, 48, 60.0), "c": (32, 24, 30.0)}
    smaller = imported(root, max_width_px=32)
    assert {(f.width, f.K[0, 0]) for f in smaller.frames} == {(32, 30.0)}


def test_images_reduced_by_one_factor_keep_their_cameras(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "desk", [entry("a", 0.0), entry("b", 1.0)])
    for name in "ab":
        write_png(root / f"images/{name}.png", scene_pixels()[::2, ::2])
    assert {(f.width, f.K[0, 0]) for f in imported(root).frames} == {(32, 30.0)}


NAMES = [f"f{i:02}" for i in range(11)]


def transforms(**lists: Any) -> Transforms:
    return Transforms(frames=[], **lists)


@pytest.mark.parametrize(
    ("changes", "held_out"),
    [
        ({"split": "interval", "test_every": 4}, ["f00", "f04", "f08"]),
        # ceil(0.8 * 11) = 9 train, at linspace(0, 10, 9): 0 1 2 3 5 6 7 8 10
        ({"split": "fraction", "train_fraction": 0.8}, ["f04", "f09"]),
    ],
)
def test_splits_are_those_of_nerfstudios_parser(changes: dict, held_out: list) -> None:
    train, test = split_of(transforms(), NAMES, options(Path("x"), **changes), Path("x"))
    assert list(test) == held_out and sorted([*train, *test]) == NAMES


def test_names_and_lists_split_too() -> None:
    names = ["a_eval", "b_train", "c_train"]
    by_name = options(Path("x"), split="filename")
    assert split_of(transforms(), names, by_name, Path("x")) == (["b_train", "c_train"], ["a_eval"])
    with one_line_error("'d' has neither train nor eval in its name"):
        split_of(transforms(), [*names, "d"], by_name, Path("x"))
    lists = transforms(train_filenames=["images/c_train.png"], test_filenames=["images/a_eval.png"])
    assert split_of(lists, names, by_name, Path("x")) == (["c_train"], ["a_eval"])
    with one_line_error("the split names 'z', which is no frame"):
        split_of(transforms(train_filenames=["images/z.png"]), names, by_name, Path("x"))
    with one_line_error("no training view"):
        split_of(transforms(test_filenames=["images/a_eval.png"]), names, by_name, Path("x"))


def test_what_no_list_names_is_left_out_and_noted(tmp_path: Path) -> None:
    frames = [entry(name, float(i)) for i, name in enumerate("abc")]
    lists = {"train_filenames": ["images/a.png"], "test_filenames": ["images/c.png"]}
    scene = imported(write_folder(tmp_path / "desk", frames, **lists))
    assert [f.name for f in scene.frames] == ["a", "c"]
    assert read_json(scene.scene_dir / "manifest.json")["notes"]["left_out"] == ["b"]


@pytest.mark.parametrize(
    ("shared", "words"),
    [
        ({"camera_model": "EQUIRECTANGULAR"}, ("EQUIRECTANGULAR", "perspective views")),
        ({"fl_x": None}, ("no fl_x; add the camera's intrinsics",)),
        ({"w": 60}, ("does not fit its camera",)),
        ({"ply_file_path": "gone.ply"}, ("gone.ply", "no such file")),
    ],
)
def test_what_cannot_be_a_scene_is_one_line(tmp_path: Path, shared: dict, words: tuple) -> None:
    root = write_folder(tmp_path / "desk", [entry("a", 0.0), entry("b", 1.0)])
    told = read_json(root / "transforms.json")
    write_json(root / "transforms.json", {**told, **shared})
    with one_line_error("transforms.json" if len(words) == 1 else words[0], *words):
        imported(root)
    assert_nothing_left(tmp_path / "data/nerfstudio/desk")


def test_a_missing_image_and_a_bent_pose_are_named(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "desk", [entry("a", 0.0), entry("b", 1.0)])
    told = read_json(root / "transforms.json")
    told["frames"][0]["transform_matrix"][0][0] = 2.0
    write_json(root / "transforms.json", told)
    with one_line_error("frame 'a'"):
        imported(root)
    (root / "images/a.png").unlink()
    with one_line_error("images/a.png", "no such file, though transforms.json names it"):
        imported(root)


def test_two_frames_of_one_name_are_refused(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "desk", [entry("a", 0.0), entry("a", 1.0), entry("b", 2.0)])
    with one_line_error("two frames are named 'a'; rename one"):
        imported(root)


def test_the_files_that_are_read_are_its_sources(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "desk", [entry("a", 0.0), entry("b", 1.0)])
    write_png(root / "images/other.png", scene_pixels())
    found = [path.relative_to(root).as_posix() for path in nerfstudio.sources(options(root))]
    assert found == ["images/a.png", "images/b.png", "sparse_pc.ply", "transforms.json"]
    assert nerfstudio.sources(options(tmp_path / "gone")) == []


def test_a_stock_folder_trains(tiny_scene: Scene, tmp_path: Path, monkeypatch) -> None:
    from semsplat.geometry.__main__ import reconstruct
    from semsplat.params.geometry import GeometryJob
    from tests.unit.train.conftest import GEOMETRY

    monkeypatch.setattr("semsplat.verified.recorded", lambda _: {})
    out = tmp_path / "data/nerfstudio/plane"
    nerfstudio.import_scene("plane", options(tiny_scene.scene_dir), out)
    place = {"dataset": "nerfstudio", "scene": "plane", "seed": 0, "run_seed": 1}
    job = GeometryJob(**place, steps_scaler=1.0, geometry=GEOMETRY, log_every=5)
    reconstruct(out, tmp_path / "out", tmp_path / "scratch", job.model_dump_json(), 1e9, "cpu")
    assert (tmp_path / "out/point_cloud.ply").is_file()
