from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from scene_helpers import disown, one_line_error, random_image, write_tiny_scene

from semsplat.data.images import write_png
from semsplat.data.scene import (
    load_depth,
    load_image,
    load_points,
    load_scene,
    scene_extent,
)

Edit = Callable[[dict[str, Any]], object]


def edit(scene_dir: Path, change: Edit) -> None:
    path = disown(scene_dir) / "transforms.json"
    transforms = json.loads(path.read_text())
    change(transforms)
    path.write_text(json.dumps(transforms))


def plain_nerfstudio_scene(folder: Path, count: int) -> Path:
    """What nerfstudio's ns-process-data writes: no split, OPENCV model, JPEG-like names."""
    frames = []
    for index in reversed(range(count)):
        name = f"images/frame_{index:05d}.png"
        write_png(folder / name, random_image(seed=index))
        frames.append({"file_path": f"./{name}", "transform_matrix": np.eye(4).tolist()})
    camera = {"fl_x": 20.0, "fl_y": 20.0, "cx": 8.0, "cy": 6.0, "w": 16.0, "h": 12, "k1": 0.0}
    transforms = {**camera, "camera_model": "OPENCV", "frames": frames, "applied_scale": 1}
    (folder / "transforms.json").write_text(json.dumps(transforms))
    return folder


def test_plain_nerfstudio_scene_holds_out_every_eighth_by_name(tmp_path: Path) -> None:
    scene = load_scene(plain_nerfstudio_scene(tmp_path, 10))
    assert [frame.name for frame in scene.test] == ["frame_00000", "frame_00008"]
    assert [frame.name for frame in scene.train] == [
        f"frame_0000{i}" for i in (1, 2, 3, 4, 5, 6, 7, 9)
    ]
    assert scene.points_path is None
    np.testing.assert_array_equal(load_image(scene.test[1]), random_image(seed=8))
    with one_line_error("no initial points"):
        load_points(scene)
    with one_line_error("frame_00000", "no depth"):
        load_depth(scene.test[0])


def test_frame_intrinsics_win_over_shared_ones(tmp_path: Path) -> None:
    plain_nerfstudio_scene(tmp_path, 2)
    edit(tmp_path, lambda t: t["frames"][0].update(fl_x=33.0))
    scene = load_scene(tmp_path)
    assert [frame.K[0, 0] for frame in scene.train + scene.test] == [33.0, 20.0]


def test_depth_unit_of_the_file_is_used(tmp_path: Path) -> None:
    plain_nerfstudio_scene(tmp_path, 2)
    write_png(tmp_path / "d.png", np.full((12, 16), 3, np.uint16))
    edit(tmp_path, lambda t: t.update(depth_unit_scale_factor=0.5))
    edit(tmp_path, lambda t: t["frames"][0].update(depth_file_path="d.png"))
    depth = load_depth(load_scene(tmp_path).train[0])
    assert depth.dtype == np.float32 and (depth == 1.5).all()


def test_extent_is_that_of_3dgs(tmp_path: Path) -> None:
    scene = load_scene(write_tiny_scene(tmp_path / "s"))  # training cameras at x = 1 and 2
    assert scene_extent(scene) == pytest.approx(1.1 * 0.5)


def test_order_of_the_split_lists_is_kept(tmp_path: Path) -> None:
    write_tiny_scene(tmp_path / "s")
    edit(tmp_path / "s", lambda t: t["train_filenames"].reverse())
    assert [frame.name for frame in load_scene(tmp_path / "s").train] == ["c", "b"]


