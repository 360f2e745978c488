"""LERF-OVS's layout, written from cameras and labels that are known."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pycolmap
import pytest
from labelled_writers import (
    FOCAL,
    POINTS,
    SIZE,
    read_jpg,
    thing,
    viewmats,
    write_label,
    write_pairs,
    write_photographs,
)
from scene_helpers import assert_nothing_left, make_model, one_line_error

from semsplat.data.annotations import load_annotations
from semsplat.data.datasets import lerf_ovs
from semsplat.data.labelled_colmap import Release
from semsplat.data.scene import Scene, load_image, load_points, load_scene
from semsplat.io import read_json

NUMBERS = [1, 2, 4, 7, 8]  # frames were dropped: frame 7 is the fourth image
NAMES = [f"frame_{number:05}" for number in NUMBERS]
OBJECTS = [thing("cup", 3.0, 2.0), thing("red cup", 20.0, 5.0), thing("cup", 40.0, 30.0)]


def options(root: Path, **changes: Any) -> lerf_ovs.Options:
    values = {
        "root": str(root / "place"),
        "labels": str(root / "label/place"),
        "held_out": False,
        "max_width_px": None,
        "source": "made in a test",
        "licence": "none",
    }
    return lerf_ovs.Options(**values | changes)


def imported(tmp_path: Path, name: str = "place", **changes: Any) -> Scene:
    out_dir = tmp_path / "out" / name
    lerf_ovs.import_scene(name, options(tmp_path / "in", **changes), out_dir)
    return load_scene(out_dir)


def write_material(root: Path) -> Path:
    """Five images, of which frames 4 and 7 are labelled."""
    write_photographs(root / "place", [f"{name}.jpg" for name in NAMES])
    write_label(root / "label/place", NAMES[2], OBJECTS)
    write_label(root / "label/place", NAMES[3], [thing("plate", 0.0, 0.0)])
    return root


def notes(scene: Scene) -> dict[str, Any]:
    return read_json(scene.scene_dir / "manifest.json")["notes"]


def test_cameras_pictures_and_labels_come_back(tmp_path: Path) -> None:
    root = write_material(tmp_path / "in")
    scene = imported(tmp_path)
    assert [frame.name for frame in scene.train] == NAMES and scene.test == ()
    for frame, viewmat in zip(scene.frames, viewmats(NAMES).values(), strict=True):
        np.testing.assert_allclose(frame.viewmat, viewmat, atol=1e-9)
        np.testing.assert_array_equal(frame.K[[0, 1, 0, 1], [0, 1, 2, 2]], FOCAL)
        picture = read_jpg(root / f"place/images/{frame.name}.jpg")
        np.testing.assert_array_equal(load_image(frame), picture)
    np.testing.assert_array_equal(load_points(scene)[0], POINTS.astype(np.float32))
    assert [f.name for f in scene.frames if f.annotations_path] == NAMES[2:4]
    assert notes(scene) == {
        "pairs": 3,
        "labels_of": {NAMES[2]: NAMES[2], NAMES[3]: NAMES[3]},
        "unregistered_images": [],
    }


def test_objects_of_a_category_are_one_mask_with_all_boxes(tmp_path: Path) -> None:
    write_material(tmp_path / "in")
    frame = imported(tmp_path).frames[2]
    found = load_annotations(frame)
    assert list(found) == ["cup", "red cup"]
    expected = np.zeros((96, 128), bool)
    expected[2:7, 3:10] = expected[30:35, 40:47] = True
    np.testing.assert_array_equal(found["cup"].mask, expected)
    np.testing.assert_array_equal(found["cup"].boxes, [[3, 2, 9, 6], [40, 30, 46, 34]])
    assert frame.annotations_path is not None
    assert read_json(frame.annotations_path)["objects"] == OBJECTS


def test_labelled_views_can_be_held_out(tmp_path: Path) -> None:
    write_material(tmp_path / "in")
    scene = imported(tmp_path, held_out=True)
    assert [frame.name for frame in scene.test] == NAMES[2:4]
    assert [frame.name for frame in scene.train] == [NAMES[0], NAMES[1], NAMES[4]]


def test_a_frame_that_colmap_dropped_shifts_no_label(tmp_path: Path) -> None:
    root = write_material(tmp_path / "in")
    shutil.rmtree(root / "place")
    write_photographs(root / "place", [f"{name}.jpg" for name in NAMES[1:]])
    shutil.copy(root / "place/images/frame_00002.jpg", root / "place/images/frame_00001.jpg")
    scene = imported(tmp_path)
    assert [f.name for f in scene.frames if f.annotations_path] == NAMES[2:4]
    assert list(load_annotations(scene.frames[2])) == ["plate"]
    assert notes(scene)["unregistered_images"] == ["frame_00001.jpg"]


def test_labels_shrink_with_the_images(tmp_path: Path) -> None:
    root = write_material(tmp_path / "in")
    flat = thing("flat", 4.0, 4.0) | {"segmentation": [4.0, 4.0, 12.0, 4.0, 12.0, 12.0]}
    parts = thing("parts", 3.0, 3.0)
    parts["segmentation"] = [parts["segmentation"], [[30.0, 30.0], [40.0, 30.0], [40.0, 40.0]]]
    write_label(root / "label/place", NAMES[3], [flat, parts])
    frame = imported(tmp_path, max_width_px=64).frames[3]
    np.testing.assert_allclose(frame.K[[0, 1, 0, 1], [0, 1, 2, 2]], np.array(FOCAL) / 2)
    found = load_annotations(frame)
    half = [1.75, 1.75, 4.75, 3.75]  # of 4, 4, 10, 8: edges of pixels are halved, not centres
    np.testing.assert_allclose(found["flat"].boxes, [half])
    assert found["parts"].mask[2, 3] and found["parts"].mask[16, 18]
    assert not found["parts"].mask[10, 10]


@pytest.mark.parametrize("scene_name", sorted(lerf_ovs.RELEASES))
def test_a_known_scene_with_its_labels_is_taken(tmp_path: Path, scene_name: str) -> None:
    known = lerf_ovs.RELEASES[scene_name]
    names = [f"frame_{number:05}" for number in known.frames]
    write_photographs(tmp_path / "in/place", [f"{n}.jpg" for n in [*names, "frame_00300"]])
    write_pairs(tmp_path / "in/label/place", names, known.pairs[0])
    scene = imported(tmp_path, scene_name)
    annotated = [frame for frame in scene.train if frame.annotations_path]
    assert [frame.name for frame in annotated] == names
    assert sum(len(load_annotations(frame)) for frame in annotated) == known.pairs[0]
    assert notes(scene)["images"] == {"found": len(names) + 1, "expected": known.images}


def test_what_is_known_of_the_release() -> None:
    found = {name: (r.pairs, len(r.frames), r.images) for name, r in lerf_ovs.RELEASES.items()}
    assert found == {
        "ramen": ((71,), 7, 131),
        "teatime": ((59,), 6, 177),
        "waldo_kitchen": ((22,), 5, 187),
        "figurines": ((56,), 4, 299),
    }


def test_other_frames_than_the_release_labels_are_refused(tmp_path: Path) -> None:
    write_material(tmp_path / "in")
    expected = "expected frame_00041, frame_00105, frame_00152, frame_00195"
    with one_line_error("label/place: labels of frame_00004, frame_00007", expected):
        imported(tmp_path, "figurines")
    assert_nothing_left(tmp_path / "out/figurines")


def test_another_number_of_pairs_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_material(tmp_path / "in")
    monkeypatch.setitem(lerf_ovs.RELEASES, "place", Release(pairs=(4,), frames=(4, 7)))
    with one_line_error("label/place: 3 pairs", "expected 4"):
        imported(tmp_path)
    assert_nothing_left(tmp_path / "out/place")


def test_sources_are_the_files_read(tmp_path: Path) -> None:
    root = write_material(tmp_path / "in")
    (root / "label/place/frame_00004.jpg").touch()  # not looked at
    found = [path.relative_to(root).as_posix() for path in lerf_ovs.sources(options(root))]
    assert found == sorted(found) and "place/sparse/0/images.bin" in found
    assert [n for n in found if n.startswith("label")] == [
        "label/place/frame_00004.json",
        "label/place/frame_00007.json",
    ]
    assert len([n for n in found if n.startswith("place/images")]) == 5
    assert lerf_ovs.sources(options(tmp_path / "none")) == []


def edit(path: Path, key: str, value: Any) -> None:
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, key: value}))


def break_material(root: Path, case: str) -> None:
    label = root / "label/place/frame_00004.json"
    match case:
        case "no model":
            shutil.rmtree(root / "place/sparse")
        case "no image":
            (root / "place/images/frame_00002.jpg").unlink()
        case "no labels":
            shutil.rmtree(root / "label")
        case "unregistered":
            label.rename(label.with_stem("frame_00005"))
            edit(label.with_stem("frame_00005"), "info", {**INFO, "name": "frame_00005.jpg"})
        case "renamed":
            label.rename(label.with_stem("frame_00002"))
        case "no json":
            label.write_text("{")
        case "no info":
            edit(label, "info", {"name": "frame_00004.jpg"})
        case "a list":
            label.write_text("[]")
        case "no polygon":
            edit(label, "objects", [{"category": "cup", "bbox": [0, 0, 2, 2]}])
        case "outside":
            edit(label, "objects", [thing("cup", 180.0, 2.0)])
        case "proportions":
            edit(label, "info", {**INFO, "width": 100})


INFO = {"name": "frame_00004.jpg", "width": SIZE[0], "height": SIZE[1]}
BROKEN = {
    "no model": ("place/sparse/0", "not a readable COLMAP model"),
    "no image": ("place/images/frame_00002.jpg", "no such file"),
    "no labels": ("label/place", "no JSON", "'labels'"),
    "unregistered": ("label/place/frame_00005.json", "registers no image 'frame_00005'"),
    "renamed": ("label/place/frame_00002.json", "is about 'frame_00004.jpg'"),
    "no json": ("label/place/frame_00004.json", "not valid JSON"),
    "no info": ("label/place/frame_00004.json", "name, width and height"),
    "a list": ("label/place/frame_00004.json", 'needs "info"'),
    "no polygon": ("label/place/frame_00004.json", "objects.0.segmentation"),
    "outside": ("label/place/frame_00004.json", "'cup' lies outside the picture"),
    "proportions": ("label/place/frame_00004.json", "100x96", "128x96"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_bad_material_is_one_line_and_leaves_nothing(tmp_path: Path, case: str) -> None:
    break_material(write_material(tmp_path / "in"), case)
    with one_line_error(*BROKEN[case]):
        imported(tmp_path)
    assert_nothing_left(tmp_path / "out/place")


def test_a_distorted_camera_is_refused_where_labels_would_have_to_follow(tmp_path: Path) -> None:
    root = write_material(tmp_path / "in")
    camera = pycolmap.Camera(
        model="SIMPLE_RADIAL", width=SIZE[0], height=SIZE[1], params=[120.0, 64.0, 48.0, 0.1]
    )
    names = [f"{name}.jpg" for name in NAMES]
    make_model(camera, viewmats(names), POINTS).write_binary(str(root / "place/sparse/0"))
    with one_line_error("label/place/frame_00004.json", "undistort"):
        imported(tmp_path)
    assert_nothing_left(tmp_path / "out/place")
