"""Annotations in the layout of LERF-OVS: what is read, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scene_helpers import (
    ORIGIN,
    K,
    assert_nothing_left,
    disown,
    one_line_error,
    random_image,
    viewmat_at,
)

from semsplat.data.annotations import filled, load_annotations
from semsplat.data.scene import Frame, load_scene
from semsplat.data.scene_writer import SceneWriter
from semsplat.io import read_json, write_json

SQUARE = [[1, 2], [3, 2], [3, 4], [1, 4]]  # 3 x 3 pixels: the outline belongs to it
CUP = {"category": "red cup", "bbox": [1, 2, 3, 4], "segmentation": SQUARE}
FLAT = [number for point in SQUARE for number in point]


def write(out_dir: Path, objects: Any = (CUP,), name: str = "left/a") -> Frame:
    """Write a scene of 16 x 12 pixels with one annotated frame, and return the frame."""
    with SceneWriter(out_dir, **ORIGIN) as writer:
        writer.add_frame(name, random_image(), viewmat_at(0), K, "train", annotations=[*objects])
        writer.add_frame("bare", random_image(), viewmat_at(1), K, "test")
    return load_scene(disown(out_dir)).train[0]


def edited(frame: Frame, **changes: Any) -> Frame:
    """Change keys of the frame's file behind the writer's back."""
    assert frame.annotations_path is not None
    write_json(frame.annotations_path, {**read_json(frame.annotations_path), **changes})
    return frame


def test_a_file_is_laid_out_as_in_lerf_ovs(tmp_path: Path) -> None:
    frame = write(tmp_path / "scene")
    assert frame.annotations_path == tmp_path / "scene/annotations/left/a.json"
    assert read_json(frame.annotations_path) == {
        "info": {"name": "left/a.jpg", "width": 16, "height": 12},
        "objects": [CUP],
    }
    found = load_annotations(frame)
    assert list(found) == ["red cup"]
    assert found["red cup"].mask.dtype == bool and found["red cup"].mask.shape == (12, 16)
    expected = np.zeros((12, 16), bool)
    expected[2:5, 1:4] = True
    assert np.array_equal(found["red cup"].mask, expected)
    assert found["red cup"].boxes.tolist() == [[1, 2, 3, 4]]


def test_objects_of_a_category_are_one_mask_with_several_boxes(tmp_path: Path) -> None:
    plate = {"category": "plate", "bbox": [0, 0, 0, 0], "segmentation": [[0, 0]]}
    second = {"category": "red cup", "bbox": [2.5, 2, 9, 11], "segmentation": [[3, 4], [9, 11]]}
    found = load_annotations(write(tmp_path / "scene", [CUP, plate, second]))
    assert list(found) == ["red cup", "plate"]  # as the file names them first
    assert found["red cup"].boxes.tolist() == [[1, 2, 3, 4], [2.5, 2, 9, 11]]
    mask = found["red cup"].mask
    assert mask[2:5, 1:4].all() and mask[11, 9]  # overlapping at (3, 4), which stays in
    assert found["plate"].mask.sum() == 1


@pytest.mark.parametrize(
    "segmentation",
    [SQUARE, [SQUARE], FLAT, [FLAT], [[*p] for p in np.array(SQUARE) + 0.7]],
    ids=["points", "several", "flat", "coco", "fractions"],
)
def test_polygons_may_be_nested_or_flat(tmp_path: Path, segmentation: Any) -> None:
    found = load_annotations(write(tmp_path / "s", [{**CUP, "segmentation": segmentation}]))
    assert np.argwhere(found["red cup"].mask).tolist() == [
        [y, x] for y in (2, 3, 4) for x in (1, 2, 3)
    ]


def test_several_polygons_of_one_object_are_joined_and_not_subtracted() -> None:
    whole, inner = [(0, 0), (6, 0), (6, 6), (0, 6)], [(2, 2), (4, 2), (4, 4), (2, 4)]
    assert np.array_equal(filled([whole, inner], (8, 8)), filled([whole], (8, 8)))


def test_other_keys_are_tolerated_and_kept(tmp_path: Path) -> None:
    extra = {**CUP, "group": 1, "layer": 1.0, "area": 9.0, "iscrowd": 0, "note": ""}
    frame = edited(write(tmp_path / "scene", [extra]), flag="done")
    info = {"name": "x", "width": 16, "height": 12, "depth": 3, "description": "ISAT"}
    assert list(load_annotations(edited(frame, info=info))) == ["red cup"]
    assert frame.annotations_path is not None
    assert read_json(frame.annotations_path)["objects"] == [extra]


def test_a_frame_may_be_annotated_with_nothing(tmp_path: Path) -> None:
    assert load_annotations(write(tmp_path / "scene", [])) == {}


def test_a_frame_without_annotations_says_so(tmp_path: Path) -> None:
    write(tmp_path / "scene")
    (bare,) = load_scene(tmp_path / "scene").test
    assert bare.annotations_path is None
    with one_line_error("frame 'bare' is not annotated", "annotations_file_path"):
        load_annotations(bare)


def test_a_missing_file_is_found_when_the_scene_is_opened(tmp_path: Path) -> None:
    frame = write(tmp_path / "scene")
    assert frame.annotations_path is not None
    frame.annotations_path.unlink()
    with one_line_error("annotations/left/a.json: no such file"):
        load_scene(tmp_path / "scene")


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "no category": ({"category": None}, "objects.0.category"),
    "empty category": ({"category": ""}, "objects.0.category"),
    "short box": ({"bbox": [1, 2, 3]}, "objects.0.bbox"),
    "no polygon": ({"segmentation": []}, "objects.0.segmentation"),
    "empty polygon": ({"segmentation": [[]]}, "objects.0.segmentation"),
    "odd polygon": ({"segmentation": [1, 2, 3]}, "objects.0.segmentation"),
    "text": ({"segmentation": "1,2"}, "objects.0.segmentation"),
    "points of three": ({"segmentation": [[1, 2, 3], [1, 2, 3]]}, "objects.0.segmentation"),
    "outside": ({"segmentation": [[20, 20], [30, 30]]}, "'red cup' lies outside the picture"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_broken_is_one_line_when_written_and_when_read(tmp_path: Path, case: str) -> None:
    change, message = BROKEN[case]
    with one_line_error("frame 'left/a': annotations", message):
        write(tmp_path / "refused", [{**CUP, **change}])
    assert_nothing_left(tmp_path / "refused")
    frame = edited(write(tmp_path / "scene"), objects=[{**CUP, **change}])
    with one_line_error("annotations/left/a.json", message):
        load_annotations(frame)


@pytest.mark.parametrize("info", [{"width": 16, "height": 11}, {"width": 12, "height": 16}])
def test_a_picture_of_another_size_is_one_line(tmp_path: Path, info: dict[str, int]) -> None:
    frame = edited(write(tmp_path / "scene"), info=info)
    with one_line_error("left/a.json", f"{info['width']}x{info['height']}", "16x12"):
        load_annotations(frame)


def test_a_file_of_something_else_is_one_line(tmp_path: Path) -> None:
    frame = write(tmp_path / "scene")
    assert frame.annotations_path is not None
    for text, word in (("[]", "the file"), ("{", "not valid JSON"), ("{}", "info")):
        frame.annotations_path.write_text(text)
        with one_line_error("left/a.json", word):
            load_annotations(frame)
