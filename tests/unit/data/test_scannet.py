"""ScanNet's layout as SensReader exports it, written from cameras and labels that are known.

Poses and intrinsics have the six decimals of the exporter, so that they come back to 1e-6.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from labelled_writers import read_jpg, write_jpg
from plyfile import PlyData, PlyElement
from pydantic import ValidationError
from scene_helpers import assert_nothing_left, one_line_error, random_image, viewmat_at

from semsplat.data.datasets import scannet
from semsplat.data.images import write_png
from semsplat.data.labelled_points import class_lists, own_points
from semsplat.data.poses import rigid_inverse
from semsplat.data.privileges import CLASSES_OF_LABELS, POINTS_OF_DEPTH
from semsplat.data.scene import (
    Scene,
    load_depth,
    load_ids,
    load_image,
    load_points,
    load_scene,
    load_semantics,
)
from semsplat.io import read_json

COLOUR, DEPTH = (48, 36), (20, 15)  # width, height
COLOUR_K = [45.0, 44.0, 23.5, 17.5]  # fx, fy, cx, cy; centres of pixels are integers
DEPTH_K = [18.75, 18.333333, 9.5, 7.0]  # the same field of view
NUMBERS = [0, 1, 2, 3, 5, 8, 9, 10, 11, 12]
LOST = {2: "-inf", 9: "-1.#INF"}
COLUMNS = ["id", "raw_category", "category", "count", "nyu40id", "eigen13id", "nyuClass"]
TABLE = [
    [1, "wall", "wall", 8277, 1, 12, "wall", "wall"],
    [3, "floor", "floor", 1553, 2, 5, "floor", "floor"],
    [21, "wall 2", "wall", 9, 1, 12, "wall", "wall"],
    [1187, '18" monitor', "monitor", 3, 40, 7, "monitor", "otherprop"],
    [40000, "unclear", "", 1, "", "", "", ""],
]
RAW = [0, 1, 3, 21, 1187, 40000]
NYU40 = [0, 1, 2, 1, 40, 0]


def options(root: Path, **changes: Any) -> scannet.Options:
    values: dict[str, Any] = {
        "root": str(root / "scan"),
        "label_table": str(root / "labels.tsv"),
        "n_frames": None,
        "frame_step": 1,
        "test_every": 4,
        "width_px": COLOUR[0],
        "height_px": COLOUR[1],
        "n_points": 40,
        "point_noise_m": 0.0,
        "points_seed": 0,
        "source": "made in a test",
        "licence": "none",
    }
    return scannet.Options(**values | changes)


def imported(tmp_path: Path, name: str = "scan", **changes: Any) -> Scene:
    out_dir = tmp_path / "out" / name
    scannet.import_scene(name, options(tmp_path / "in", **changes), out_dir)
    return load_scene(out_dir)


def pose(number: int) -> np.ndarray:
    return rigid_inverse(viewmat_at(0.1 * number, 2.0 * number))


def write_intrinsics(path: Path, focal: list[float]) -> None:
    fx, fy, cx, cy = focal
    matrix = np.array([[fx, 0, cx, 0], [0, fy, cy, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savetxt(path, matrix, fmt="%f")


def write_table(path: Path, rows: list[list[Any]]) -> None:
    lines = [[*COLUMNS, "nyu40class"], *rows]
    path.write_text("".join("\t".join(map(str, line)) + "\n" for line in lines))


def raw_labels() -> np.ndarray:
    """Stripes [36, 48] of every raw id, eight columns wide."""
    return np.tile(np.repeat(np.uint16(RAW), 8), (COLOUR[1], 1))


def native_depth() -> np.ndarray:
    """A slope [15, 20] in millimetres whose first row has no depth."""
    depth = np.add.outer(100 * np.arange(15), 10 * np.arange(20)) + 1000
    depth[0] = 0
    return depth.astype(np.uint16)


def write_material(root: Path, depth_K: list[float] = DEPTH_K) -> Path:
    scan = root / "scan"
    write_intrinsics(scan / "intrinsic/intrinsic_color.txt", COLOUR_K)
    write_intrinsics(scan / "intrinsic/intrinsic_depth.txt", depth_K)
    (scan / "pose").mkdir()
    for number in NUMBERS:
        write_jpg(scan / f"color/{number}.jpg", random_image(*COLOUR, seed=number))
        write_png(scan / f"depth/{number}.png", native_depth())
        write_png(scan / f"label-filt/{number}.png", raw_labels())
        path = scan / f"pose/{number}.txt"
        if number in LOST:
            path.write_text(f"{' '.join([LOST[number]] * 4)}\n" * 4)
        else:
            np.savetxt(path, pose(number), fmt="%f")
    write_table(root / "labels.tsv", TABLE)
    return root


def test_cameras_and_pictures_come_back(tmp_path: Path) -> None:
    root = write_material(tmp_path / "in")
    scene = imported(tmp_path)
    posed = [str(number) for number in NUMBERS if number not in LOST]
    assert [frame.name for frame in scene.frames] == posed
    assert [frame.name for frame in scene.test] == ["0", "8"]
    for frame in scene.frames:
        np.testing.assert_allclose(
            rigid_inverse(frame.viewmat), pose(int(frame.name)), rtol=0, atol=1e-6
        )
        half = [45.0, 44.0, 24.0, 18.0]  # pixels' centres are at halves here
        np.testing.assert_allclose(frame.K[[0, 1, 0, 1], [0, 1, 2, 2]], half)
        picture = read_jpg(root / f"scan/color/{frame.name}.jpg")
        np.testing.assert_array_equal(load_image(frame), picture)


def test_a_class_of_held_out_views_alone_is_void(tmp_path: Path) -> None:
    root = write_material(tmp_path / "in")
    for number in set(NUMBERS) - {0, 8}:
        labels = raw_labels()
        labels[labels == 3] = 1
        write_png(root / f"scan/label-filt/{number}.png", labels)
    scene = imported(tmp_path)
    assert [entry["name"] for entry in load_semantics(scene)["classes"]] == ["wall", "otherprop"]
    for frame in scene.test:
        assert set(np.unique(load_ids(frame.labels_path, frame)).tolist()) == {0, 1, 40}
    told = read_json(scene.scene_dir / "manifest.json")["privileges"]
    assert told == [POINTS_OF_DEPTH, CLASSES_OF_LABELS]


def test_images_without_a_pose_are_dropped_and_counted(tmp_path: Path) -> None:
    write_material(tmp_path / "in")
    scene = imported(tmp_path)
    assert not {frame.name for frame in scene.frames} & {"2", "9"}
    notes = read_json(scene.scene_dir / "manifest.json")["notes"]
    assert notes == {"images": {"with_pose": 8, "without_pose": 2}}


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"frame_step": 3}, "0 5 11"),
        ({"n_frames": 3, "frame_step": None}, "0 8 12"),  # places 0, 3.5 and 7, rounded to even
        ({"n_frames": 8, "frame_step": None}, "0 1 3 5 8 10 11 12"),
        ({"n_frames": 300, "frame_step": None}, "0 1 3 5 8 10 11 12"),
    ],
)
def test_images_are_chosen_from_those_with_a_pose(
    tmp_path: Path, choice: dict[str, Any], expected: str
) -> None:
    write_material(tmp_path / "in")
    names = [frame.name for frame in imported(tmp_path, **choice).frames]

    assert names == expected.split()


def test_labels_become_nyu40_by_the_table(tmp_path: Path) -> None:
    write_material(tmp_path / "in")
    scene = imported(tmp_path)
    frame = scene.train[0]
    assert frame.labels_path is not None
    expected = np.tile(np.repeat(NYU40, 8), (COLOUR[1], 1))
    np.testing.assert_array_equal(load_ids(frame.labels_path, frame), expected)
    assert load_semantics(scene)["classes"] == [
        {"id": 1, "name": "wall"},
        {"id": 2, "name": "floor"},
        {"id": 40, "name": "otherprop"},
    ]


def test_everything_shrinks_to_the_asked_size(tmp_path: Path) -> None:
    root = write_material(tmp_path / "in")
    frame = imported(tmp_path, width_px=24, height_px=12).frames[0]
    np.testing.assert_allclose(frame.K[[0, 1, 0, 1], [0, 1, 2, 2]], [22.5, 44 / 3, 12, 6])
    means = read_jpg(root / "scan/color/0.jpg").reshape(12, 3, 24, 2, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(load_image(frame), means, atol=0.5 + 1e-6)
    assert frame.labels_path is not None
    expected = np.tile(np.repeat(NYU40, 4), (12, 1))
    np.testing.assert_array_equal(load_ids(frame.labels_path, frame), expected)
    depth = load_depth(frame)
    assert depth.shape == (12, 24) and set(np.unique(1000 * depth).round()) <= {
        *native_depth().flat
    }


def seen_by(depth_K: list[float]) -> np.ndarray:
    """The sensor's depth at every colour pixel [36, 48], one by one; 0 where it saw nothing."""
    native, found = native_depth(), np.zeros(COLOUR[::-1])
    for v in range(COLOUR[1]):
        for u in range(COLOUR[0]):
            x = (u - COLOUR_K[2]) / COLOUR_K[0] * depth_K[0] + depth_K[2]
            y = (v - COLOUR_K[3]) / COLOUR_K[1] * depth_K[1] + depth_K[3]
            column, row = int(np.floor(x + 0.5)), int(np.floor(y + 0.5))  # centres are integers
            if 0 <= column < DEPTH[0] and 0 <= row < DEPTH[1]:
                found[v, u] = native[row, column]
    return found


