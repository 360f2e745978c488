from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pycolmap
import pytest
from pydantic import ValidationError
from scene_helpers import assert_nothing_left, make_model, one_line_error, random_image, viewmat_at

from semsplat.data.datasets import colmap
from semsplat.data.images import write_png
from semsplat.data.scene import (
    Scene,
    load_ids,
    load_image,
    load_points,
    load_scene,
    load_semantics,
)
from semsplat.io import read_json

POINTS = np.random.default_rng(0).uniform(-1, 1, (7, 3))
NAMES = ("cam/a.png", "cam/b.png", "cam/c.png", "d.png")
PINHOLE = {"model": "PINHOLE", "params": [20.0, 21, 8, 6]}


def options(root: Path, **changes: Any) -> colmap.Options:
    values: dict[str, Any] = {
        "root": str(root),
        "images": "images",
        "sparse": "sparse",
        "labels": None,
        "classes": None,
        "void_label": None,
        "test_every": 3,
        "max_width_px": None,
        "source": "made in a test",
        "licence": "none",
    }
    return colmap.Options(**values | changes)


def write_material(
    root: Path, *, text: bool = False, size: tuple[int, int] = (16, 12), **camera: Any
) -> Path:
    """A model with one 16x12 camera and four images of ``size``, plus one it does not know."""
    viewmats = {name: viewmat_at(i, 10.0 * i) for i, name in enumerate(NAMES)}
    model = make_model(pycolmap.Camera(width=16, height=12, **camera or PINHOLE), viewmats, POINTS)
    (root / "sparse").mkdir(parents=True)
    (model.write_text if text else model.write_binary)(str(root / "sparse"))
    for index, name in enumerate([*NAMES, "extra.png"]):
        write_png(root / "images" / name, random_image(*size, seed=index))
    return root


BLANKS = {"cam/a.png": "my photos/first one.png", "d.png": "Cafe\u0301 d.png"}  # NFD, as macOS


def renamed_material(root: Path, *, text: bool) -> Path:
    """Rename images in the model; on disk their names are in the other Unicode form."""
    write_material(root, text=text)
    model = pycolmap.Reconstruction(str(root / "sparse"))
    for image in model.images.values():
        image.name = BLANKS.get(image.name, image.name)
    (model.write_text if text else model.write_binary)(str(root / "sparse"))
    for old, new in BLANKS.items():
        target = root / "images" / unicodedata.normalize("NFC", new)
        target.parent.mkdir(exist_ok=True)
        (root / "images" / old).rename(target)
    return root


@pytest.mark.parametrize("text", [False, True])
def test_blanks_and_other_unicode_forms_in_names(tmp_path: Path, text: bool) -> None:
    scene = imported(tmp_path, options(renamed_material(tmp_path / "in", text=text)))
    names = {frame.name for frame in scene.frames}
    assert names == {"my photos/first one", "cam/b", "cam/c", "Caf\u00e9 d"}
    plain = imported(tmp_path, options(write_material(tmp_path / "plain")), "plain")
    poses = {frame.name: frame.viewmat for frame in plain.frames}
    found = next(frame for frame in scene.frames if frame.name == "Caf\u00e9 d")
    assert np.array_equal(found.viewmat, poses["d"])
    notes = read_json(tmp_path / "out/scene/manifest.json")["notes"]
    assert notes["unregistered_images"] == ["extra.png"]


def imported(tmp_path: Path, opts: colmap.Options, name: str = "scene") -> Scene:
    colmap.import_scene(name, opts, tmp_path / "out" / name)
    return load_scene(tmp_path / "out" / name)


def test_text_and_binary_models_give_equal_scenes(tmp_path: Path) -> None:
    for name, text in (("binary", False), ("text", True)):
        imported(tmp_path, options(write_material(tmp_path / name, text=text)), name)
    digests = [
        read_json(tmp_path / "out" / name / "manifest.json")["digest"]
        for name in ("binary", "text")
    ]
    assert digests[0] == digests[1]


def test_pinhole_scene_is_taken_over_unchanged(tmp_path: Path) -> None:
    scene = imported(tmp_path, options(write_material(tmp_path / "in")))
    assert [frame.name for frame in scene.test] == ["cam/a", "d"]
    assert [frame.name for frame in scene.train] == ["cam/b", "cam/c"]
    np.testing.assert_array_equal(load_image(scene.train[0]), random_image(seed=1))
    np.testing.assert_allclose(scene.train[1].viewmat, viewmat_at(2, 20), atol=1e-12)
    np.testing.assert_array_equal(scene.train[0].K, [[20, 0, 8], [0, 21, 6], [0, 0, 1]])
    xyz, rgb = load_points(scene)
    np.testing.assert_array_equal(xyz, POINTS.astype(np.float32))
    np.testing.assert_array_equal(rgb[3], [3, 10, 20])
    manifest = read_json(scene.scene_dir / "manifest.json")
    assert manifest["notes"] == {"unregistered_images": ["extra.png"]}
    assert (manifest["dataset"], manifest["scene"]) == ("out", "scene")


