from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scene_helpers import assert_nothing_left, one_line_error, random_image, viewmat_at

from semsplat.data.datasets import replica
from semsplat.data.images import write_png
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

COUNT, PLANE_M = 12, 2.5
CLASSES = [{"id": 3, "name": "floor"}, {"id": 7, "name": "cup"}, {"id": 101, "name": "wall"}]


def options(root: Path, **changes: Any) -> replica.Options:
    values: dict[str, Any] = {
        "root": str(root),
        "sequence": "Sequence_1",
        "hfov_deg": 90.0,
        "frame_step": 1,
        "test_every": 4,
        "n_points": 50,
        "sweep": None,
        "point_noise_m": 0.0,
        "points_seed": 0,
        "max_width_px": None,
        "source": "made in a test",
        "licence": "none",
    }
    return replica.Options(**values | changes)


def write_material(root: Path) -> Path:
    """Cameras that look along z at a wall ``PLANE_M`` away, whose lower half has no depth."""
    folder = root / "Sequence_1"
    poses = [rigid_inverse(viewmat_at(0.1 * n)).ravel() for n in range(COUNT)]
    for n in range(COUNT):
        write_png(folder / "rgb" / f"rgb_{n}.png", random_image(seed=n))
        depth = np.full((12, 16), 1000 * PLANE_M, np.uint16)
        depth[6:] = 0
        write_png(folder / "depth" / f"depth_{n}.png", depth)
        for kind, low in (("class", 3), ("instance", 40)):
            ids = np.tile(np.uint16([0, low, low + 4, low]), (12, 4))
            write_png(folder / f"semantic_{kind}" / f"semantic_{kind}_{n}.png", ids)
    np.savetxt(folder / "traj_w_c.txt", poses)
    info = {"classes": CLASSES, "objects": [{"id": 40, "class_id": 3}], "id_to_label": [0]}
    (root / "info_semantic.json").write_text(json.dumps(info))
    return root


def imported(tmp_path: Path, opts: replica.Options) -> Scene:
    out_dir = tmp_path / "out" / "scene"
    replica.import_scene("scene", opts, out_dir)
    return load_scene(out_dir)


def test_layout_is_taken_over_with_native_numbers(tmp_path: Path) -> None:
    scene = imported(tmp_path, options(write_material(tmp_path / "in")))
    assert [frame.name for frame in scene.test] == ["rgb_0", "rgb_4", "rgb_8"]
    assert [frame.name for frame in scene.train][-2:] == ["rgb_10", "rgb_11"]
    frame = scene.train[-2]
    np.testing.assert_allclose(frame.K, [[8, 0, 8], [0, 8, 6], [0, 0, 1]])
    np.testing.assert_allclose(frame.viewmat, viewmat_at(1.0), atol=1e-12)
    np.testing.assert_array_equal(load_image(frame), random_image(seed=10))
    depth = load_depth(frame)
    assert (depth[:6] == PLANE_M).all() and (depth[6:] == 0).all()
    assert frame.labels_path is not None and frame.instances_path is not None
    assert load_ids(frame.labels_path, frame)[0, :4].tolist() == [0, 3, 7, 3]
    assert load_ids(frame.instances_path, frame)[0, :4].tolist() == [0, 40, 44, 40]
    assert frame.parts_path is None
    assert load_semantics(scene) == {
        "classes": CLASSES[:2],  # no wall in any label map
        "objects": [{"id": 40, "class_id": 3}],
    }


def test_a_class_of_held_out_views_alone_is_void(tmp_path: Path) -> None:
    root = write_material(tmp_path / "in")
    for n in range(COUNT):
        ids = np.tile(np.uint16([0, 3, 7, 101 if n % 4 == 0 else 3]), (12, 4))
        write_png(root / f"Sequence_1/semantic_class/semantic_class_{n}.png", ids)
    scene = imported(tmp_path, options(root))
    assert [entry["id"] for entry in load_semantics(scene)["classes"]] == [3, 7]
    for frame in scene.test:
        assert set(np.unique(load_ids(frame.labels_path, frame)).tolist()) == {0, 3, 7}
    told = read_json(scene.scene_dir / "manifest.json")["privileges"]
    assert told == [POINTS_OF_DEPTH, CLASSES_OF_LABELS]


