"""A few views of another scene: which, and that their maps survive."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semsplat.data.annotations import load_annotations
from semsplat.data.datasets import importer, subset
from semsplat.data.depth import InitialPoints
from semsplat.data.manifest import verify_manifest, write_manifest
from semsplat.data.privileges import CLASSES_OF_ALL_LABELS, CLASSES_OF_LABELS, POINTS_OF_DEPTH
from semsplat.data.scene import (
    Scene,
    load_depth,
    load_ids,
    load_image,
    load_points,
    load_scene,
    load_semantics,
)
from semsplat.data.scene_writer import SceneWriter
from semsplat.io import read_json, write_json
from tests.unit.data.scene_helpers import (
    ORIGIN,
    K,
    assert_nothing_left,
    one_line_error,
    random_image,
    viewmat_at,
)

HEIGHT, WIDTH = 12, 16
CLASSES = {"classes": [{"id": 2, "name": "wall"}, {"id": 700, "name": "lamp"}]}
LABELLED = {"category": "lamp", "bbox": [0, 0, 3, 3], "segmentation": [[0, 0], [3, 3]], "note": ""}
OPTIONS = {
    "of": "toys/whole",
    "n_views": 4,
    "judged": "held_out",
    "test_every": 2,
    "n_points": 90,
    "sweep": None,
    "point_noise_m": 0.0,
    "points_seed": 0,
}


def depth_of(index: int) -> np.ndarray:
    """Return whole millimetres around ``index + 2`` metres, unknown in one corner."""
    noise = np.random.default_rng(index).integers(-400, 400, (HEIGHT, WIDTH))
    depth = ((index + 2) * 1000 + noise) * 0.001
    depth[0, 0] = 0
    return depth.astype(np.float32)


def ids_of(index: int, values: list[int]) -> np.ndarray:
    return np.random.default_rng(100 + index).choice(values, (HEIGHT, WIDTH)).astype(np.int32)


def write_whole(
    n_views: int, maps: bool = True, every: int = 5, privilege: str = "something true"
) -> None:
    """Write ``data/toys/whole`` with views v00, v01 ...; every n-th is held out."""
    origin = {"dataset": "toys", "scene": "whole", "source": "made in a test", "licence": "CC0"}
    with SceneWriter(Path("data/toys/whole"), **origin) as writer:
        for index in range(n_views):
            found: dict[str, Any] = {}
            if maps:
                found = {
                    "depth": depth_of(index),
                    "labels": ids_of(index, [0, 2, 700]),
                    "instances": ids_of(index, [0, 1, 300]),
                    "parts": ids_of(index, [0, 5]),
                    "annotations": None if index % 4 else [LABELLED],
                }
            image, split = random_image(seed=index), "train" if index % every else "test"
            viewmat = viewmat_at(0.1 * index, degrees=index)
            writer.add_frame(f"v{index:02}", image, viewmat, K, split, **found)
        writer.set_points(np.full((3, 3), 8, np.float32), np.full((3, 3), 200, np.uint8))
        if maps:
            writer.set_semantics(CLASSES)
        writer.grant(privilege)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the whole scene is looked for in data/


def imported(**changes: Any) -> Scene:
    options = subset.Options.model_validate(OPTIONS | changes)
    subset.import_scene("few", options, Path("data/sparse/few"))
    verify_manifest(Path("data/sparse/few"))
    return load_scene(Path("data/sparse/few"))


def names(frames: Any) -> list[str]:
    return [frame.name for frame in frames]


# which views


def test_thirty_of_sixty_views_are_spread_from_the_first_to_the_last() -> None:
    write_whole(60, maps=False)
    scene = imported(n_views=30, test_every=10)
    numbers = [int(name[1:]) for name in names(scene.frames)]
    assert numbers[0] == 0 and numbers[-1] == 59 and len(numbers) == 30
    # 59/29 = 2.03 apart: one step of three in the middle, all others of two
    assert numbers == [*range(0, 30, 2), *range(31, 60, 2)]
    assert names(scene.test) == ["v00", "v20", "v41"]  # every tenth that is left
    assert len(scene.train) == 27


def test_a_view_that_was_held_out_may_be_trained_on_and_the_other_way_round() -> None:
    write_whole(7, every=3)  # held out: 0, 3, 6
    scene = imported(n_views=4, test_every=2)  # 0, 2, 4, 6
    assert names(scene.test) == ["v00", "v04"] and names(scene.train) == ["v02", "v06"]


def test_the_whole_scenes_held_out_views_may_judge_and_none_of_them_is_trained_on() -> None:
    write_whole(60, every=10)
    scene = imported(n_views=6, judged="of_the_whole")
    assert names(scene.test) == ["v00", "v10", "v20", "v30", "v40", "v50"]
    # 54 are left, 1 to 59 without tens: places 0, 11, 21, 32, 42, 53
    assert names(scene.train) == ["v01", "v13", "v24", "v36", "v47", "v59"]
    assert names(scene.frames) == sorted(names(scene.frames))  # as the camera passes
    points, _ = load_points(scene)
    assert len(points) == 90  # of the views trained on alone


def test_views_that_are_trained_on_may_judge() -> None:
    write_whole(9)
    scene = imported(n_views=4, judged="trained_on", test_every=2)
    assert names(scene.train) == ["v00", "v03", "v05", "v08"]
    assert names(scene.test) == ["v00_again", "v05_again"]
    for again, frame in zip(scene.test, scene.train[::2], strict=True):
        assert again.image_path.read_bytes() == frame.image_path.read_bytes()
        assert np.array_equal(again.viewmat, frame.viewmat)


def test_all_views_are_a_choice_too() -> None:
    write_whole(5)
    assert names(imported(n_views=5).frames) == [f"v{index:02}" for index in range(5)]


def test_views_keep_the_order_in_which_the_camera_passes() -> None:
    write_whole(9)
    path = Path("data/toys/whole/transforms.json")
    transforms = read_json(path)
    transforms["frames"].reverse()
    write_json(path, transforms)
    write_manifest(path.parent, read_json(path.with_name("manifest.json")))
    assert names(imported(n_views=3).frames) == ["v08", "v04", "v00"]


@given(n_all=st.integers(2, 80), n_views=st.integers(2, 80))
def test_chosen_views_are_even_different_and_hold_both_ends(n_all: int, n_views: int) -> None:
    n_views = min(n_all, n_views)
    options = subset.Options.model_validate(OPTIONS | {"n_views": n_views})
    places = subset.chosen(range(n_all), options)  # type: ignore[arg-type]
    gaps = np.diff(places)
    assert places[0] == 0 and places[-1] == n_all - 1 and len(places) == n_views
    assert gaps.min() >= 1 and gaps.max() - gaps.min() <= 1


def test_too_few_views_are_one_line_and_leave_nothing() -> None:
    write_whole(3)
    with one_line_error("data/toys/whole", "3 views", "lower n_views"):
        imported(n_views=4)
    assert_nothing_left(Path("data/sparse/few"))


def test_one_view_cannot_be_both_trained_on_and_held_out() -> None:
    with pytest.raises(ValueError, match="greater than or equal to 2"):
        subset.Options.model_validate(OPTIONS | {"n_views": 1})


def test_a_scene_that_is_not_there_is_one_line() -> None:
    with one_line_error("data/toys/whole/transforms.json"):
        imported()


# what they carry


def test_pixels_cameras_and_maps_are_those_of_the_whole_scene() -> None:
    write_whole(7)
    scene = imported(n_views=4, test_every=2)
    whole = {frame.name: frame for frame in load_scene(Path("data/toys/whole")).frames}
    for frame in scene.frames:
        former = whole[frame.name]
        assert frame.image_path.read_bytes() == former.image_path.read_bytes()
        assert np.array_equal(frame.K, K)
        assert np.abs(frame.viewmat - former.viewmat).max() < 1e-12  # inverted on the way
        for kind in ("depth", "labels", "instances", "parts"):
            path, before = getattr(frame, f"{kind}_path"), getattr(former, f"{kind}_path")
            assert path.read_bytes() == before.read_bytes(), kind
            assert path.parent.parent == Path("data/sparse/few")
        assert np.array_equal(load_depth(frame), depth_of(int(frame.name[1:])))
        assert load_ids(frame.labels_path, frame).max() == 700
        annotated = frame.annotations_path
        assert (annotated is None) == (former.annotations_path is None)
        assert annotated is None or read_json(annotated)["objects"] == [LABELLED]
    assert [bool(frame.annotations_path) for frame in scene.frames] == [True, False, True, False]
    assert load_semantics(scene) == CLASSES


def test_masks_by_prompt_are_taken_along() -> None:
    masks = {f"cup {n}": ids_of(n, [0, 1]).astype(bool) for n in range(2)}
    with SceneWriter(Path("data/toys/whole"), **ORIGIN) as writer:
        for index in range(2):
            image, split = random_image(seed=index), ("test", "train")[index]
            writer.add_frame(f"v{index}", image, viewmat_at(index), K, split, annotations=masks)
        writer.set_points(np.ones((3, 3), np.float32), np.ones((3, 3), np.uint8))
    for frame in imported(n_views=2, test_every=2).frames:
        found = load_annotations(frame)
        assert list(found) == list(masks)
        for prompt, mask in masks.items():
            assert np.array_equal(found[prompt].mask, mask)


def test_a_scene_of_images_alone_stays_one() -> None:
    write_whole(5, maps=False)
    scene = imported()
    assert all(frame.depth_path is frame.labels_path is None for frame in scene.frames)
    assert not Path("data/sparse/few/semantics.json").exists()


def test_the_manifest_says_where_it_comes_from() -> None:
    write_whole(5)
    imported()
    manifest = read_json(Path("data/sparse/few/manifest.json"))
    place = [manifest[key] for key in ("dataset", "scene", "source", "licence")]
    assert place == ["sparse", "few", "made in a test", "CC0"]
    assert manifest["notes"] == {"subset_of": "toys/whole"}
    assert manifest["privileges"] == [POINTS_OF_DEPTH, "something true"]


SWEEP = {
    **{"n_random": 30, "random_extent": 2.0, "near_m": 1.0, "far_m": 9.0, "n_planes": 16},
    **{"window_px": 5, "neighbours": [1], "every": 1, "min_score": 0.5},
    **{"tolerance": 0.2, "min_agreeing": 1},
}


def test_privileges_are_the_whole_scenes_but_for_points_which_are_found_anew() -> None:
    write_whole(5)
    imported(sweep=SWEEP)
    manifest = read_json(Path("data/sparse/few/manifest.json"))
    assert manifest["privileges"] == ["something true"]
    write_whole(5, maps=False)  # its points are kept, and with them what is said of them
    imported()
    assert read_json(Path("data/sparse/few/manifest.json"))["privileges"] == ["something true"]


@pytest.mark.parametrize("sweep", [None, SWEEP])
def test_the_classes_are_those_that_the_whole_scene_shows(sweep: dict[str, Any] | None) -> None:
    write_whole(5, privilege=CLASSES_OF_LABELS)
    imported(sweep=sweep)
    told = read_json(Path("data/sparse/few/manifest.json"))["privileges"]
    assert CLASSES_OF_ALL_LABELS in told and CLASSES_OF_LABELS not in told


def test_a_change_of_the_whole_scene_is_a_change_of_the_few() -> None:
    options = subset.Options.model_validate(OPTIONS)
    assert subset.sources(options) == [Path("data/toys/whole/manifest.json")]
    assert importer("subset") is subset


def test_twice_the_same_bytes() -> None:
    write_whole(7)
    seen = []
    for _ in range(2):
        imported(point_noise_m=0.01)
        seen.append(read_json(Path("data/sparse/few/manifest.json"))["digest"])
    assert seen[0] == seen[1]
    imported(point_noise_m=0.01, points_seed=1)
    assert read_json(Path("data/sparse/few/manifest.json"))["digest"] != seen[0]


# initial points


def seen_by(scene: Scene, xyz: np.ndarray) -> list[str]:
    """Return the frame whose depth map holds each point, of all frames given."""
    found = []
    for point in xyz.astype(np.float64):
        hits = []
        for frame in scene.frames:
            x, y, z = frame.viewmat[:3, :3] @ point + frame.viewmat[:3, 3]
            u, v = (frame.K @ [x, y, z])[:2] / z
            inside = 0 <= u < WIDTH and 0 <= v < HEIGHT
            if inside and abs(load_depth(frame)[int(v), int(u)] - z) < 1e-4:
                centred = abs(u % 1 - 0.5) + abs(v % 1 - 0.5) < 1e-3
                hits += [frame.name] if centred else []
        assert len(hits) == 1, hits
        found += hits
    return found


def test_points_come_from_the_training_views_that_are_left_alone() -> None:
    write_whole(7)
    scene = imported(n_views=5, test_every=2, n_points=41)  # left: 0, 2 (1.5), 3, 4 (4.5), 6
    assert names(scene.test) == ["v00", "v03", "v06"] and names(scene.train) == ["v02", "v04"]
    xyz, rgb = load_points(scene)
    assert xyz.dtype == np.float32 and len(xyz) == len(rgb) == 41
    origin = seen_by(scene, xyz)
    assert origin == ["v02"] * 21 + ["v04"] * 20  # as many from each as divides


def test_points_have_the_colours_of_their_pixels() -> None:
    write_whole(5)
    scene = imported(n_views=2, test_every=2, n_points=10)
    (frame,) = scene.train
    xyz, rgb = load_points(scene)
    inside = frame.viewmat[:3, :3] @ xyz.T + frame.viewmat[:3, 3:]
    u, v = np.floor((frame.K @ inside)[:2] / inside[2]).astype(int)
    assert np.array_equal(rgb, load_image(frame)[v, u])


def test_a_scene_without_depth_keeps_its_points() -> None:
    write_whole(5, maps=False)
    scene = imported()
    xyz, rgb = load_points(scene)
    assert (scene.stored_in.own(xyz) == 8).all() and (rgb == 200).all() and xyz.shape == (3, 3)


def test_one_training_view_without_depth_keeps_the_points_too() -> None:
    write_whole(5)
    path = Path("data/toys/whole/transforms.json")
    transforms = read_json(path)
    for entry in transforms["frames"]:
        if "v04" in entry["file_path"]:
            del entry["depth_file_path"]
    write_json(path, transforms)
    write_manifest(path.parent, read_json(path.with_name("manifest.json")))
    scene = imported(n_views=4, test_every=2)  # trains on 1 and 4
    assert names(scene.train) == ["v01", "v04"]
    assert (scene.stored_in.own(load_points(scene)[0]) == 8).all()


DEPTH = np.full((2, 2), 4, np.float32)
EYE = np.eye(4)
CAMERA = np.array([[1.0, 0, 1], [0, 1, 1], [0, 0, 1]])


def grey(value: int) -> np.ndarray:
    return np.full((2, 2, 3), value, np.uint8)


def test_points_divide_over_views_and_the_first_take_the_rest() -> None:
    points = InitialPoints(8, 3, 0.0, 0)
    for value in (1, 2, 3):
        points.add(DEPTH, grey(value), EYE, CAMERA)
    assert points.noisy()[1][:, 0].tolist() == [1, 1, 1, 2, 2, 2, 3, 3]


def test_a_view_with_few_known_pixels_gives_those() -> None:
    points = InitialPoints(8, 2, 0.0, 0)
    points.add(np.array([[0, 4], [0, 0]], np.float32), grey(1), EYE, CAMERA)
    points.add(DEPTH, grey(2), EYE, CAMERA)
    xyz, rgb = points.noisy()
    assert rgb[:, 0].tolist() == [1, 2, 2, 2, 2]
    assert xyz[0].tolist() == [2, -2, 4]  # pixel (1.5, 0.5), half a pixel off the axis, 4 m away


def test_noise_has_the_spread_that_was_asked_for() -> None:
    depth, image = np.full((50, 50), 4, np.float32), np.zeros((50, 50, 3), np.uint8)
    clean, noisy = (InitialPoints(2500, 1, noise, 3) for noise in (0.0, 0.02))
    for points in (clean, noisy):
        points.add(depth, image, EYE, CAMERA)
    off = noisy.noisy()[0] - clean.noisy()[0]
    assert off.std(axis=0) == pytest.approx(0.02, rel=0.1)
    assert np.abs(off.mean(axis=0)).max() < 0.002
