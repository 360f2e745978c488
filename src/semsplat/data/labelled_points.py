"""Points whose class is known: those that a scene brings, or those that its views show.

A scene may have `LABELLED_POINTS`, vertices x, y, z (stored coordinates) with ``label`` (a class
id, 0 = void), and in ``semantics.json`` under ``class_lists`` the lists of classes that its
benchmark asks for, {name: [{"id", "name"}]}.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from plyfile import PlyData, PlyElement

from semsplat.data.depth import points_at
from semsplat.data.images import MAX_ID
from semsplat.data.normal_frame import OWN
from semsplat.data.scene import Frame, Scene, load_depth, load_ids, load_semantics
from semsplat.data.scene_writer import SceneWriter
from semsplat.errors import SemsplatError, readable
from semsplat.vertices import read_vertices

LABELLED_POINTS = "labelled_points.ply"
CLASS_LISTS = "class_lists"
ClassLists = dict[str, dict[int, str]]
"""{list: {id: name}}."""


class LabelledPoints(NamedTuple):
    """Where things are, and what they are."""

    xyz: NDArray[np.float64]  # [P, 3]
    labels: NDArray[np.int32]  # [P] class ids, 0 = void


def class_lists(scene: Scene) -> ClassLists:
    """Return {list: {id: name}}: that of all the scene's classes is called "", and may be alone.

    Nothing where the scene names no class.
    """
    if not (scene.scene_dir / "semantics.json").is_file():
        return {}
    said = load_semantics(scene)
    lists: dict[str, Any] = {"": said["classes"], **said.get(CLASS_LISTS, {})}
    named = {name: {one["id"]: one["name"] for one in some} for name, some in lists.items()}
    return {name: some for name, some in named.items() if some} if named[""] else {}


def read_labelled(path: Path) -> LabelledPoints:
    """Return the labelled vertices of a PLY.

    Raises a one-line `SemsplatError` for a file that is missing or broken, or has no such vertices.
    """
    with readable(path, "a PLY with vertices x y z label", "get it again from where it came"):
        vertex = read_vertices(path)
        xyz = np.stack([vertex[key] for key in "xyz"], axis=1).astype(np.float64)
        labels = np.asarray(vertex["label"]).astype(np.float64)
    known = (labels >= 0) & (labels <= MAX_ID) & (labels == np.floor(labels))
    if not np.isfinite(xyz).all() or not known.all():
        raise SemsplatError(f"{path}: points must be finite, labels whole and in 0..{MAX_ID}")
    return LabelledPoints(xyz, labels.astype(np.int32))


def own_points(scene: Scene) -> LabelledPoints | None:
    """Return the labelled points that a scene brings, or None where it brings none."""
    path = scene.scene_dir / LABELLED_POINTS
    return read_labelled(path) if path.is_file() else None


def seen_points(frame: Frame) -> LabelledPoints | None:
    """Return what a view shows, a point per pixel of known depth; None without depth or labels."""
    if frame.depth_path is None or frame.labels_path is None:
        return None
    depth, labels = load_depth(frame), load_ids(frame.labels_path, frame)
    v, u = np.nonzero(depth)
    return LabelledPoints(points_at(v, u, depth, frame.viewmat, frame.K), labels[v, u])


class PointsWriter(SceneWriter):
    """A `SceneWriter` of scenes that bring labelled points."""

    _labelled: LabelledPoints | None = None

    def __enter__(self) -> PointsWriter:
        """Open an empty folder beside ``out_dir``."""
        super().__enter__()
        return self

    def set_labelled_points(self, points: LabelledPoints) -> None:
        """Take them, in the scene's own coordinates."""
        self._labelled = points

    def _finish(self) -> None:
        if self._labelled is not None:
            frame = OWN if self._frame else self._normal_frame()
            stored = LabelledPoints(frame.points(self._labelled.xyz), self._labelled.labels)
            _write(self._dir / LABELLED_POINTS, stored)
        super()._finish()


def _write(path: Path, points: LabelledPoints) -> None:
    vertex = np.empty(len(points.xyz), [*((key, "f4") for key in "xyz"), ("label", "u2")])
    for key, values in zip("xyz", points.xyz.T, strict=True):
        vertex[key] = values
    vertex["label"] = points.labels
    PlyData([PlyElement.describe(vertex, "vertex")], byte_order="<").write(str(path))
