"""Labelled points: those of a view by hand, those that a scene brings, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from plyfile import PlyData, PlyElement
from scene_helpers import ORIGIN, K, one_line_error, random_image, viewmat_at

from semsplat.data.labelled_points import (
    CLASS_LISTS,
    LABELLED_POINTS,
    LabelledPoints,
    PointsWriter,
    class_lists,
    own_points,
    read_labelled,
    seen_points,
)
from semsplat.data.scene import Scene, load_scene
from semsplat.errors import SemsplatError
from semsplat.io import read_json

CLASSES = [{"id": 3, "name": "cup"}, {"id": 7, "name": "plate"}]
BROUGHT = LabelledPoints(np.array([[1.0, 2, 3], [4, 5, 6.5]]), np.array([7, 0], np.int32))


def written(folder: Path, scale: float = 1.0, **maps: Any) -> Scene:
    """Write a view that looks along z from (0, 0, -3), one to its right, and points."""
    with PointsWriter(folder, **ORIGIN) as writer:
        for name, x, split in (("a", 0.0, "test"), ("b", 1.0, "train"), ("c", -1.0, "train")):
            pose = viewmat_at(x)
            pose[:3, 3] *= scale
            writer.add_frame(name, random_image(), pose, K, split, **maps)  # type: ignore[arg-type]
        writer.set_labelled_points(LabelledPoints(scale * BROUGHT.xyz, BROUGHT.labels))
        writer.set_semantics({"classes": CLASSES, CLASS_LISTS: {"cups": CLASSES[:1], "none": []}})
    return load_scene(folder)


def test_a_view_shows_a_point_per_pixel_of_known_depth(tmp_path: Path) -> None:
    depth, labels = np.zeros((12, 16), np.float32), np.zeros((12, 16), np.int32)
    depth[5, 8], depth[0, 0], labels[5, 8], labels[1, 1] = 2.0, 4.0, 3, 7
    scene = written(tmp_path / "scene", depth=depth, labels=labels)
    found = seen_points(scene.test[0])
    assert found is not None
    # from (0, 0, -3), focal lengths 20 and 21, centre (8, 6): pixel (8, 5) is half a pixel off
    corner = [4 * -7.5 / 20, 4 * -5.5 / 21, 1.0]
    np.testing.assert_allclose(found.xyz, [corner, [2 * 0.5 / 20, 2 * -0.5 / 21, -1.0]], atol=1e-9)
    assert found.labels.tolist() == [0, 3]
    right = next(frame for frame in scene.train if frame.name == "b")
    moved = seen_points(right)
    assert moved is not None
    np.testing.assert_allclose(moved.xyz - found.xyz, [[1, 0, 0]] * 2, atol=1e-9)


def test_without_depth_or_labels_a_view_shows_none(tmp_path: Path) -> None:
    ids = np.full((12, 16), 3, np.int32)
    assert seen_points(written(tmp_path / "labels", labels=ids).test[0]) is None
    assert seen_points(written(tmp_path / "depth", depth=np.ones_like(ids, "f4")).test[0]) is None


@pytest.mark.parametrize("scale", [1.0, 1e6])
def test_brought_points_are_stored_where_the_cameras_are(tmp_path: Path, scale: float) -> None:
    """Scenes that are far too large are moved and shrunk, and their points with them."""
    scene = written(tmp_path / "scene", scale)
    points = own_points(scene)
    assert points is not None and scene.stored_in.is_own == (scale == 1)
    own = scene.stored_in.own(points.xyz)
    np.testing.assert_allclose(own, scale * BROUGHT.xyz, rtol=1e-6, atol=1e-6 * scale)
    assert points.labels.tolist() == [7, 0]
    assert LABELLED_POINTS in read_json(scene.scene_dir / "manifest.json")["files"]


def test_lists_are_that_of_all_classes_and_those_that_the_scene_names(tmp_path: Path) -> None:
    scene = written(tmp_path / "scene")
    assert class_lists(scene) == {"": {3: "cup", 7: "plate"}, "cups": {3: "cup"}}
    with PointsWriter(tmp_path / "bare", **ORIGIN) as writer:
        writer.add_frame("a", random_image(), viewmat_at(0), K, "train")
    bare = load_scene(tmp_path / "bare")
    assert class_lists(bare) == {} and own_points(bare) is None


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("x", np.nan, "finite"),
        ("label", -1, "0..65535"),
        ("label", 70000, "0..65535"),
        ("label", 2.5, "whole"),
        ("label", np.nan, "whole"),
        ("label", np.inf, "0..65535"),
        ("labels", 1, "x y z label"),
    ],
)
def test_vertices_that_are_no_labelled_points_are_refused(
    tmp_path: Path, field: str, value: float, said: str
) -> None:
    names = ["x", "y", "z", "labels" if field == "labels" else "label"]
    whole = float(value).is_integer()
    vertex = np.zeros(2, [(n, "i4" if whole and n.startswith("label") else "f4") for n in names])
    vertex[field][1] = value
    path = tmp_path / "points.ply"
    PlyData([PlyElement.describe(vertex, "vertex")]).write(str(path))
    with one_line_error(said, "points.ply"):
        read_labelled(path)
    with pytest.raises(SemsplatError):
        read_labelled(tmp_path / "none.ply")