def test_frame_step_counts_images_and_test_counts_what_is_left(tmp_path: Path) -> None:
    opts = options(write_material(tmp_path / "in"), frame_step=3, test_every=2)
    scene = imported(tmp_path, opts)
    assert [frame.name for frame in scene.test] == ["rgb_0", "rgb_6"]
    assert [frame.name for frame in scene.train] == ["rgb_3", "rgb_9"]
    np.testing.assert_allclose(scene.train[1].viewmat, viewmat_at(0.9), atol=1e-12)


def test_fewer_than_two_images_are_one_line(tmp_path: Path) -> None:
    opts = options(write_material(tmp_path / "in"), frame_step=COUNT)
    with one_line_error("Sequence_1", f"{COUNT} images, of which fewer than two", "frame_step"):
        imported(tmp_path, opts)
    assert_nothing_left(tmp_path / "out/scene")


def test_part_maps_and_the_info_of_the_sequence_are_used(tmp_path: Path) -> None:
    root = write_material(tmp_path / "in")
    folder = root / "Sequence_1"
    for n in range(COUNT):
        part = np.full((12, 16), 900 + n, np.uint16)
        write_png(folder / "semantic_part" / f"semantic_part_{n}.png", part)
    info = {"classes": [{"id": 3, "name": "rug"}, {"id": 7, "name": "mug"}]}
    (folder / "info_semantic.json").write_text(json.dumps(info))
    scene = imported(tmp_path, options(root))
    frame = scene.train[0]
    assert frame.parts_path is not None and load_ids(frame.parts_path, frame)[0, 0] == 901
    assert load_semantics(scene) == info