@pytest.mark.parametrize("depth_K", [DEPTH_K, [14.0, 14.5, 9.1, 7.2], [24.0, 24.0, 9.4, 6.9]])
def test_depth_is_seen_through_both_intrinsics(tmp_path: Path, depth_K: list[float]) -> None:
    write_material(tmp_path / "in", depth_K)
    depth = load_depth(imported(tmp_path).frames[0])
    np.testing.assert_allclose(depth, seen_by(depth_K) / 1000, atol=1e-6)
    if depth_K[0] == 24.0:  # the sensor sees less than the camera
        assert (depth[:, 0] == 0).all() and (depth[20, 10:30] > 0).all()


def test_points_lie_on_the_depth_of_training_views(tmp_path: Path) -> None:
    write_material(tmp_path / "in")
    scene = imported(tmp_path)
    xyz, rgb = load_points(scene)
    owners = np.repeat(np.arange(6), [7, 7, 7, 7, 6, 6])  # 40 points over six training views
    for point, colour, owner in zip(xyz, rgb, owners, strict=True):
        frame = scene.train[owner]
        u, v, z = frame.K @ (frame.viewmat[:3, :3] @ point + frame.viewmat[:3, 3])
        column, row = int(u / z), int(v / z)
        assert z == pytest.approx(load_depth(frame)[row, column], abs=1e-5)
        np.testing.assert_array_equal(load_image(frame)[row, column], colour)


