"""Annotations as a folder of masks: what is read, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scene_helpers import (
    ORIGIN,
    K,
    assert_nothing_left,
    disown,
    one_line_error,
    random_image,
    viewmat_at,
)

from semsplat.data.annotations import load_annotations, stored_annotations
from semsplat.data.images import write_png
from semsplat.data.manifest import verify_manifest
from semsplat.data.scene import Frame, load_scene
from semsplat.data.scene_writer import SceneWriter
from semsplat.errors import SemsplatError
from semsplat.io import read_json


def ring() -> np.ndarray:
    """Return a mask [12, 16] with a hole, which no polygon of LERF-OVS can draw."""
    mask = np.zeros((12, 16), bool)
    mask[2:9, 1:8] = True
    mask[4:7, 3:6] = False
    return mask


def dots() -> np.ndarray:
    mask = np.zeros((12, 16), bool)
    mask[0, 15] = mask[11, 3] = True
    return mask


def write(out_dir: Path, masks: dict[str, Any]) -> Frame:
    """Write a scene of 16 x 12 pixels with one annotated frame, and return the frame."""
    with SceneWriter(out_dir, **ORIGIN) as writer:
        writer.add_frame("left/a", random_image(), viewmat_at(0), K, "train", annotations=masks)
        writer.add_frame("bare", random_image(), viewmat_at(1), K, "test")
    return load_scene(out_dir).train[0]


def test_a_folder_holds_a_grey_png_per_prompt(tmp_path: Path) -> None:
    frame = write(tmp_path / "scene", {"ring v1.0": ring(), "Dots": dots()})
    folder = tmp_path / "scene/annotations/left/a"
    assert frame.annotations_path == folder
    assert sorted(path.name for path in folder.iterdir()) == ["Dots.png", "ring v1.0.png"]
    with Image.open(folder / "Dots.png") as image:
        assert image.mode == "L" and set(np.unique(image)) == {0, 255}
    files = read_json(tmp_path / "scene/manifest.json")["files"]
    assert {"annotations/left/a/Dots.png", "annotations/left/a/ring v1.0.png"} <= set(files)
    (folder / "Dots.png").write_bytes(b"other")
    with one_line_error("Dots.png", "changed since"):
        verify_manifest(tmp_path / "scene")


def test_masks_come_back_exactly_with_one_box_around_each(tmp_path: Path) -> None:
    frame = write(tmp_path / "scene", {"ring": ring(), "dots": dots()})
    found = load_annotations(frame)
    assert list(found) == ["dots", "ring"]  # by name, in any file system
    assert found["ring"].mask.dtype == bool
    assert np.array_equal(found["ring"].mask, ring()) and np.array_equal(found["dots"].mask, dots())
    assert found["ring"].boxes.tolist() == [[1, 2, 7, 8]]  # corners included
    assert found["dots"].boxes.tolist() == [[3, 0, 15, 11]]


def test_what_is_stored_can_be_written_again(tmp_path: Path) -> None:
    stored = stored_annotations(write(tmp_path / "scene", {"ring": ring()}))
    assert isinstance(stored, dict)
    again = write(tmp_path / "again", stored)
    digests = [read_json(tmp_path / n / "manifest.json")["digest"] for n in ("scene", "again")]
    assert digests[0] == digests[1] and load_annotations(again)


def test_inside_is_above_128_and_colours_count_by_luminance(tmp_path: Path) -> None:
    frame = write(tmp_path / "scene", {"ring": ring()})
    assert frame.annotations_path is not None
    disown(tmp_path / "scene")
    grey = np.tile(np.uint8([0, 128, 129, 255]), (12, 4))
    write_png(frame.annotations_path / "ring.png", grey)
    write_png(frame.annotations_path / "colour.png", np.stack([grey] * 3, axis=2))
    for annotation in load_annotations(frame).values():
        assert np.array_equal(annotation.mask, grey > 128)


def test_hidden_and_other_files_are_passed_over(tmp_path: Path) -> None:
    frame = write(tmp_path / "scene", {"ring": ring()})
    assert frame.annotations_path is not None
    for name in ("._ring.png", "Thumbs.db"):
        (frame.annotations_path / name).write_bytes(b"no picture")
    assert list(load_annotations(frame)) == ["ring"]


SMALL = np.ones((6, 8), bool)
REFUSED: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "size": ({"cup": SMALL}, ("'cup'", "8x6", "16x12")),
    "empty": ({"cup": ring() & False}, ("'cup' has no pixel inside",)),
    "slash": ({"cup/mug": ring()}, ("'cup/mug' cannot be a file name",)),
    "backslash": ({"cup\\mug": ring()}, ("cannot be a file name",)),
    "dot": ({".cup": ring()}, ("'.cup' cannot be a file name",)),
    "nameless": ({"": ring()}, ("'' cannot be a file name",)),
    "nothing": ({}, ("no mask",)),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_back_is_not_written(tmp_path: Path, case: str) -> None:
    masks, words = REFUSED[case]
    with one_line_error("frame 'left/a': annotations", *words):
        write(tmp_path / "scene", masks)
    assert_nothing_left(tmp_path / "scene")


def break_masks(folder: Path, case: str) -> None:
    path = folder / "ring.png"
    disown(folder.parents[2])
    match case:
        case "size":
            write_png(path, np.full((6, 8), 255, np.uint8))
        case "empty":
            write_png(path, np.zeros((12, 16), np.uint8))
        case "zero and one":
            write_png(path, ring().astype(np.uint8))
        case "16 bit":
            write_png(path, np.full((12, 16), 65535, np.uint16))
        case "unreadable":
            path.write_bytes(b"broken\n")
        case "no mask":
            path.unlink()


BROKEN = {
    "size": ("annotations/left/a: 'ring'", "8x6", "16x12"),
    "empty": ("annotations/left/a: 'ring' has no pixel inside",),
    "zero and one": ("left/a/ring.png", "values up to 1", "0 and 255"),
    "16 bit": ("left/a/ring.png", "pixel format I;16"),
    "unreadable": ("left/a/ring.png", "not a readable image"),
    "no mask": ("annotations/left/a: no PNG",),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_masks_are_one_line(tmp_path: Path, case: str) -> None:
    frame = write(tmp_path / "scene", {"ring": ring()})
    assert frame.annotations_path is not None
    break_masks(frame.annotations_path, case)
    with one_line_error(*BROKEN[case]):
        load_annotations(frame)


def test_a_missing_folder_is_found_when_the_scene_is_opened(tmp_path: Path) -> None:
    frame = write(tmp_path / "scene", {"ring": ring()})
    assert frame.annotations_path is not None
    (frame.annotations_path / "ring.png").unlink()
    frame.annotations_path.rmdir()
    with pytest.raises(SemsplatError, match="annotations/left/a: no such file"):
        load_scene(tmp_path / "scene")