def test_initial_points_lie_on_the_depth_with_the_colour_of_their_pixel(tmp_path: Path) -> None:
    scene = imported(tmp_path, options(write_material(tmp_path / "in")))
    xyz, rgb = load_points(scene)
    assert len(xyz) == 50
    np.testing.assert_allclose(xyz[:, 2], PLANE_M - 3.0, atol=1e-6)
    shares = [50 // 9 + (index < 50 % 9) for index in range(9)]
    owners = np.repeat(np.arange(9), shares)
    for point, colour, owner in zip(xyz, rgb, owners, strict=True):
        frame = scene.train[owner]
        u, v, z = frame.K @ (frame.viewmat[:3, :3] @ point + frame.viewmat[:3, 3])
        u, v = u / z, v / z
        np.testing.assert_allclose([u % 1, v % 1], 0.5, atol=1e-4)  # pixel centres
        np.testing.assert_array_equal(load_image(frame)[int(v), int(u)], colour)


SWEEP = {
    **{"n_random": 40, "random_extent": 2.0, "near_m": 1.0, "far_m": 9.0, "n_planes": 16},
    **{"window_px": 5, "neighbours": [1], "every": 1, "min_score": 0.5},
    **{"tolerance": 0.2, "min_agreeing": 1},
}


def test_points_of_the_views_are_blind_to_the_true_depth(tmp_path: Path) -> None:
    root = write_material(tmp_path / "in")
    clouds = []
    for millimetres in (1000 * PLANE_M, 700):
        for n in range(COUNT):
            depth = np.full((12, 16), millimetres, np.uint16)
            write_png(root / f"Sequence_1/depth/depth_{n}.png", depth)
        scene = imported(tmp_path, options(root, sweep=SWEEP))
        clouds.append(load_points(scene)[0])
        told = read_json(scene.scene_dir / "manifest.json")["privileges"]
        assert told == [CLASSES_OF_LABELS]
    assert len(clouds[0]) >= 40
    np.testing.assert_array_equal(*clouds)


def test_point_noise_has_the_given_spread_and_is_seeded(tmp_path: Path) -> None:
    root = write_material(tmp_path / "in")
    clouds = []
    for seed in (0, 0, 1):
        opts = options(root, n_points=800, point_noise_m=0.05, points_seed=seed)
        xyz, _ = load_points(imported(tmp_path, opts))
        assert np.std(xyz[:, 2]) == pytest.approx(0.05, rel=0.1)
        clouds.append(xyz)
    np.testing.assert_array_equal(clouds[0], clouds[1])
    assert not np.array_equal(clouds[0], clouds[2])


def test_narrower_import_scales_everything(tmp_path: Path) -> None:
    opts = options(write_material(tmp_path / "in"), max_width_px=8)
    frame = imported(tmp_path, opts).train[0]
    assert load_image(frame).shape == (6, 8, 3) and load_depth(frame).shape == (6, 8)
    np.testing.assert_allclose(frame.K, [[4, 0, 4], [0, 4, 3], [0, 0, 1]])


def test_sources_are_the_files_of_the_taken_frames(tmp_path: Path) -> None:
    root = write_material(tmp_path / "in")
    found = replica.sources(options(root, frame_step=8))
    assert [path.relative_to(root).as_posix() for path in found] == [
        *(f"Sequence_1/depth/depth_{n}.png" for n in (0, 8)),
        *(f"Sequence_1/rgb/rgb_{n}.png" for n in (0, 8)),
        *(f"Sequence_1/semantic_class/semantic_class_{n}.png" for n in (0, 8)),
        *(f"Sequence_1/semantic_instance/semantic_instance_{n}.png" for n in (0, 8)),
        "Sequence_1/traj_w_c.txt",
        "info_semantic.json",
    ]
    assert replica.sources(options(tmp_path / "none")) == []


def break_material(root: Path, case: str) -> None:
    folder = root / "Sequence_1"
    trajectory = folder / "traj_w_c.txt"
    match case:
        case "no sequence":
            shutil.rmtree(folder)
        case "no poses":
            trajectory.unlink()
        case "pose count":
            trajectory.write_text("".join(trajectory.read_text().splitlines(keepends=True)[:-1]))
        case "pose text":
            trajectory.write_text("camera 1\n" * COUNT)
        case "nan pose":
            np.savetxt(trajectory, np.full((COUNT, 16), np.nan))
        case "no depth":
            (folder / "depth" / "depth_5.png").unlink()
        case "no labels":
            (folder / "semantic_class" / "semantic_class_5.png").unlink()
        case "label size":
            path = folder / "semantic_class" / "semantic_class_5.png"
            write_png(path, np.ones((6, 8), np.uint8))
        case "unreadable image":
            (folder / "rgb" / "rgb_5.png").write_bytes(b"broken\n")
        case "no info":
            (root / "info_semantic.json").unlink()
        case "other info":
            (root / "info_semantic.json").write_text("[]")
        case "unnamed label":
            info = json.dumps({"classes": CLASSES[:1]})
            (root / "info_semantic.json").write_text(info)
        case "unknown depth":
            for path in (folder / "depth").iterdir():
                write_png(path, np.zeros((12, 16), np.uint16))


BROKEN = {
    "no sequence": ("Sequence_1/rgb", "no rgb_N.png", "'sequence'"),
    "no poses": ("traj_w_c.txt", "no such file"),
    "pose count": ("traj_w_c.txt", "11 lines of 16 numbers for 12 images"),
    "pose text": ("traj_w_c.txt", "not a table of numbers"),
    "nan pose": ("traj_w_c.txt", "rgb_0", "NaN"),
    "no depth": ("depth_5.png", "no such file"),
    "no labels": ("semantic_class_5.png", "no such file"),
    "label size": ("semantic_class_5.png", "8x6", "16x12"),
    "unreadable image": ("rgb_5.png", "not a readable image"),
    "no info": ("info_semantic.json", "no such file"),
    "other info": ("info_semantic.json", "classes"),
    "unnamed label": ("info_semantic.json", "no class 7", "semantic_class_1.png"),
    "unknown depth": ("points: give at least one",),
}


@pytest.mark.parametrize("case", BROKEN)
def test_bad_material_is_one_line_and_leaves_nothing(tmp_path: Path, case: str) -> None:
    break_material(write_material(tmp_path / "in"), case)
    with one_line_error(*BROKEN[case]):
        replica.import_scene("s", options(tmp_path / "in"), tmp_path / "out" / "s")
    assert_nothing_left(tmp_path / "out" / "s")
