"""Mip-NeRF 360's layout with GAGS's labels, written from cameras and labels that are known."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from labelled_writers import (
    FOCAL,
    photograph,
    read_jpg,
    thing,
    things,
    viewmats,
    write_jpg,
    write_label,
    write_pairs,
    write_photographs,
)
from scene_helpers import assert_nothing_left, one_line_error

from semsplat.data.annotations import load_annotations
from semsplat.data.datasets import mipnerf360
from semsplat.data.scene import Scene, load_image, load_scene
from semsplat.io import read_json

NAMES = ["DSCF4667", "DSCF4668", "DSCF4670", "DSCF4671", "DSCF4673"]
FILES = [f"{name}.JPG" for name in NAMES]
HALF = (64, 48)
LABEL = "frame_00002"  # shows the fourth image, though its number less one is the second's place


def options(root: Path, **changes: Any) -> mipnerf360.Options:
    values = {
        "root": str(root / "place"),
        "images": "images_2",
        "labels": str(root / "label/place"),
        "held_out": True,
        "max_width_px": None,
        "source": "made in a test",
        "licence": "none",
    }
    return mipnerf360.Options(**values | changes)


def imported(tmp_path: Path, name: str = "place", **changes: Any) -> Scene:
    out_dir = tmp_path / "out" / name
    mipnerf360.import_scene(name, options(tmp_path / "in", **changes), out_dir)
    return load_scene(out_dir)


def write_shown_label(root: Path, name: str, place: int, objects: list[dict[str, Any]]) -> None:
    """Write a label of the half-sized images with the picture in the given place beside it."""
    write_label(root / "label/place", name, objects, HALF)
    small = cv2.resize(photograph(place), HALF, interpolation=cv2.INTER_AREA)
    write_jpg(root / f"label/place/{name}.jpg", small)


def write_material(root: Path) -> Path:
    write_photographs(root / "place", FILES, {"images": 1, "images_2": 2, "images_4": 4})
    write_shown_label(root, LABEL, 3, [thing("remote control", 3.0, 2.0)])
    return root


def annotated(scene: Scene) -> list[str]:
    return [frame.name for frame in scene.frames if frame.annotations_path]


def test_a_label_belongs_to_the_image_that_its_picture_shows(tmp_path: Path) -> None:
    root = write_material(tmp_path / "in")
    scene = imported(tmp_path)
    assert [frame.name for frame in scene.test] == annotated(scene) == ["DSCF4671"]
    assert len(scene.train) == 4
    for frame, viewmat in zip(scene.frames, viewmats(FILES).values(), strict=True):
        np.testing.assert_allclose(frame.viewmat, viewmat, atol=1e-9)
        np.testing.assert_array_equal(frame.K[[0, 1, 0, 1], [0, 1, 2, 2]], np.array(FOCAL) / 2)
        picture = read_jpg(root / f"place/images_2/{frame.name}.JPG")
        np.testing.assert_array_equal(load_image(frame), picture)
    (annotation,) = load_annotations(scene.test[0]).values()
    np.testing.assert_array_equal(annotation.boxes, [[3, 2, 9, 6]])
    expected = np.zeros((48, 64), bool)
    expected[2:7, 3:10] = True
    np.testing.assert_array_equal(annotation.mask, expected)
    notes = read_json(scene.scene_dir / "manifest.json")["notes"]
    assert notes == {"pairs": 1, "labels_of": {LABEL: "DSCF4671"}, "unregistered_images": []}


def test_a_label_called_as_an_image_belongs_to_it(tmp_path: Path) -> None:
    root = write_material(tmp_path / "in")
    shutil.rmtree(root / "label")
    write_shown_label(root, NAMES[1], 3, things(2))  # what the picture shows does not count then
    scene = imported(tmp_path, held_out=False)
    assert annotated(scene) == ["DSCF4668"] and scene.test == ()


@pytest.mark.parametrize(("folder", "factor"), [("images", 2.0), ("images_4", 0.5)])
def test_labels_follow_the_scale_of_the_folder(tmp_path: Path, folder: str, factor: float) -> None:
    write_material(tmp_path / "in")
    frame = imported(tmp_path, images=folder).test[0]
    assert (frame.width, frame.height) == (64 * factor, 48 * factor)
    np.testing.assert_allclose(frame.K[0, 0], FOCAL[0] * factor / 2)
    expected = (np.array([[3, 2, 9, 6]]) + 0.5) * factor - 0.5
    (annotation,) = load_annotations(frame).values()
    np.testing.assert_allclose(annotation.boxes, expected)
    box = expected[0].astype(int)
    assert annotation.mask[box[1] : box[3] + 1, box[0] : box[2] + 1].all()
    assert annotation.mask.sum() == (box[2] - box[0] + 1) * (box[3] - box[1] + 1)


KNOWN = [("room", 29), ("counter", 37), ("garden", 21), ("bonsai", 18), ("bonsai", 36)]


@pytest.mark.parametrize(("scene_name", "pairs"), KNOWN)
def test_a_known_scene_with_its_number_of_pairs_is_taken(
    tmp_path: Path, scene_name: str, pairs: int
) -> None:
    root = write_material(tmp_path / "in")
    shutil.rmtree(root / "label")
    write_pairs(root / "label/place", NAMES[:3], pairs)
    scene = imported(tmp_path, scene_name, images="images")
    assert read_json(scene.scene_dir / "manifest.json")["notes"]["pairs"] == pairs


@pytest.mark.parametrize(("scene_name", "expected"), [("room", "29;"), ("bonsai", "18 or 36;")])
def test_another_number_of_pairs_is_refused(tmp_path: Path, scene_name: str, expected: str) -> None:
    root = write_material(tmp_path / "in")
    write_pairs(root / "label/place", NAMES[:3], 26)
    with one_line_error("label/place: 27 pairs", f"expected {expected}"):
        imported(tmp_path, scene_name)
    assert_nothing_left(tmp_path / "out" / scene_name)


def test_goi_s_masks_are_refused_by_their_prompts(tmp_path: Path) -> None:
    root = write_material(tmp_path / "in")
    shutil.rmtree(root / "label")
    for prompt in ("black_chair", "bonsai"):
        write_jpg(root / f"label/place/{prompt}/masks/DSCF4667.jpg", photograph(0))
    with one_line_error("label/place: prompts such as 'black_chair'", "GOI", "wants GAGS's"):
        imported(tmp_path)
    assert_nothing_left(tmp_path / "out/place")


def test_goi_s_prompts_are_refused_as_polygons_too(tmp_path: Path) -> None:
    root = write_material(tmp_path / "in")
    write_label(root / "label/place", LABEL, [thing("black_chair", 3.0, 2.0)], HALF)
    with one_line_error("label/place: prompts such as 'black_chair'", "GOI", "wants GAGS's"):
        imported(tmp_path, "bonsai")
    assert_nothing_left(tmp_path / "out/bonsai")


def test_sources_are_the_files_read(tmp_path: Path) -> None:
    root = write_material(tmp_path / "in")
    found = [path.relative_to(root).as_posix() for path in mipnerf360.sources(options(root))]
    assert found == sorted(found)
    assert found[:2] == [f"label/place/{LABEL}.jpg", f"label/place/{LABEL}.json"]
    assert len([n for n in found if n.startswith("place/images")]) == 5
    assert "place/images_2/DSCF4667.JPG" in found and "place/sparse/0/cameras.bin" in found
    assert mipnerf360.sources(options(tmp_path / "none")) == []


def break_material(root: Path, case: str) -> None:
    picture = root / f"label/place/{LABEL}.jpg"
    match case:
        case "no picture":
            picture.unlink()
        case "other picture":
            write_jpg(picture, photograph(77))
        case "two alike":
            for folder in ("images", "images_2"):
                shutil.copy(
                    root / f"place/{folder}/{FILES[3]}", root / f"place/{folder}/{FILES[4]}"
                )
        case "twice":
            write_shown_label(root, "frame_00003", 3, things(1))
        case "unreadable":
            picture.write_bytes(b"broken\n")
        case "no folder":
            shutil.rmtree(root / "place/images_2")
        case "proportions":
            write_label(root / "label/place", LABEL, things(1), (64, 64))
        case "no labels":
            shutil.rmtree(root / "label")


BROKEN = {
    "no picture": (f"label/place/{LABEL}.json", f"registers no image '{LABEL}'", f"no {LABEL}.jpg"),
    "other picture": (f"label/place/{LABEL}.jpg", "shows none of the images"),
    "two alike": (f"label/place/{LABEL}.jpg", "'DSCF4671' or 'DSCF4673'"),
    "twice": ("label/place/frame_00003.json", "'DSCF4671'", f"{LABEL}.json already"),
    "unreadable": (f"label/place/{LABEL}.jpg", "not a readable image"),
    "no folder": ("place/images_2/DSCF4667.JPG", "no such file"),
    "proportions": (f"label/place/{LABEL}.json", "64x64", "64x48"),
    "no labels": ("label/place", "no JSON"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_bad_material_is_one_line_and_leaves_nothing(tmp_path: Path, case: str) -> None:
    break_material(write_material(tmp_path / "in"), case)
    with one_line_error(*BROKEN[case]):
        imported(tmp_path)
    assert_nothing_left(tmp_path / "out/place")