BAD_FILES: dict[str, tuple[Edit, tuple[str, ...]]] = {
    "missing image": (
        lambda t: t["frames"][1].update(file_path="images/zz.png"),
        ("images/zz.png", "no such file"),
    ),
    "missing labels": (
        lambda t: t["frames"][1].update(labels_file_path="labels/b.png"),
        ("labels/b.png", "no such file"),
    ),
    "missing points": (
        lambda t: t.update(ply_file_path="cloud.ply"),
        ("cloud.ply", "no such file"),
    ),
    "nan pose": (
        lambda t: t["frames"][1]["transform_matrix"][0].__setitem__(3, float("nan")),
        ("transforms.json", "NaN"),
    ),
    "scaled pose": (
        lambda t: t["frames"][1].update(transform_matrix=(2 * np.eye(4)).tolist()),
        ("frame 'b'", "not rigid"),
    ),
    "ragged pose": (
        lambda t: t["frames"][1]["transform_matrix"][0].pop(),
        ("frame 'b'", "unequal length"),
    ),
    "same name": (
        lambda t: t["frames"][1].update(file_path="./images/a.png"),
        ("two frames are named 'a'",),
    ),
    "escaping path": (
        lambda t: t["frames"][1].update(file_path="../images/a.png"),
        ("'../images/a.png'", "inside the scene folder"),
    ),
    "unknown name": (
        lambda t: t["train_filenames"].append("images/bb.png"),
        ("'bb', which is no frame", "did you mean 'b'?"),
    ),
    "train and test": (
        lambda t: t["test_filenames"].append("images/b.png"),
        ("'b' is both in train and in test",),
    ),
    "train empty": (lambda t: t.update(train_filenames=[]), ("no training frame",)),
    "train missing": (lambda t: t.pop("train_filenames"), ("no training frame",)),
    "no frames": (
        lambda t: t.update(frames=[], train_filenames=None, test_filenames=None),
        ("no training frame",),
    ),
    "distortion": (
        lambda t: t["frames"][1].update(k1=0.1),
        ("frame 'b'", "distortion", "undistort"),
    ),
    "fisheye": (
        lambda t: t.update(camera_model="OPENCV_FISHEYE"),
        ("OPENCV_FISHEYE", "undistort"),
    ),
    "fisheye without coefficients": (
        lambda t: t.__setitem__("is_fisheye", True),
        ("is_fisheye is true",),
    ),
    "far pose": (
        lambda t: t["frames"][1]["transform_matrix"][0].__setitem__(3, 1e308),
        ("frame 'b'", "1e+12 units away"),
    ),
    "depth unit": (
        lambda t: t.__setitem__("depth_unit_scale_factor", 0.0),
        ("transforms.json", "depth_unit_scale_factor"),
    ),
    "depth outside": (
        lambda t: t["frames"][0].__setitem__("depth_file_path", "../../secret.png"),
        ("'../../secret.png' leads out of the scene's folder",),
    ),
    "annotations outside": (
        lambda t: t["frames"][0].__setitem__("annotations_file_path", "../../secret"),
        ("'../../secret' leads out of the scene's folder",),
    ),
    "no focal length": (lambda t: t.pop("fl_x"), ("no fl_x", "intrinsics")),
    "zero focal length": (lambda t: t.update(fl_x=0), ("K is not",)),
    "frames is text": (lambda t: t.update(frames="many"), ("frames:",)),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_transforms_are_one_line_naming_the_place(tmp_path: Path, case: str) -> None:
    change, words = BAD_FILES[case]
    scene_dir = write_tiny_scene(tmp_path / "s")
    edit(scene_dir, change)
    with one_line_error(*words):
        load_scene(scene_dir)


def test_missing_folder_and_broken_json_are_one_line(tmp_path: Path) -> None:
    with one_line_error("transforms.json", "no such file"):
        load_scene(tmp_path / "nowhere")
    (tmp_path / "transforms.json").write_text('{"frames": [\n')
    with one_line_error("transforms.json", "not valid JSON"):
        load_scene(tmp_path)


def test_a_link_out_of_the_scene_is_not_followed(tmp_path: Path) -> None:
    scene_dir = disown(write_tiny_scene(tmp_path / "s"))
    image = load_scene(scene_dir).train[0].image_path
    image.rename(tmp_path / "private.png")
    image.symlink_to(tmp_path / "private.png")
    with one_line_error("leads out of the scene's folder"):
        load_scene(scene_dir)


def test_sixteen_bits_a_channel_are_refused(tmp_path: Path) -> None:
    scene = load_scene(disown(write_tiny_scene(tmp_path / "s")))
    deep = np.full((12, 16, 3), 40000, np.uint16)
    cv2.imwrite(str(scene.train[0].image_path), deep)
    with one_line_error("16 bits a channel"):
        load_image(scene.train[0])


def test_unreadable_and_resized_images_are_one_line(tmp_path: Path) -> None:
    scene = load_scene(disown(write_tiny_scene(tmp_path / "s")))
    first, second = scene.train
    first.image_path.write_bytes(b"broken\n")
    with one_line_error("b.png", "not a readable image"):
        load_image(first)
    write_png(second.image_path, random_image(8, 8))
    with one_line_error("c.png", "8x8", "16x12"):
        load_image(second)


@pytest.mark.parametrize(
    "content",
    [
        "ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nend_header\n1\n",
        "ply\nformat ascii 1.0\nelement vertex 9\nproperty float x\nend_header\n1\n",
        "solid\n",
        "",
    ],
)
def test_broken_points_are_one_line(tmp_path: Path, content: str) -> None:
    scene = load_scene(disown(write_tiny_scene(tmp_path / "s")))
    assert scene.points_path is not None
    scene.points_path.write_text(content)
    with one_line_error("points.ply", "PLY"):
        load_points(scene)
