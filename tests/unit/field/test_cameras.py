"""Viewpoints that no photograph was taken from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semsplat.data.poses import camera_centre, check_rigid
from semsplat.data.scene import Scene, load_scene
from semsplat.data.scene_writer import SceneWriter
from semsplat.field.cameras import flight, focus_of, looking_at, pinhole, read_cameras, up_of
from semsplat.io import write_json
from tests.unit.data.scene_helpers import ORIGIN, K, one_line_error, random_image

UP = np.array([0.0, 0.0, 1.0])
SIZE = (16, 12)
numbers = st.floats(-5, 5)


def around(folder: Path, count: int = 8) -> Scene:
    """Return a scene whose cameras stand on a circle, a metre high, and look at its middle."""
    with SceneWriter(folder, **ORIGIN) as writer:
        for index in range(count):
            angle = 0.3 * index
            position = np.array([3 * np.cos(angle), 3 * np.sin(angle), 1.0])
            view = looking_at(str(index), position, np.zeros(3), UP, 1.0, SIZE)
            split = "train" if index else "test"
            writer.add_frame(view.name, random_image(), view.viewmat, K, split)
    return load_scene(folder)


@given(*([st.tuples(numbers, numbers, numbers)] * 2))
def test_a_camera_sees_its_target_in_the_middle_and_up_above_it(place: tuple, target: tuple):
    position, aim = np.array(place), np.array(target)
    across = np.linalg.norm(np.cross(aim - position, UP))
    if across < 1e-2:
        return
    camera = looking_at("x", position, aim, UP, 1.0, SIZE)
    check_rigid(camera.viewmat, "x")
    np.testing.assert_allclose(camera_centre(camera.viewmat), position, atol=1e-9)
    seen = camera.viewmat[:3, :3] @ aim + camera.viewmat[:3, 3]
    np.testing.assert_allclose(seen[:2], 0, atol=1e-9)
    assert seen[2] > 0
    above = camera.viewmat[:3, :3] @ (aim + UP) + camera.viewmat[:3, 3]
    assert above[1] < 0 and abs(above[0]) < 1e-6  # OpenCV: y looks down


def test_a_field_of_view_is_that_of_the_height() -> None:
    intrinsics = pinhole(np.pi / 2, (16, 12))
    np.testing.assert_allclose(intrinsics, [[6, 0, 8], [0, 6, 6], [0, 0, 1]])


def test_up_and_focus_are_what_the_cameras_agree_on(tmp_path: Path) -> None:
    scene = around(tmp_path / "scene")
    np.testing.assert_allclose(focus_of(scene), 0, atol=1e-6)
    assert up_of(scene) @ UP > 0.8


def test_a_flight_passes_all_training_cameras_smoothly(tmp_path: Path) -> None:
    scene = around(tmp_path / "scene")
    views = flight(scene, 61)
    assert len({view.name for view in views}) == 61
    centres = np.stack([camera_centre(view.viewmat) for view in views])
    for frame in scene.train:
        assert np.linalg.norm(centres - camera_centre(frame.viewmat), axis=1).min() < 0.05
    steps = np.linalg.norm(np.diff(centres, axis=0), axis=1)
    assert steps.max() < 2 * steps.min()
    assert len(flight(around(tmp_path / "two", 3), 4)) == 4  # of two cameras a straight line


def test_nerfstudios_paths_are_read(tmp_path: Path) -> None:
    pose = np.eye(4)
    pose[:3, 3] = [1, 2, 3]
    entry = {"camera_to_world": pose.flatten().tolist(), "fov": 90.0}
    told = {"render_width": 16, "render_height": 12, "camera_path": [entry]}
    write_json(tmp_path / "path.json", told)
    (camera,) = read_cameras(tmp_path / "path.json")
    np.testing.assert_allclose(camera_centre(camera.viewmat), [1, 2, 3])
    np.testing.assert_allclose(camera.viewmat[2, :3], [0, 0, -1])  # OpenGL looks along -z
    assert camera.K[1, 1] == pytest.approx(6) and (camera.width, camera.height) == SIZE


@pytest.mark.parametrize(
    "wrong",
    [
        {"camera_path": [{"fov": 90}]},
        {"render_width": "wide"},
        {"render_height": 0},
        {"camera_path": [{"camera_to_world": [1.0] * 15, "fov": 90}]},
        {"camera_path": [{"camera_to_world": [2.0] * 16, "fov": 90}]},
        {"camera_path": [{"camera_to_world": np.eye(4).flatten().tolist(), "fov": 180}]},
    ],
)
def test_what_is_no_camera_path_is_one_line(tmp_path: Path, wrong: dict) -> None:
    entry = {"camera_to_world": np.eye(4).flatten().tolist(), "fov": 90.0}
    told = {"render_width": 16, "render_height": 12, "camera_path": [entry]}
    write_json(tmp_path / "path.json", {**told, **wrong})
    with one_line_error("path.json"):
        read_cameras(tmp_path / "path.json")


@pytest.mark.parametrize("target", [[1, 2, 3], [1, 2, 4]])
def test_a_camera_that_looks_nowhere_or_along_up_is_one_line(target: list[float]) -> None:
    with one_line_error("camera 'x': looks nowhere, or along up"):
        looking_at("x", np.array([1.0, 2.0, 3.0]), np.array(target, float), UP, 1.0, SIZE)


@pytest.mark.parametrize("pose", [["a"] * 16, [[1, 0], [0]], {"a": 1}, None])
def test_a_pose_that_is_no_numbers_is_one_line(tmp_path: Path, pose: object) -> None:
    entry = {"camera_to_world": pose, "fov": 50}
    told = {"render_width": 4, "render_height": 4, "camera_path": [entry]}
    write_json(tmp_path / "way.json", told)
    with one_line_error("way.json: "):
        read_cameras(tmp_path / "way.json")
    write_json(tmp_path / "way.json", {**told, "camera_path": []})
    with one_line_error("way.json: names no camera"):
        read_cameras(tmp_path / "way.json")