def write_vertices(root: Path, name: str = "scene0000_00") -> None:
    """Write a mesh's vertices as ScanNet does: wall, other furniture, void and a bathtub."""
    fields = [*((k, "f4") for k in "xyz"), *((k, "u1") for k in ("red", "green", "blue", "alpha"))]
    vertex = np.zeros(4, [*fields, ("label", "u2")])
    vertex["x"], vertex["label"] = [0.5, 1, 2, 3], [1, 39, 0, 36]
    face = np.array([([0, 1, 2],)], [("vertex_indices", "i4", (3,))])
    elements = [PlyElement.describe(vertex, "vertex"), PlyElement.describe(face, "face")]
    PlyData(elements, byte_order="<").write(str(root / f"scan/{name}_vh_clean_2.labels.ply"))


def test_vertices_become_labelled_points_whatever_views_show(tmp_path: Path) -> None:
    root = write_material(tmp_path / "in")
    assert own_points(imported(tmp_path)) is None
    write_vertices(root)
    scene = imported(tmp_path)
    points = own_points(scene)
    assert points is not None
    assert points.xyz[:, 0].tolist() == [0.5, 1, 2, 3] and points.labels.tolist() == [1, 39, 0, 36]
    lists = class_lists(scene)
    assert set(lists) == {"", "nyu19", "nyu15", "nyu10"}
    assert list(lists[""]) == [1, 2, 40]
    assert list(lists["nyu19"]) == [*range(1, 13), 14, 16, 24, 28, 33, 34, 36]
    assert list(lists["nyu15"]) == [*range(1, 11), 12, 14, 16, 33, 34]
    assert list(lists["nyu10"]) == [1, 2, 4, 5, 6, 7, 8, 9, 10, 33]
    assert lists["nyu10"][33] == "toilet" and lists["nyu19"][36] == "bathtub"
    assert root / "scan/scene0000_00_vh_clean_2.labels.ply" in scannet.sources(options(root))


def test_vertices_of_two_scans_are_one_line(tmp_path: Path) -> None:
    root = write_material(tmp_path / "in")
    for name in ("scene0000_00", "scene0001_00"):
        write_vertices(root, name)
    with one_line_error("scene0001_00", "keep one"):
        imported(tmp_path)
    assert_nothing_left(tmp_path / "out/scan")


def test_sources_are_the_files_read(tmp_path: Path) -> None:
    root = write_material(tmp_path / "in")
    (root / "scan/intrinsic/extrinsic_color.txt").touch()
    paths = scannet.sources(options(root, frame_step=4))
    found = [path.relative_to(root).as_posix() for path in paths]
    assert found == sorted(found)
    assert [n for n in found if n.startswith("scan/color")] == [
        "scan/color/0.jpg",
        "scan/color/8.jpg",
    ]
    assert len([n for n in found if n.startswith("scan/pose")]) == len(NUMBERS)  # which are lost
    assert {"labels.tsv", "scan/intrinsic/intrinsic_depth.txt", "scan/label-filt/8.png"} <= set(
        found
    )
    assert len(found) == 10 + 3 * 2 + 2 + 1
    assert scannet.sources(options(tmp_path / "none")) == []


