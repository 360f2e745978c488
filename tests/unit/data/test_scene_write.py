from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scene_helpers import (
    ORIGIN,
    K,
    assert_nothing_left,
    one_line_error,
    random_image,
    viewmat_at,
    write_tiny_scene,
)

from semsplat.data.manifest import verify_manifest
from semsplat.data.poses import rigid_inverse
from semsplat.data.scene import (
    load_depth,
    load_ids,
    load_image,
    load_points,
    load_scene,
    load_semantics,
)
from semsplat.data.scene_writer import SceneWriter

IMAGE = random_image()
SHAPE = IMAGE.shape[:2]
SEMANTICS = {"classes": [{"id": 1, "name": "floor"}, {"id": 500, "name": "cup"}], "objects": [3]}


def test_everything_written_is_read_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    depth = rng.uniform(0, 9, SHAPE).astype(np.float32)
    labels = rng.choice([0, 1, 500], SHAPE)
    instances, parts = rng.integers(0, 65536, (2, *SHAPE))
    xyz = rng.normal(size=(5, 3)).astype(np.float32)
    rgb = rng.integers(0, 256, (5, 3), dtype=np.uint8)
    with SceneWriter(tmp_path / "toys" / "shelf", **ORIGIN) as writer:
        writer.add_frame(
            "left/a", IMAGE, viewmat_at(1, 30), K, "train",
            depth=depth, labels=labels, instances=instances, parts=parts,
        )  # fmt: skip
        writer.add_frame("left/b", IMAGE, viewmat_at(2), K, "test")
        writer.set_points(xyz, rgb)
        writer.set_semantics(SEMANTICS)
        writer.note("seed", 3)
    scene = load_scene(tmp_path / "toys" / "shelf")
    (frame,), (held_out,) = scene.train, scene.test
    assert (frame.name, held_out.name) == ("left/a", "left/b")
    assert (frame.width, frame.height) == (16, 12)
    np.testing.assert_allclose(frame.viewmat, viewmat_at(1, 30), atol=1e-12)
    np.testing.assert_array_equal(frame.K, K)
    np.testing.assert_array_equal(load_image(frame), IMAGE)
    np.testing.assert_allclose(load_depth(frame), depth, atol=0.000501)
    paths = (frame.labels_path, frame.instances_path, frame.parts_path)
    for path, ids in zip(paths, (labels, instances, parts), strict=True):
        assert path is not None
        np.testing.assert_array_equal(load_ids(path, frame), ids)
    assert held_out.depth_path is None and held_out.labels_path is None
    for loaded, given_ in zip(load_points(scene), (xyz, rgb), strict=True):
        np.testing.assert_array_equal(loaded, given_)
    assert load_semantics(scene) == SEMANTICS
    manifest = json.loads((scene.scene_dir / "manifest.json").read_text())
    assert manifest["notes"] == {"seed": 3} and manifest["source"] == ORIGIN["source"]
    assert "images/left/a.png" in manifest["files"] and "transforms.json" in manifest["files"]
    verify_manifest(scene.scene_dir)


@settings(max_examples=20)
@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(-360, 360)), min_size=1, max_size=4))
def test_poses_survive_the_round_trip(
    tmp_path_factory: pytest.TempPathFactory, cameras: list[tuple[float, float]]
) -> None:
    out_dir = tmp_path_factory.mktemp("poses") / "scene"
    with SceneWriter(out_dir, **ORIGIN) as writer:
        for index, (x, degrees) in enumerate(cameras):
            writer.add_frame(f"f{index}", IMAGE, viewmat_at(x, degrees), K, "train")
    scene = load_scene(out_dir)
    for frame, (x, degrees) in zip(scene.train, cameras, strict=True):
        expected = rigid_inverse(scene.stored_in.pose(rigid_inverse(viewmat_at(x, degrees))))
        np.testing.assert_allclose(frame.viewmat, expected, atol=1e-12)


def test_intrinsics_are_shared_only_when_equal(tmp_path: Path) -> None:
    write_tiny_scene(tmp_path / "one")
    assert json.loads((tmp_path / "one" / "transforms.json").read_text())["fl_y"] == 21.0
    other = np.diag([2.0, 2.0, 1.0]) @ K
    with SceneWriter(tmp_path / "two", **ORIGIN) as writer:
        writer.add_frame("a", IMAGE, np.eye(4), K, "train")
        writer.add_frame("b", random_image(32, 24), np.eye(4), other, "train")
    assert "fl_y" not in json.loads((tmp_path / "two" / "transforms.json").read_text())
    a, b = load_scene(tmp_path / "two").train
    np.testing.assert_array_equal(a.K, K)
    np.testing.assert_array_equal(b.K, other)
    assert load_image(b).shape == (24, 32, 3)


def test_equal_content_gives_an_equal_digest(tmp_path: Path) -> None:
    manifests = [
        json.loads((write_tiny_scene(tmp_path / name) / "manifest.json").read_text())
        for name in ("one", "two")
    ]
    assert manifests[0]["digest"] == manifests[1]["digest"]


