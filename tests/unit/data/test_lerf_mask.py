"""LERF-Mask's layout, written from a scene whose cameras and masks are known."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from native_writers import draw_tabletop, object_masks, write_lerf_mask
from scene_helpers import assert_nothing_left, one_line_error

from semsplat.data.annotations import load_annotations
from semsplat.data.datasets import lerf_mask
from semsplat.data.images import write_png
from semsplat.data.scene import Frame, Scene, load_image, load_points, load_scene
from semsplat.io import read_json

NUMBERED = {"0": "rgb_0", "1": "rgb_3"}  # rgb_0 and rgb_3 are not in images_train
NAMED = {"rgb_0": "rgb_0", "rgb_3": "rgb_3"}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return draw_tabletop(tmp_path_factory.mktemp("drawn"))


def options(root: Path, **changes: Any) -> lerf_mask.Options:
    values = {"root": str(root), "max_width_px": None, "source": "a test", "licence": "none"}
    return lerf_mask.Options(**values | changes)


def imported(tmp_path: Path, name: str = "scene", **changes: Any) -> Scene:
    out_dir = tmp_path / "out" / name
    lerf_mask.import_scene(name, options(tmp_path / "in", **changes), out_dir)
    return load_scene(out_dir)


def notes(scene: Scene) -> dict[str, Any]:
    return read_json(scene.scene_dir / "manifest.json")["notes"]


def assert_masks(frame: Frame, expected: dict[str, np.ndarray]) -> None:
    found = load_annotations(frame)
    assert found.keys() == {prompt for prompt, mask in expected.items() if mask.any()}
    for prompt, annotation in found.items():
        np.testing.assert_array_equal(annotation.mask, expected[prompt])


@pytest.mark.parametrize("masks_of", [NUMBERED, NAMED], ids=["numbered", "named"])
def test_cameras_splits_and_masks_come_back(
    drawn: Scene, tmp_path: Path, masks_of: dict[str, str]
) -> None:
    write_lerf_mask(drawn, tmp_path / "in", masks_of)
    scene = imported(tmp_path)
    assert [frame.name for frame in scene.test] == ["rgb_0", "rgb_3"]
    assert [frame.name for frame in scene.train] == ["rgb_1", "rgb_2", "rgb_4", "rgb_5"]
    former = {frame.name: frame for frame in drawn.frames}
    for frame in scene.frames:
        whole = former[frame.name]
        np.testing.assert_allclose(frame.viewmat, whole.viewmat, atol=1e-9)
        np.testing.assert_array_equal(frame.K, whole.K)
        np.testing.assert_array_equal(load_image(frame), load_image(whole))
        assert bool(frame.annotations_path) == (frame in scene.test)
    for frame in scene.test:
        assert len(load_annotations(frame)) > 3
        assert_masks(frame, object_masks(drawn, former[frame.name]))
    np.testing.assert_array_equal(load_points(scene)[0], load_points(drawn)[0])
    assert notes(scene) == {
        "masks_of": masks_of,
        "labelled_and_trained_on": [],
        "empty_masks": [],
        "unregistered_images": [],
    }


def test_a_held_out_view_without_masks_stays_held_out(drawn: Scene, tmp_path: Path) -> None:
    write_lerf_mask(drawn, tmp_path / "in", {"1": "rgb_3"})
    scene = imported(tmp_path)
    assert [bool(frame.annotations_path) for frame in scene.test] == [False, True]
    assert_masks(scene.test[1], object_masks(drawn, drawn.test[1]))


def test_a_labelled_view_that_is_trained_on_is_noted(drawn: Scene, tmp_path: Path) -> None:
    root = write_lerf_mask(drawn, tmp_path / "in", NAMED)
    shutil.copy(root / "images/rgb_3.png", root / "images_train")
    scene = imported(tmp_path)
    assert [frame.name for frame in scene.test] == ["rgb_0"]
    annotated = [frame.name for frame in scene.train if frame.annotations_path]
    assert annotated == notes(scene)["labelled_and_trained_on"] == ["rgb_3"]


def test_training_names_count_whatever_their_suffix(drawn: Scene, tmp_path: Path) -> None:
    folder = write_lerf_mask(drawn, tmp_path / "in", NAMED) / "images_train"
    for path in sorted(folder.iterdir()):
        path.rename(path.with_suffix(".jpg"))  # only the names are read
    assert len(imported(tmp_path).train) == 4


def test_masks_of_another_size_are_resized_to_the_image(drawn: Scene, tmp_path: Path) -> None:
    root = write_lerf_mask(drawn, tmp_path / "in", NAMED)
    for path in (root / "test_mask/rgb_0").iterdir():
        large = np.kron(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), np.ones((3, 3), np.uint8))
        write_png(path, large)
    scene = imported(tmp_path)
    assert_masks(scene.test[0], object_masks(drawn, drawn.test[0]))


def test_masks_shrink_with_the_images(drawn: Scene, tmp_path: Path) -> None:
    write_lerf_mask(drawn, tmp_path / "in", NAMED)
    scene = imported(tmp_path, max_width_px=32)
    frame = scene.test[0]
    assert load_image(frame).shape == (24, 32, 3)
    whole = object_masks(drawn, drawn.test[0])
    assert_masks(frame, {prompt: mask[1::2, 1::2] for prompt, mask in whole.items()})


def test_empty_masks_are_left_out_and_noted(drawn: Scene, tmp_path: Path) -> None:
    root = write_lerf_mask(drawn, tmp_path / "in", NAMED)
    write_png(root / "test_mask/rgb_0/unicorn.png", np.zeros((48, 64), np.uint8))
    scene = imported(tmp_path)
    assert "unicorn" not in load_annotations(scene.test[0])
    assert notes(scene)["empty_masks"] == ["rgb_0/unicorn"]


def test_sources_are_the_files_read(drawn: Scene, tmp_path: Path) -> None:
    root = write_lerf_mask(drawn, tmp_path / "in", {"0": "rgb_0"})
    (root / "object_mask").mkdir()
    (root / "object_mask/rgb_0.png").touch()
    found = [path.relative_to(root).as_posix() for path in lerf_mask.sources(options(root))]
    assert found == sorted(found) and "sparse/0/images.bin" in found
    assert {name.split("/")[0] for name in found} == {
        *("images", "images_train", "sparse", "test_mask")
    }
    assert len([name for name in found if name.startswith("images")]) == 6 + 4
    assert lerf_mask.sources(options(tmp_path / "none")) == []


def break_material(root: Path, case: str) -> None:
    masks = root / "test_mask"
    first = next((masks / "rgb_0").iterdir())
    match case:
        case "no model":
            shutil.rmtree(root / "sparse")
        case "no image":
            (root / "images/rgb_2.png").unlink()
        case "no training names":
            shutil.rmtree(root / "images_train")
        case "other training names":
            for path in (root / "images_train").iterdir():
                path.rename(path.with_name(f"other_{path.name}"))
        case "no masks":
            shutil.rmtree(masks)
        case "unknown view":
            (masks / "rgb_0").rename(masks / "frame_00041")
        case "number too high":
            (masks / "rgb_0").rename(masks / "2")
        case "twice":
            (masks / "rgb_0").rename(masks / "1")  # the second that is held out: rgb_3
        case "empty folder":
            shutil.rmtree(masks / "rgb_0")
            (masks / "rgb_0").mkdir()
        case "proportions":
            write_png(first, np.full((64, 48), 255, np.uint8))
        case "unreadable":
            first.write_bytes(b"broken\n")


BROKEN = {
    "no model": ("sparse/0", "not a readable COLMAP model"),
    "no image": ("images/rgb_2.png", "no such file"),
    "no training names": ("images_train", "no image"),
    "other training names": ("no training frame",),
    "no masks": ("test_mask", "no folder of a labelled view"),
    "unknown view": ("test_mask/frame_00041", "no registered image"),
    "number too high": ("test_mask/2", "among the 2 that are not in images_train"),
    "twice": ("test_mask/rgb_3", "'rgb_3'", "in 1 too"),
    "empty folder": ("test_mask/rgb_0", "no PNG"),
    "proportions": ("test_mask/rgb_0/", "48x64", "64x48"),
    "unreadable": ("test_mask/rgb_0/", "not a readable image"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_bad_material_is_one_line_and_leaves_nothing(
    drawn: Scene, tmp_path: Path, case: str
) -> None:
    break_material(write_lerf_mask(drawn, tmp_path / "in", NAMED), case)
    with one_line_error(*BROKEN[case]):
        imported(tmp_path)
    assert_nothing_left(tmp_path / "out" / "scene")