@pytest.mark.parametrize("both", [{"n_frames": 5}, {"frame_step": None}])
def test_one_way_to_choose_images_is_given(tmp_path: Path, both: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="one of 'n_frames' and 'frame_step'"):
        options(tmp_path, **both)


def break_material(root: Path, case: str) -> None:
    scan, table = root / "scan", root / "labels.tsv"
    match case:
        case "no images":
            shutil.rmtree(scan / "color")
        case "no pose":
            (scan / "pose/3.txt").unlink()
        case "text pose":
            (scan / "pose/3.txt").write_text("tracking failed\n")
        case "half a pose":
            np.savetxt(scan / "pose/3.txt", pose(3)[:2])
        case "scaled pose":
            np.savetxt(scan / "pose/3.txt", pose(3) * 2)
        case "no intrinsics":
            (scan / "intrinsic/intrinsic_depth.txt").unlink()
        case "intrinsics of others":
            write_intrinsics(scan / "intrinsic/intrinsic_color.txt", [90.0, 90.0, 50.0, 35.0])
        case "no depth":
            (scan / "depth/5.png").unlink()
        case "depth size":
            write_png(scan / "depth/5.png", np.ones((36, 48), np.uint16))
        case "no label":
            (scan / "label-filt/5.png").unlink()
        case "label size":
            write_png(scan / "label-filt/5.png", np.ones((15, 20), np.uint16))
        case "unreadable":
            (scan / "color/5.jpg").write_bytes(b"broken\n")
        case "no table":
            table.unlink()
        case "unlisted":
            write_table(table, [row for row in TABLE if row[0] != 21])
        case "first version":
            table.write_text(table.read_text().replace("id\traw", "index\traw"))
        case "no id":
            write_table(table, [*TABLE, ["chair", *TABLE[0][1:]]])
        case "two names":
            write_table(table, [*TABLE, [22, *TABLE[0][1:-1], "walls"]])


BROKEN = {
    "no images": ("scan/color", "0 images N.jpg"),
    "no pose": ("scan/pose/3.txt", "no such file"),
    "text pose": ("scan/pose/3.txt", "not a table of numbers"),
    "half a pose": ("scan/pose/3.txt", "8 numbers", "four lines of four"),
    "scaled pose": ("scan/pose/3.txt", "not rigid"),
    "no intrinsics": ("intrinsic/intrinsic_depth.txt", "no such file"),
    "intrinsics of others": ("intrinsic/intrinsic_color.txt", "48x36", "outside"),
    "no depth": ("scan/depth/5.png", "no such file"),
    "depth size": ("scan/depth/5.png", "48x36", "20x15"),
    "no label": ("scan/label-filt/5.png", "no such file"),
    "label size": ("scan/label-filt/5.png", "20x15", "48x36"),
    "unreadable": ("scan/color/5.jpg", "not a readable image"),
    "no table": ("labels.tsv", "no such file"),
    "unlisted": ("scan/label-filt/1.png", "raw label 21", "not in labels.tsv"),
    "first version": ("labels.tsv", "no column 'id'"),
    "no id": ("labels.tsv: line 7", "must be ids"),
    "two names": ("labels.tsv: line 7", "'walls'", "'wall'"),
}


def test_of_two_rows_for_a_raw_label_the_last_counts(tmp_path: Path) -> None:
    """The release's table has three such labels: 107, 188 and 385."""
    twice = [[107, "pouf", "chair", 9, label, "", "", name] for label, name in
             ((40, "otherprop"), (38, "otherstructure"))]  # fmt: skip
    write_table(tmp_path / "labels.tsv", [*TABLE, *twice])
    assert scannet._read_label_table(tmp_path / "labels.tsv").classes[107] == 38


@pytest.mark.parametrize("case", BROKEN)
def test_bad_material_is_one_line_and_leaves_nothing(tmp_path: Path, case: str) -> None:
    break_material(write_material(tmp_path / "in"), case)
    with one_line_error(*BROKEN[case]):
        imported(tmp_path)
    assert_nothing_left(tmp_path / "out/scan")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"frame_step": 20}, ("scan/color", "8 images", "'frame_step'")),
        ({"width_px": 49}, ("scan/color/0.jpg", "48x36", "49x36")),
    ],
)
def test_options_that_the_scan_cannot_meet_are_refused(
    tmp_path: Path, changes: dict[str, Any], words: tuple[str, ...]
) -> None:
    write_material(tmp_path / "in")
    with one_line_error(*words):
        imported(tmp_path, **changes)
    assert_nothing_left(tmp_path / "out/scan")
