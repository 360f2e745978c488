"""3D-OVS's layout, written from a scene whose cameras and masks are known."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from native_writers import draw_tabletop, object_masks, write_ovs3d
from scene_helpers import assert_nothing_left, one_line_error

from semsplat.data.annotations import load_annotations
from semsplat.data.datasets import ovs3d
from semsplat.data.images import write_png
from semsplat.data.scene import Scene, load_image, load_points, load_scene
from semsplat.io import read_json

NAMES = [f"{index:02}" for index in range(6)]
LABELLED = ("01", "04")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return draw_tabletop(tmp_path_factory.mktemp("drawn"))


def options(root: Path, **changes: Any) -> ovs3d.Options:
    values = {
        "root": str(root),
        "held_out": False,
        "n_points": 61,
        "points_seed": 0,
        "max_width_px": None,
        "source": "made in a test",
        "licence": "none",
    }
    return ovs3d.Options(**values | changes)


def imported(tmp_path: Path, name: str = "scene", **changes: Any) -> Scene:
    out_dir = tmp_path / "out" / name
    ovs3d.import_scene(name, options(tmp_path / "in", **changes), out_dir)
    return load_scene(out_dir)


def test_cameras_and_masks_come_back_from_the_views_trained_on(
    drawn: Scene, tmp_path: Path
) -> None:
    write_ovs3d(drawn, tmp_path / "in", LABELLED)
    scene = imported(tmp_path)
    assert [frame.name for frame in scene.train] == NAMES and scene.test == ()
    assert [f.name for f in scene.frames if f.annotations_path] == list(LABELLED)
    empty = []
    for frame, former in zip(scene.frames, drawn.frames, strict=True):
        np.testing.assert_allclose(frame.viewmat, former.viewmat, atol=1e-12)
        np.testing.assert_allclose(frame.K, former.K, rtol=1e-12)
        np.testing.assert_array_equal(load_image(frame), load_image(former))
        if frame.name not in LABELLED:
            continue
        found, masks = load_annotations(frame), object_masks(drawn, former)
        assert len(found) > 3
        for prompt in sorted(masks):
            if masks[prompt].any():
                np.testing.assert_array_equal(found.pop(prompt).mask, masks[prompt])
            else:
                empty.append(f"{frame.name}/{prompt}")
        assert not found
    notes = read_json(scene.scene_dir / "manifest.json")["notes"]
    assert notes == {"empty_masks": empty}


def test_labelled_views_can_be_held_out(drawn: Scene, tmp_path: Path) -> None:
    write_ovs3d(drawn, tmp_path / "in", LABELLED)
    scene = imported(tmp_path, held_out=True)
    assert [frame.name for frame in scene.test] == list(LABELLED)
    assert [frame.name for frame in scene.train] == ["00", "02", "03", "05"]
    assert all(frame.annotations_path for frame in scene.test)


def test_the_poses_may_be_about_larger_images(drawn: Scene, tmp_path: Path) -> None:
    write_ovs3d(drawn, tmp_path / "in", LABELLED, scale=4)
    scene = imported(tmp_path)
    np.testing.assert_allclose(scene.frames[2].K, drawn.frames[2].K, rtol=1e-12)
    frame = imported(tmp_path, "small", max_width_px=32).frames[1]
    K = drawn.frames[1].K
    np.testing.assert_allclose(frame.K, np.diag([0.5, 0.5, 1]) @ K, rtol=1e-12)
    for prompt, annotation in load_annotations(frame).items():
        whole = object_masks(drawn, drawn.frames[1])[prompt]
        np.testing.assert_array_equal(annotation.mask, whole[1::2, 1::2])


def test_masks_of_unlisted_classes_are_passed_over(drawn: Scene, tmp_path: Path) -> None:
    root = write_ovs3d(drawn, tmp_path / "in", LABELLED)
    write_png(root / "segmentations/01/other.png", np.full((48, 64), 255, np.uint8))
    assert "other" not in load_annotations(imported(tmp_path).frames[1])


def test_points_lie_between_the_bounds_with_the_colour_of_their_pixel(
    drawn: Scene, tmp_path: Path
) -> None:
    root = write_ovs3d(drawn, tmp_path / "in", LABELLED)
    scene = imported(tmp_path, held_out=True)
    xyz, rgb = load_points(scene)
    bounds = np.load(root / "poses_bounds.npy")[:, 15:]
    owners = np.repeat(np.arange(4), [16, 15, 15, 15])  # 61 points over four training views
    for point, colour, owner in zip(xyz, rgb, owners, strict=True):
        frame = scene.train[owner]
        u, v, z = frame.K @ (frame.viewmat[:3, :3] @ point + frame.viewmat[:3, 3])
        near, far = bounds[int(frame.name)]
        assert near * 0.999 < z < far * 1.001
        np.testing.assert_allclose([u / z % 1, v / z % 1], 0.5, atol=1e-3)
        np.testing.assert_array_equal(load_image(frame)[int(v / z), int(u / z)], colour)


def test_points_are_even_in_inverse_depth_and_seeded(drawn: Scene, tmp_path: Path) -> None:
    root = write_ovs3d(drawn, tmp_path / "in", LABELLED)
    rows = np.load(root / "poses_bounds.npy")
    rows[:, 15:] = 1, 100
    np.save(root / "poses_bounds.npy", rows)
    clouds = [
        load_points(imported(tmp_path, n_points=6000, points_seed=seed))[0] for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(clouds[0], clouds[1])
    assert not np.array_equal(clouds[0], clouds[2])
    viewmat = drawn.frames[0].viewmat
    z = clouds[0][:1000] @ viewmat[2, :3] + viewmat[2, 3]
    share = np.mean(z < 2)  # 1/2 to 1 of 0.01 to 1; even in depth it would be a hundredth
    assert share == pytest.approx(0.5 / 0.99, abs=0.05)


def test_sources_are_the_files_read(drawn: Scene, tmp_path: Path) -> None:
    root = write_ovs3d(drawn, tmp_path / "in", LABELLED)
    found = [path.relative_to(root).as_posix() for path in ovs3d.sources(options(root))]
    assert found == sorted(found)
    assert {"poses_bounds.npy", "segmentations/classes.txt", "images/05.png"} <= set(found)
    assert len([n for n in found if n.startswith("segmentations/0")]) == 2 * len(
        object_masks(drawn, drawn.frames[0])
    )
    assert ovs3d.sources(options(tmp_path / "none")) == []


def break_material(root: Path, case: str) -> None:
    masks, poses = root / "segmentations", root / "poses_bounds.npy"
    rows = np.load(poses)
    first = sorted((masks / "01").iterdir())[0]
    match case:
        case "no poses":
            poses.unlink()
        case "no array":
            poses.write_text("camera 1\n")
        case "pose count":
            np.save(poses, rows[:-1])
        case "columns":
            np.save(poses, rows[:, :15])
        case "not rigid":
            rows[2, 0] += 0.5
        case "no focal length":
            rows[2, 14] = 0
        case "bounds":
            rows[2, 15:] = 3, 2
        case "nan":
            rows[2, 3] = np.nan
        case "image size":
            write_png(root / "images/02.png", np.zeros((64, 64, 3), np.uint8))
        case "no classes":
            (masks / "classes.txt").unlink()
        case "blank classes":
            (masks / "classes.txt").write_text("\n \n")
        case "no mask":
            first.unlink()
        case "mask size":
            write_png(first, np.full((64, 48), 255, np.uint8))
        case "unknown view":
            (masks / "01").rename(masks / "1")
        case "no labelled view":
            for name in LABELLED:
                shutil.rmtree(masks / name)
        case "same stem":
            (root / "images/05.png").rename(root / "images/04.jpg")
    if case in ("not rigid", "no focal length", "bounds", "nan"):
        np.save(poses, rows)


BROKEN = {
    "no poses": ("poses_bounds.npy", "no such file"),
    "no array": ("poses_bounds.npy", "not a NumPy array"),
    "pose count": ("poses_bounds.npy", "5x17 numbers", "each of the 6 images"),
    "columns": ("poses_bounds.npy", "6x15 numbers"),
    "not rigid": ("poses_bounds.npy: image '02'", "not rigid"),
    "no focal length": ("poses_bounds.npy: image '02'", "focal length"),
    "bounds": ("poses_bounds.npy: image '02'", "bounds 3 and 2"),
    "nan": ("poses_bounds.npy: image '02'", "numbers"),
    "image size": ("images/02.png", "64x64", "64x48"),
    "no classes": ("classes.txt", "no such file"),
    "blank classes": ("classes.txt", "no class"),
    "no mask": ("segmentations/01/", "no such file", "classes.txt lists"),
    "mask size": ("segmentations/01/", "48x64", "64x48"),
    "unknown view": ("segmentations/1", "no image is named '1'"),
    "no labelled view": ("segmentations", "no folder of a labelled view"),
    "same stem": ("two images are named '04'",),
}


@pytest.mark.parametrize("case", BROKEN)
def test_bad_material_is_one_line_and_leaves_nothing(
    drawn: Scene, tmp_path: Path, case: str
) -> None:
    break_material(write_ovs3d(drawn, tmp_path / "in", LABELLED), case)
    with one_line_error(*BROKEN[case]):
        imported(tmp_path)
    assert_nothing_left(tmp_path / "out" / "scene")


def test_something_must_be_left_to_train_on(drawn: Scene, tmp_path: Path) -> None:
    write_ovs3d(drawn, tmp_path / "in", tuple(NAMES))
    with one_line_error("all views are labelled", "held_out"):
        imported(tmp_path, held_out=True)
    assert len(imported(tmp_path).train) == 6