def test_smaller_images_scale_the_intrinsics(tmp_path: Path) -> None:
    root = write_material(tmp_path / "in", size=(8, 6))
    frame = imported(tmp_path, options(root)).train[0]
    np.testing.assert_array_equal(frame.K, [[10, 0, 4], [0, 10.5, 3], [0, 0, 1]])
    root = write_material(tmp_path / "odd", size=(5, 4))  # 5 x 3.75, rounded as images_4 is
    frame = imported(tmp_path, options(root), "odd").train[0]
    np.testing.assert_allclose(frame.K, [[6.25, 0, 2.5], [0, 7, 2], [0, 0, 1]])


def test_narrower_import_scales_pixel_coordinates_exactly(tmp_path: Path) -> None:
    root = write_material(tmp_path / "in")
    frame = imported(tmp_path, options(root, max_width_px=4)).train[0]
    assert (frame.width, frame.height) == (4, 3)
    np.testing.assert_allclose(frame.K, [[5, 0, 2], [0, 5.25, 1.5], [0, 0, 1]])
    blocks = random_image(seed=1).reshape(3, 4, 4, 4, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(load_image(frame), blocks, atol=0.51)


@pytest.mark.parametrize("void", [None, 0])
def test_labels_that_follow_our_convention_are_kept(tmp_path: Path, void: int | None) -> None:
    root = write_material(tmp_path / "in")
    write_png(root / "labels" / "cam" / "b.png", np.tile(np.uint8([0, 1, 2, 9]), (12, 4)))
    (root / "classes.txt").write_text("0 void\n1 floor\n2 sign symbol\n\n9 cup\n")
    opts = options(root, labels="labels", classes="classes.txt", void_label=void)
    scene = imported(tmp_path, opts)
    assert load_semantics(scene)["classes"] == [
        {"id": 1, "name": "floor"},
        {"id": 2, "name": "sign symbol"},
        {"id": 9, "name": "cup"},
    ]
    labelled, unlabelled = scene.train
    assert labelled.labels_path is not None and unlabelled.labels_path is None
    assert load_ids(labelled.labels_path, labelled)[5, :4].tolist() == [0, 1, 2, 9]


def test_labels_with_another_void_move_up_by_one(tmp_path: Path) -> None:
    root = write_material(tmp_path / "in")
    write_png(root / "labels" / "d.png", np.tile(np.uint8([0, 1, 2, 2]), (12, 4)))
    (root / "classes.txt").write_text("0 floor\n1 cup\n2 unlabelled\n")
    scene = imported(tmp_path, options(root, labels="labels", classes="classes.txt", void_label=2))
    assert load_semantics(scene)["classes"] == [
        {"id": 1, "name": "floor"},
        {"id": 2, "name": "cup"},
    ]
    frame = scene.test[1]
    assert frame.labels_path is not None
    assert load_ids(frame.labels_path, frame)[0, :4].tolist() == [1, 2, 0, 0]


def test_labels_need_class_names() -> None:
    with pytest.raises(ValidationError, match="'labels' needs 'classes'"):
        options(Path(), labels="labels")


def test_sources_are_the_files_read_and_empty_without_material(tmp_path: Path) -> None:
    root = write_material(tmp_path / "in")
    (root / "sparse" / "points3D.ply").touch()
    (root / "images" / "notes.txt").touch()
    write_png(root / "labels" / "d.png", np.ones((12, 16), np.uint8))
    (root / "classes.txt").write_text("1 floor\n")
    found = colmap.sources(options(root, labels="labels", classes="classes.txt"))
    relative = [path.relative_to(root).as_posix() for path in found]
    models = [f"sparse/{stem}.bin" for stem in ("cameras", "frames", "images", "points3D", "rigs")]
    images = [f"images/{name}" for name in (*NAMES, "extra.png")]
    assert relative == ["classes.txt", *sorted(images), "labels/d.png", *models]
    assert colmap.sources(options(tmp_path / "none", labels="l", classes="c")) == []


def test_each_image_may_have_its_own_camera_and_lens(tmp_path: Path) -> None:
    root = write_material(tmp_path / "in")
    model = pycolmap.Reconstruction()
    lenses = {"cam/a.png": PINHOLE, "cam/b.png": {"model": "RADIAL", "params": [20, 8, 6, -0.1, 0]}}
    for number, (name, lens) in enumerate(lenses.items(), start=1):
        camera = pycolmap.Camera(width=16, height=12, camera_id=number, **lens)
        model.add_camera_with_trivial_rig(camera)
        image = pycolmap.Image(name=name, camera_id=number, image_id=number)
        model.add_image_with_trivial_frame(image, pycolmap.Rigid3d())
    model.add_point3D(POINTS[0], pycolmap.Track(), np.zeros(3, np.uint8))
    model.write_binary(str(root / "sparse"))
    scene = imported(tmp_path, options(root))
    np.testing.assert_array_equal(scene.test[0].K, [[20, 0, 8], [0, 21, 6], [0, 0, 1]])
    pinhole = pycolmap.undistort_camera(pycolmap.UndistortCameraOptions(), model.camera(2))
    assert (scene.train[0].width, scene.train[0].height) == (pinhole.width, pinhole.height)
    np.testing.assert_allclose(scene.train[0].K, pinhole.calibration_matrix())


def broken_material(root: Path, case: str) -> colmap.Options:
    """Material with one fault; returns the options to import it with."""
    camera = {"model": "FOV", "params": [20.0, 20, 8, 6, 0.1]} if case == "camera" else PINHOLE
    write_material(root, text=case == "broken text", **camera)
    image, opts = root / "images" / "cam" / "b.png", options(root)
    if case == "no image":
        image.unlink()
    elif case == "unreadable image":
        image.write_bytes(b"broken\n")
    elif case == "image size":
        write_png(image, random_image(16, 10))
    elif case == "same stem":
        viewmats = {"a.png": np.eye(4), "a.jpg": np.eye(4)}
        model = make_model(pycolmap.Camera(width=16, height=12, **PINHOLE), viewmats, POINTS)
        model.write_binary(str(root / "sparse"))
        for name in viewmats:
            write_png(root / "images" / name, random_image())
    elif case == "empty model":
        pycolmap.Reconstruction().write_binary(str(root / "sparse"))
    elif case == "no points":
        model = make_model(
            pycolmap.Camera(width=16, height=12, **PINHOLE), {"d.png": np.eye(4)}, []
        )
        model.write_binary(str(root / "sparse"))
    elif case == "broken binary":
        (root / "sparse" / "images.bin").write_bytes(b"\x09")
    elif case == "broken text":
        (root / "sparse" / "cameras.txt").write_text("1 PINHOLE 16\n")
    elif case == "no model":
        opts = options(root, sparse="sparse/0")
    elif case in ("label size", "unnamed label", "no label", "bad classes", "no classes"):
        width = 8 if case == "label size" else 16
        stem = "extra" if case == "no label" else "cam/b"
        write_png(root / "labels" / f"{stem}.png", np.full((12, width), 3, np.uint8))
        names = "1 floor\n" if case == "unnamed label" else "3 cup\n"
        (root / "classes.txt").write_text("3 cup\ncup 4\n" if case == "bad classes" else names)
        classes = "none.txt" if case == "no classes" else "classes.txt"
        opts = options(root, labels="labels", classes=classes)
    return opts


BROKEN = {
    "no image": ("cam/b.png", "no such file", "registers"),
    "unreadable image": ("cam/b.png", "not a readable image"),
    "image size": ("cam/b.png", "16x10", "16x12"),
    "same stem": ("two frames are named 'a'",),
    "empty model": ("sparse", "no image is registered"),
    "no points": ("sparse", "no 3-D points"),
    "broken binary": ("sparse", "not a readable COLMAP model"),
    "broken text": ("sparse", "not a readable COLMAP model"),
    "no model": ("sparse/0", "not a readable COLMAP model"),
    "camera": ("FOV", "SIMPLE_PINHOLE, PINHOLE, SIMPLE_RADIAL, RADIAL, OPENCV"),
    "label size": ("labels/cam/b.png", "8x12", "16x12"),
    "unnamed label": ("labels/cam/b.png", "label 3 is not in the classes file"),
    "no label": ("labels", "no PNG has the stem of a registered image"),
    "bad classes": ("classes.txt", "line 2", "cup 4"),
    "no classes": ("none.txt", "no such file"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_bad_material_is_one_line_and_leaves_nothing(tmp_path: Path, case: str) -> None:
    opts = broken_material(tmp_path / "in", case)
    with one_line_error(*BROKEN[case]):
        colmap.import_scene("s", opts, tmp_path / "out" / "s")
    assert_nothing_left(tmp_path / "out" / "s")