BAD_FRAMES = {
    "duplicate": ({"name": "good"}, "two frames are named 'good'"),
    "escaping name": ({"name": "../x"}, "not usable as a file name"),
    "nan pose": ({"viewmat": np.full((4, 4), np.nan)}, "NaN"),
    "scaled pose": ({"viewmat": np.diag([2.0, 2, 2, 1])}, "not rigid"),
    "bad K": ({"K": np.zeros((3, 3))}, "K is not"),
    "float image": ({"image": np.zeros((12, 16, 3))}, "give uint8"),
    "label size": ({"labels": np.ones((6, 8), int)}, "labels: 8x6 pixels, but the image has 16x12"),
    "float labels": ({"labels": np.ones(SHAPE)}, "labels: ids must be integers"),
    "big instance": ({"instances": np.full(SHAPE, 65536)}, "instances: ids must be integers in 0"),
    "nan depth": ({"depth": np.full(SHAPE, np.nan, np.float32)}, "depth must be in 0..65.535 m"),
    "far depth": ({"depth": np.full(SHAPE, 66, np.float32)}, "depth must be in 0..65.535 m"),
}


@pytest.mark.parametrize("case", BAD_FRAMES)
def test_bad_frame_is_one_line_and_leaves_nothing(tmp_path: Path, case: str) -> None:
    change, message = BAD_FRAMES[case]
    arguments = {"name": "x", "image": IMAGE, "viewmat": np.eye(4), "K": K, "split": "train"}
    out_dir = tmp_path / "scene"
    with one_line_error(message), SceneWriter(out_dir, **ORIGIN) as writer:
        writer.add_frame("good", IMAGE, np.eye(4), K, "train")
        writer.add_frame(**{**arguments, **change})
    assert_nothing_left(out_dir)


def test_scene_without_training_frame_leaves_nothing(tmp_path: Path) -> None:
    with (
        one_line_error("no training frame"),
        SceneWriter(tmp_path / "scene", **ORIGIN) as writer,
    ):
        writer.add_frame("a", IMAGE, np.eye(4), K, "test")
    assert_nothing_left(tmp_path / "scene")


def test_label_without_class_name_leaves_nothing(tmp_path: Path) -> None:
    with (
        one_line_error("label 2 has no class name"),
        SceneWriter(tmp_path / "scene", **ORIGIN) as writer,
    ):
        writer.add_frame("a", IMAGE, np.eye(4), K, "train", labels=np.full(SHAPE, 2))
        writer.set_semantics(SEMANTICS)
    assert_nothing_left(tmp_path / "scene")


def test_any_exception_leaves_nothing_and_keeps_an_older_scene(tmp_path: Path) -> None:
    for out_dir in (tmp_path / "new", write_tiny_scene(tmp_path / "old")):
        with pytest.raises(KeyboardInterrupt), SceneWriter(out_dir, **ORIGIN) as writer:
            writer.add_frame("z", IMAGE, np.eye(4), K, "train")
            raise KeyboardInterrupt
    assert_nothing_left(tmp_path / "new")
    assert len(load_scene(tmp_path / "old").train) == 2


@pytest.mark.parametrize(
    "classes", [[{"id": 0, "name": "void"}], [{"id": 1}], [{"id": 1, "name": "a"}] * 2, "floor"]
)
def test_bad_classes_are_refused(tmp_path: Path, classes: object) -> None:
    with one_line_error("semantics: class"), SceneWriter(tmp_path / "s", **ORIGIN) as writer:
        writer.set_semantics({"classes": classes})
    assert_nothing_left(tmp_path / "s")


@pytest.mark.parametrize(
    "xyz", [np.zeros((0, 3)), np.full((2, 3), np.inf), np.zeros((2, 2)), np.zeros(3)]
)
def test_bad_points_are_refused(tmp_path: Path, xyz: np.ndarray) -> None:
    with one_line_error("points:"), SceneWriter(tmp_path / "s", **ORIGIN) as writer:
        writer.set_points(xyz, np.zeros(xyz.shape, np.uint8))
    assert_nothing_left(tmp_path / "s")


def test_manifest_names_the_first_changed_or_missing_file(tmp_path: Path) -> None:
    scene_dir = write_tiny_scene(tmp_path / "scene")
    with (scene_dir / "images" / "c.png").open("ab") as handle:
        handle.write(b"x")
    with one_line_error("images/c.png", "changed"):
        verify_manifest(scene_dir)
    (scene_dir / "images" / "b.png").unlink()
    with one_line_error("images/b.png", "no such file"):
        verify_manifest(scene_dir)


def test_manifest_with_an_edited_file_list_is_refused(tmp_path: Path) -> None:
    path = write_tiny_scene(tmp_path / "scene") / "manifest.json"
    manifest = json.loads(path.read_text())
    del manifest["files"]["points.ply"]
    path.write_text(json.dumps(manifest))
    with one_line_error("manifest.json", "changed since it was written"):
        verify_manifest(path.parent)
