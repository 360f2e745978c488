"""Lessons of a whole scene: what is written, and that nothing leaks into it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semsplat.data.images import write_png
from semsplat.data.manifest import verify_manifest
from semsplat.data.privileges import TEACHER_OF_TRUTH, TRACKS_OF_TRUTH
from semsplat.features.__main__ import main
from semsplat.features.lessons import Lesson, Lessons, open_lessons, write_lesson
from semsplat.features.store import ViewFeatures
from semsplat.features.teach import write_lessons
from semsplat.folders import mark
from semsplat.io import read_json, sha256_file, write_json
from semsplat.params.teachers import LessonsJob
from tests.unit.data.scene_helpers import assert_nothing_left, one_line_error
from tests.unit.evaluate.feature_helpers import (
    CLASSES,
    HEIGHT,
    WIDTH,
    features_of,
    write_features,
    write_wall,
)
from tests.unit.features.conftest import write_wall_geometry

COLUMNS = np.arange(WIDTH) + np.zeros((HEIGHT, WIDTH), int)
TRUTH = np.select([COLUMNS < 6, COLUMNS < 8, COLUMNS < 12], [2, 0, 5], 9)  # wall, void, lamp, rug
LABELS = np.select([COLUMNS < 6, COLUMNS < 8, COLUMNS < 12], [1, 0, 2], 3)
REGIONS = np.select([COLUMNS < 6, COLUMNS < 8, COLUMNS < 12], [0, -1, 1], 2)
TRAIN = ("v0", "v1", "v2")
ALL = (*TRAIN, "held_out")

GIVEN = {"kind": "depth_warp", "options": {"depth": "given", "tolerance": 0.05, "min_iou": 0.3}}
OWN_MAPS = {"kind": "label_maps", "options": {"labels": "maps", "masks": "components"}}
CLIP = {
    "kind": "clip_regions",
    "options": {"recipe": "regions", "weights": "uniform", "uncovered": "pixel_argmax"},
}


def write_maps(folder: Path, truth: np.ndarray = TRUTH) -> Path:
    for name in ALL:
        write_png(folder / f"{name}.png", truth.astype(np.uint16))
    return folder


def config(
    tmp_path: Path,
    labels: dict[str, Any] = OWN_MAPS,
    tracks: dict[str, Any] = GIVEN,
    corruption: dict[str, Any] | None = None,
    **run: Any,
) -> str:
    if labels is OWN_MAPS:
        labels = {**OWN_MAPS, "options": {"labels": str(tmp_path / "maps"), "masks": "components"}}
    teacher = {"labels": labels, "corruption": corruption, "tracks": tracks}
    place = {"dataset": "toys", "scene": "shelf", "name": "mine", "seed": 0, "run_seed": 11}
    return LessonsJob.model_validate({**place, "teacher": teacher, **run}).model_dump_json()


@pytest.fixture
def wall(tmp_path: Path) -> Path:
    write_maps(tmp_path / "maps")
    return write_wall(tmp_path / "scene", (0.0, 0.0, 0.0))


def held_out_has(scene_dir: Path, folder: str) -> None:
    """Give the held-out view the map of the first one, as `write_wall` does not."""
    transforms = read_json(scene_dir / "transforms.json")
    for entry in transforms["frames"]:
        if "held_out" in entry["file_path"]:
            key = "depth_file_path" if folder == "depths" else f"{folder}_file_path"
            entry[key] = f"{folder}/v0.png"
    write_json(scene_dir / "transforms.json", transforms)


def taught(tmp_path: Path, scene_dir: Path, name: str = "out", **changes: Any) -> Lessons:
    """Teach and return the opened lessons."""
    features, geometry = changes.pop("features", None), changes.pop("geometry", None)
    out = tmp_path / name
    write_lessons(scene_dir, out, config(tmp_path, **changes), features, geometry, "cpu")
    return open_lessons(out)


def files(folder: Path) -> dict[str, bytes]:
    """Everything but the card, which tells times."""
    found = [path for path in folder.rglob("*") if path.is_file() and path.name != "run.json"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


# what is written


def test_every_view_has_a_lesson_and_only_training_views_have_tracks(
    wall: Path, tmp_path: Path
) -> None:
    lessons = taught(tmp_path, wall)
    assert sorted(path.stem for path in (lessons.folder / "views").iterdir()) == sorted(ALL)
    assert lessons.view("held_out").tracks is None
    for name in ALL:
        lesson = lessons.view(name)
        assert np.array_equal(lesson.labels, LABELS) and np.array_equal(lesson.regions, REGIONS)
        assert lesson.labels.dtype == lesson.regions.dtype == np.int32
    for name in TRAIN:  # cameras that stand still
        assert np.array_equal(lessons.view(name).tracks, REGIONS)


def test_the_manifest_names_the_classes_and_every_file(wall: Path, tmp_path: Path) -> None:
    lessons = taught(tmp_path, wall, name="lessons", seed=3)
    verify_manifest(lessons.folder)
    named = [{"id": number, "name": name} for number, name in CLASSES.items()]
    assert lessons.manifest["classes"] == named
    assert lessons.class_ids == [2, 5, 9]
    assert set(lessons.manifest["files"]) == {f"views/{name}.npz" for name in ALL}
    place = [lessons.manifest[key] for key in ("dataset", "scene", "name", "seed")]
    assert place == ["toys", "shelf", "mine", 3]
    assert lessons.manifest["teacher"]["tracks"] == GIVEN


def test_the_card_names_inputs_outputs_and_the_parameters(wall: Path, tmp_path: Path) -> None:
    lessons = taught(tmp_path, wall)
    card = read_json(lessons.folder / "run.json")
    assert card["phase"] == "features"
    assert card["inputs"] == {"scene": sha256_file(wall / "manifest.json")}
    assert card["outputs"] == {"manifest.json": sha256_file(lessons.folder / "manifest.json")}
    assert card["config"]["run_seed"] == 11
    assert card["privileges"] == []
    assert card["numbers"]["device"] == "cpu"


@pytest.mark.parametrize(("masks", "labels"), [("components", "scene"), ("components", "maps")])
def test_the_card_says_whether_the_truth_was_the_teacher(
    tmp_path: Path, masks: str, labels: str
) -> None:
    place = labels if labels == "scene" else str(write_maps(tmp_path / labels))
    scene_dir = write_wall(tmp_path / "scene", truth=TRUTH)
    held_out_has(scene_dir, "labels")
    teacher = {"kind": "label_maps", "options": {"labels": place, "masks": masks}}
    lessons = taught(tmp_path, scene_dir, labels=teacher)
    told = read_json(lessons.folder / "run.json")["privileges"]
    assert told == [TEACHER_OF_TRUTH] * (labels == "scene")
    assert np.array_equal(lessons.view("held_out").labels, LABELS)


def test_the_card_says_whether_true_instances_vote(tmp_path: Path) -> None:
    scene_dir = write_wall(tmp_path / "scene")
    write_maps(tmp_path / "maps")
    transforms = read_json(scene_dir / "transforms.json")
    for entry in transforms["frames"]:
        entry["instances_file_path"] = "instances/all.png"
    write_json(scene_dir / "transforms.json", transforms)
    write_png(scene_dir / "instances/all.png", (REGIONS + 1).astype(np.uint16))
    lessons = taught(tmp_path, scene_dir, tracks={"kind": "instances", "options": {}})
    assert read_json(lessons.folder / "run.json")["privileges"] == [TRACKS_OF_TRUTH]
    assert np.array_equal(lessons.view("v1").tracks, REGIONS)


def test_equal_seeds_give_equal_bytes(wall: Path, tmp_path: Path) -> None:
    mistakes = {"kind": "iid", "share": 0.5}
    one, two = (files(taught(tmp_path, wall, name, corruption=mistakes).folder) for name in "ab")
    assert one == two and len(one) == len(ALL) + 2  # manifest and marker
    other = taught(tmp_path, wall, "c", corruption=mistakes, run_seed=12)
    assert files(other.folder) != one


def test_lessons_that_are_there_are_replaced_as_a_whole(wall: Path, tmp_path: Path) -> None:
    (tmp_path / "out/views").mkdir(parents=True)
    (tmp_path / "out/views/old.npz").write_bytes(b"old")
    mark(tmp_path / "out")
    lessons = taught(tmp_path, wall)
    assert not (lessons.folder / "views/old.npz").exists()


def test_a_lesson_without_tracks_reads_back_as_it_was(tmp_path: Path) -> None:
    labels = np.array([[0, 1, 300]], np.int32)
    write_lesson(tmp_path, "left/v0", Lesson(labels, labels - 1, None))
    again = Lessons(tmp_path, {}).view("left/v0")
    assert np.array_equal(again.labels, labels) and np.array_equal(again.regions, labels - 1)
    assert again.tracks is None
    with one_line_error("v1.npz", "no such file"):
        Lessons(tmp_path, {}).view("v1")


# mistakes on purpose


def test_mistakes_of_single_views_stay_inside_regions(wall: Path, tmp_path: Path) -> None:
    lessons = taught(tmp_path, wall, corruption={"kind": "iid", "share": 1.0})
    for name in ALL:  # held-out views as well: they show what a network would say there
        lesson = lessons.view(name)
        for region, right in ((0, 1), (1, 2), (2, 3)):
            (label,) = np.unique(lesson.labels[region == REGIONS])
            assert label in {1, 2, 3} - {right}
        assert (lesson.labels[REGIONS < 0] == 0).all()
        assert np.array_equal(lesson.regions, REGIONS)  # masks are not mistaken


def test_mistakes_of_single_views_differ_from_view_to_view(wall: Path, tmp_path: Path) -> None:
    lessons = taught(tmp_path, wall, corruption={"kind": "iid", "share": 0.5})
    assert len({lessons.view(name).labels.tobytes() for name in ALL}) > 1


def test_mistakes_of_objects_persist_while_the_camera_passes(wall: Path, tmp_path: Path) -> None:
    # The held-out camera stands aside and shares a pixel with none: its regions are objects of
    # one view, of which a run of round(0.4) = 0 views is mistaken; the others have round(1.2) = 1.
    held_out_has(wall, "depths")
    lessons = taught(tmp_path, wall, corruption={"kind": "view_correlated", "share": 0.4})
    for region, right in ((0, 1), (1, 2), (2, 3)):
        found = [int(lessons.view(name).labels[region == REGIONS][0]) for name in TRAIN]
        assert sorted(label == right for label in found) == [False, True, True]
    assert all((lessons.view(name).labels[REGIONS < 0] == 0).all() for name in ALL)
    assert np.array_equal(lessons.view("held_out").labels, LABELS)


def test_objects_are_followed_into_held_out_views_but_tracks_are_not(tmp_path: Path) -> None:
    write_maps(tmp_path / "maps")
    scene_dir = write_wall(tmp_path / "scene", (0.0, 0.0, 0.0))
    transforms = read_json(scene_dir / "transforms.json")
    for name, split in (("v1", "test"), ("held_out", "train")):  # v1 between v0 and v2 is held out
        other = {"train": "test", "test": "train"}[split]
        transforms[f"{other}_filenames"].remove(f"images/{name}.png")
        transforms[f"{split}_filenames"].append(f"images/{name}.png")
    write_json(scene_dir / "transforms.json", transforms)
    held_out_has(scene_dir, "depths")
    mistakes = {"kind": "view_correlated", "share": 1.0}
    lessons = taught(tmp_path, scene_dir, corruption=mistakes)
    one = lessons.view("v0").labels
    assert not np.array_equal(one, LABELS)
    assert np.array_equal(lessons.view("v1").labels, one)
    assert np.array_equal(lessons.view("v2").labels, one)
    assert lessons.view("v1").tracks is None
    assert np.array_equal(lessons.view("v2").tracks, REGIONS)  # as if v1 were not there


# teachers and trackers of other kinds


def test_clip_teaches_from_its_features(wall: Path, tmp_path: Path) -> None:
    dense = np.where(np.arange(WIDTH) < 8, 1, 3)[None].repeat(HEIGHT, axis=0)
    view = features_of(np.where(COLUMNS < 4, 0, np.where(COLUMNS < 14, 1, -1)), [2, 2], dense)
    features = write_features(tmp_path / "features", dict.fromkeys(ALL, view))
    lessons = taught(tmp_path, wall, labels=CLIP, features=features)
    # region 0 is of class 1; region 1 has 4 columns of class 1 and 6 of class 3; 2 are outside
    expected = np.where(COLUMNS < 4, 1, 3)
    assert all(np.array_equal(lessons.view(name).labels, expected) for name in ALL)
    assert np.array_equal(lessons.view("v2").tracks, view.ids[0])
    card = read_json(lessons.folder / "run.json")
    assert card["inputs"]["features"] == sha256_file(features / "manifest.json")
    assert card["privileges"] == []


def test_what_clip_teaches_does_not_depend_on_the_truth(tmp_path: Path) -> None:
    view = features_of(np.where(COLUMNS < 4, 0, -1), [2], np.full((HEIGHT, WIDTH), 2))
    features = write_features(tmp_path / "features", dict.fromkeys(ALL, view))
    seen = []
    for name, truth in (("a", TRUTH), ("b", np.roll(TRUTH, 5, axis=1)), ("c", None)):
        scene_dir = write_wall(tmp_path / f"scene_{name}", truth=truth)
        seen.append(files(taught(tmp_path, scene_dir, name, labels=CLIP, features=features).folder))
    assert seen[0] == seen[1] == seen[2]


def test_any_trackers_ids_are_taken_as_they_are(wall: Path, tmp_path: Path) -> None:
    stored = {"kind": "id_maps", "options": {"folder": str(write_maps(tmp_path / "ids"))}}
    lessons = taught(tmp_path, wall, tracks=stored)
    assert all(np.array_equal(lessons.view(name).tracks, TRUTH - 1) for name in TRAIN)
    assert lessons.view("held_out").tracks is None


def test_rendered_depth_follows_regions_where_a_scene_has_no_depth(tmp_path: Path) -> None:
    """Gaussians that tile the wall at z = 1, 4 m away; cameras 2 px apart."""
    write_maps(tmp_path / "maps", np.where((COLUMNS >= 8) & (COLUMNS < 12), 5, 0))
    scene_dir = write_wall(tmp_path / "scene", (0.0, 0.4), depth=None)
    geometry = write_wall_geometry(tmp_path / "geometry", z=1.0)
    rendered = {**GIVEN, "options": {**GIVEN["options"], "depth": "rendered"}}
    lessons = taught(tmp_path, scene_dir, tracks=rendered, geometry=geometry)
    # the bar stands still while the wall moves by 2 of its 4 columns: IoU 2/6
    assert lessons.view("v0").tracks.max() == lessons.view("v1").tracks.max() == 0
    strict = {**rendered, "options": {**rendered["options"], "min_iou": 0.4}}
    apart = taught(tmp_path, scene_dir, "strict", tracks=strict, geometry=geometry)
    assert apart.view("v1").tracks.max() == 1
    inputs = read_json(lessons.folder / "run.json")["inputs"]
    assert inputs["geometry"] == sha256_file(geometry / "point_cloud.ply")


def test_regions_alone_are_followed_where_a_scene_names_no_classes(
    wall: Path, tmp_path: Path
) -> None:
    (wall / "semantics.json").unlink()
    ids = REGIONS[None].astype(np.int16)
    view = ViewFeatures(ids, np.ones(3, np.float16), None, None)
    features = write_features(tmp_path / "features", dict.fromkeys(ALL, view))
    alone = {"kind": "unlabelled", "options": {"recipe": "regions"}}
    lessons = taught(tmp_path, wall, labels=alone, features=features)
    assert lessons.class_ids == [] and not lessons.view("v0").labels.any()
    assert np.array_equal(lessons.view("v2").tracks, REGIONS)
    assert lessons.names == sorted(ALL)
    assert read_json(lessons.folder / "run.json")["privileges"] == []


# what goes wrong


def test_a_scene_that_names_no_classes_is_one_line(wall: Path, tmp_path: Path) -> None:
    (wall / "semantics.json").unlink()
    with one_line_error(str(wall), "no semantics.json", "class names"):
        taught(tmp_path, wall)
    assert_nothing_left(tmp_path / "out")


def test_a_scene_without_depth_is_one_line(tmp_path: Path) -> None:
    write_maps(tmp_path / "maps")
    with one_line_error("'v0'", "no depth"):
        taught(tmp_path, write_wall(tmp_path / "scene", depth=None))
    assert_nothing_left(tmp_path / "out")


def test_a_missing_label_map_leaves_nothing(wall: Path, tmp_path: Path) -> None:
    (tmp_path / "maps/v1.png").unlink()
    with one_line_error("maps/v1.png", "no such file"):
        taught(tmp_path, wall)
    assert_nothing_left(tmp_path / "out")


def test_tracks_by_rendered_depth_never_fall_back_on_the_scenes_own(
    wall: Path, tmp_path: Path
) -> None:
    rendered = {**GIVEN, "options": {**GIVEN["options"], "depth": "rendered"}}
    with one_line_error("rendered depth", "--geometry"):
        taught(tmp_path, wall, tracks=rendered)
    assert_nothing_left(tmp_path / "out")


def test_clip_without_features_is_one_line(wall: Path, tmp_path: Path) -> None:
    with one_line_error("clip_regions", "--features"):
        taught(tmp_path, wall, labels=CLIP)
    assert_nothing_left(tmp_path / "out")


# the command


def command(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, "argv", ["semsplat.features", "teach", *map(str, arguments)])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    main()


def test_the_command_writes_what_the_function_does(
    wall: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = ("--scene", wall, "--out", tmp_path / "by_command", "--config", config(tmp_path))
    command(monkeypatch, *where)
    card = read_json(tmp_path / "by_command/run.json")
    assert card["command"][:4] == ["python", "-m", "semsplat.features", "teach"]
    assert files(tmp_path / "by_command") == files(taught(tmp_path, wall).folder)


def test_the_command_ends_with_one_line(
    wall: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (wall / "semantics.json").unlink()
    where = ("--scene", wall, "--out", tmp_path / "out", "--config", config(tmp_path))
    with pytest.raises(SystemExit) as status:
        command(monkeypatch, *where)
    assert status.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "no semantics.json" in line
