"""Scenes far from the origin, or of unusual size, are stored near it; others stay as they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scene_helpers import ORIGIN, K, random_image, viewmat_at

from semsplat.data.normal_frame import OWN, NormalFrame, camera_extent, normal_frame, recorded_frame
from semsplat.data.poses import camera_centre
from semsplat.data.scene import load_depth, load_points, load_scene
from semsplat.data.scene_writer import SceneWriter

RING = np.array([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]])


@pytest.mark.parametrize("centre", [(0.0, 0, 0), (40.0, -30, 5)])
@pytest.mark.parametrize("size", [0.3, 1.0, 50.0])
def test_a_usual_scene_stays_as_it_is(centre: tuple[float, ...], size: float) -> None:
    assert normal_frame(size * RING + centre) is OWN


@given(
    size=st.floats(1e-6, 1e6),
    offset=st.tuples(*[st.floats(-4e6, 4e6)] * 3),
)
def test_every_scene_becomes_one_near_the_origin(
    size: float, offset: tuple[float, float, float]
) -> None:
    own = size * RING + offset
    frame = normal_frame(own)
    stored = frame.points(own)
    assert np.abs(frame.own(stored) - own).max() <= 1e-9 * np.abs(own).max()
    assert np.log2(frame.scale) % 1 == 0
    if not frame.is_own:
        assert np.abs(stored.mean(0)).max() < 1e-6 * max(1.0, np.abs(offset).max() / size)
        assert 0.999 <= camera_extent(own) * frame.scale <= 2.001
    assert recorded_frame(**{"transform": None, "scale": 1.0}).is_own


def test_cameras_in_one_place_keep_their_scale() -> None:
    assert normal_frame(np.zeros((2, 3))) is OWN
    assert normal_frame(np.full((1, 3), 1e6)).scale == 1


def write(out: Path, scale: float, shift: float) -> None:
    """Write two views, a depth and two points in coordinates of any scale and origin."""
    with SceneWriter(out, **ORIGIN) as writer:
        for name, x in (("a", 0.0), ("b", 1.0), ("c", 2.0)):
            viewmat = viewmat_at(x)
            centre = scale * camera_centre(viewmat) + shift
            viewmat[:3, 3] = -viewmat[:3, :3] @ centre
            depth = np.full((12, 16), 3.0 * min(scale, 10), np.float32)
            writer.add_frame(name, random_image(), viewmat, K, "train", depth=depth)
        xyz = scale * np.array([[0.0, 0, 0], [1, 2, 3]]) + shift
        writer.set_points(xyz, np.zeros((2, 3), np.uint8))


def test_poses_points_and_depth_move_together(tmp_path: Path) -> None:
    write(tmp_path / "plain", 1.0, 0.0)
    write(tmp_path / "moved", 2.0**-13, 1e6)
    plain, moved = load_scene(tmp_path / "plain"), load_scene(tmp_path / "moved")
    assert plain.stored_in.is_own and not moved.stored_in.is_own
    ratio = moved.stored_in.scale * 2.0**-13
    centres = [np.stack([camera_centre(f.viewmat) for f in s.train]) for s in (plain, moved)]
    mean = centres[0].mean(0)
    assert np.allclose(centres[1], ratio * (centres[0] - mean), atol=1e-5)
    points = [load_points(scene)[0] for scene in (plain, moved)]
    assert np.allclose(points[1], ratio * (points[0] - mean), atol=1e-5)
    for scene in (plain, moved):
        own = scene.stored_in.own(load_points(scene)[0])
        assert np.allclose(own[1] - own[0], np.array([1, 2, 3]) / (1 if scene is plain else 2**13),
                           atol=1e-9)  # fmt: skip


def test_held_out_views_move_nothing(tmp_path: Path) -> None:
    with SceneWriter(tmp_path / "scene", **ORIGIN) as writer:
        for name, x, split in (("a", 0.0, "train"), ("b", 1.0, "train"), ("far", 1e5, "test")):
            writer.add_frame(name, random_image(), viewmat_at(x), K, split)  # type: ignore[arg-type]
    assert load_scene(tmp_path / "scene").stored_in.is_own


def test_depth_is_in_the_stored_units(tmp_path: Path) -> None:
    write(tmp_path / "large", 100.0, 0.0)
    scene = load_scene(tmp_path / "large")
    assert scene.stored_in.scale < 1
    depth = load_depth(scene.train[0])
    assert np.allclose(depth, 30.0 * scene.stored_in.scale, rtol=1e-4)


def test_a_frame_that_turns_the_scene_is_none_of_ours() -> None:
    turned = [[0.0, 1, 0, 5], [1, 0, 0, 5], [0, 0, -1, 5]]
    assert recorded_frame(turned, 2.0) is OWN
    frame = NormalFrame(np.array([1.0, 2, 3]), 4.0)
    record = frame.record()
    again = recorded_frame(record["applied_transform"], record["applied_scale"])
    assert again.scale == 4 and np.array_equal(again.centre, frame.centre)
    assert OWN.record() == {}
