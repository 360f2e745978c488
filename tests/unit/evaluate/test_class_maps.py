"""Protocols on class maps, and the scores of a trained setting: numbers worked out by hand."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from semsplat.arrays import read_arrays
from semsplat.data.images import write_png
from semsplat.data.manifest import write_manifest
from semsplat.data.scene import load_image, load_scene
from semsplat.data.scene_writer import SceneWriter
from semsplat.evaluate.cases import Case
from semsplat.evaluate.class_maps import best_votes
from semsplat.evaluate.confusion import class_ids_of, confusion
from semsplat.evaluate.pairs import AGREES, DIFFERS, NOT_COMPARED
from semsplat.evaluate.protocols import consistency, image_mean, pooled, protocol_of, rgb_held_out
from semsplat.features.lessons import Lesson, open_lessons, write_lesson
from semsplat.io import read_json, sha256_file
from tests.unit.data.scene_helpers import ORIGIN, K, one_line_error, random_image, viewmat_at
from tests.unit.evaluate.feature_helpers import CLASSES, HEIGHT, WIDTH, write_wall
from tests.unit.evaluate.job_helpers import CLASS_ANSWERS, run_score

VOID, WALL, LAMP, RUG = 0, 2, 5, 9
IDS = np.array([WALL, LAMP, RUG])
COLUMNS = np.arange(WIDTH)
LEFT = COLUMNS < WIDTH // 2


def everywhere(ids: Any) -> np.ndarray:
    """Return a class map [H, W] of one id, or of one id per column."""
    return np.zeros((HEIGHT, WIDTH), np.int32) + ids


def matrix(truth: Sequence[int], labels: Sequence[int]) -> np.ndarray:
    return confusion(np.array([truth], np.int32), np.array([labels], np.int32), IDS)


# the protocols


def of_images(matrices: Sequence[np.ndarray]) -> dict[str, float]:
    return image_mean.aggregate([Case("", "", True, {image_mean.NAME: m}) for m in matrices])


def of_pixels(matrices: Sequence[np.ndarray]) -> dict[str, float]:
    return pooled.aggregate([Case("", "", True, {pooled.NAME: m}) for m in matrices])


# wall right on 2 of 4 pixels, the others taken for a lamp: IoU 1/2 and 0
HALF_RIGHT = matrix([WALL] * 4, [WALL, WALL, LAMP, LAMP])
# one pixel counts, and it is right
ONE_PIXEL = matrix([LAMP, VOID, VOID, VOID], [LAMP] * 4)


def test_a_mean_over_images_is_not_the_score_of_all_pixels() -> None:
    images = [HALF_RIGHT, ONE_PIXEL]
    assert of_images(images) == pytest.approx(
        {"miou": ((1 / 2 + 0) / 2 + 1) / 2, "accuracy": (1 / 2 + 1) / 2}
    )
    # wall 2 of 4; lamp 1 of the 3 pixels that are one or taken for one
    assert of_pixels(images) == pytest.approx(
        {"pooled_miou": (1 / 2 + 1 / 3) / 2, "class_accuracy": (1 / 2 + 1) / 2}
    )


def test_a_class_that_is_only_predicted_counts_as_zero_where_it_is() -> None:
    assert of_images([HALF_RIGHT])["miou"] == pytest.approx((1 / 2 + 0) / 2)
    assert of_pixels([HALF_RIGHT])["pooled_miou"] == pytest.approx((1 / 2 + 0) / 2)
    # it has no pixels of its own to be right on
    assert of_pixels([HALF_RIGHT])["class_accuracy"] == pytest.approx(1 / 2)
    # the rug occurs nowhere, and neither does the lamp in a second image
    images = [HALF_RIGHT, matrix([WALL] * 4, [WALL] * 4)]
    assert of_images(images)["miou"] == pytest.approx((1 / 4 + 1) / 2)


def test_a_pixel_without_a_class_is_wrong() -> None:
    images = [matrix([WALL] * 4, [WALL, WALL, WALL, VOID])]
    assert of_images(images) == pytest.approx({"miou": 3 / 4, "accuracy": 3 / 4})
    assert of_pixels(images) == pytest.approx({"pooled_miou": 3 / 4, "class_accuracy": 3 / 4})


def test_void_pixels_are_dropped_whatever_is_predicted_there() -> None:
    for there in (VOID, WALL, RUG):
        images = [matrix([WALL, WALL, VOID, VOID], [WALL, LAMP, there, there])]
        assert of_images(images) == pytest.approx({"miou": 1 / 4, "accuracy": 1 / 2})
        assert of_pixels(images)["class_accuracy"] == pytest.approx(1 / 2)


def test_an_image_of_void_alone_is_none_of_the_images() -> None:
    void = matrix([VOID] * 4, [WALL] * 4)
    assert of_images([HALF_RIGHT, void]) == of_images([HALF_RIGHT])
    assert of_pixels([HALF_RIGHT, void]) == of_pixels([HALF_RIGHT])
    assert of_images([void]) == of_pixels([void]) == {}
    assert of_images([]) == of_pixels([]) == {}


MAPS = arrays(np.int32, (2, 4), elements=st.sampled_from([VOID, WALL, LAMP, RUG]))
IMAGES = st.lists(st.tuples(MAPS, MAPS), min_size=1, max_size=4)


def both_scores(images: list[tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
    matrices = [confusion(truth, labels, IDS) for truth, labels in images]
    return of_images(matrices) | of_pixels(matrices)


@given(images=IMAGES)
def test_scores_are_shares_and_all_there_wherever_a_pixel_counts(
    images: list[tuple[np.ndarray, np.ndarray]],
) -> None:
    scores = both_scores(images)
    counts = any(truth.any() for truth, _ in images)
    assert set(scores) == ({*image_mean.METRICS, *pooled.METRICS} if counts else set())
    assert all(0 <= value <= 1 for value in scores.values())


@given(images=IMAGES)
def test_only_a_perfect_prediction_scores_one(images: list[tuple[np.ndarray, np.ndarray]]) -> None:
    assume(any(truth.any() for truth, _ in images))
    assert set(both_scores([(truth, truth) for truth, _ in images]).values()) == {1.0}
    perfect = all((truth == labels)[truth > 0].all() for truth, labels in images)
    scores = both_scores(images)
    assert all((scores[name] == 1) == perfect for name in ("miou", "accuracy", "pooled_miou"))


@given(images=IMAGES)
def test_neither_the_order_of_images_nor_of_classes_matters(
    images: list[tuple[np.ndarray, np.ndarray]],
) -> None:
    scores = both_scores(images)
    assert both_scores(images[::-1]) == pytest.approx(scores)
    other = np.zeros(10, np.int32)
    other[IDS] = IDS[::-1]
    assert both_scores([(other[truth], other[labels]) for truth, labels in images]) == (
        pytest.approx(scores)
    )


@given(truth=MAPS, labels=MAPS)
def test_of_a_single_image_both_means_are_one(truth: np.ndarray, labels: np.ndarray) -> None:
    scores = both_scores([(truth, labels)])
    assert scores.get("miou") == scores.get("pooled_miou")


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([], {}),
        ([[NOT_COMPARED] * 3], {}),
        ([[AGREES, AGREES, NOT_COMPARED]], {"inconsistency": 0.0}),
        ([[DIFFERS, NOT_COMPARED, NOT_COMPARED]], {"inconsistency": 1.0}),
        (
            [[AGREES, AGREES, DIFFERS], [DIFFERS, NOT_COMPARED, NOT_COMPARED]],
            {"inconsistency": 2 / 4},
        ),
    ],
)
def test_the_share_that_differs_is_of_all_compared_pixels(
    verdicts: list[list[int]], expected: dict[str, float]
) -> None:
    found = [{consistency.NAME: np.array([verdict], np.uint8)} for verdict in verdicts]
    assert consistency.aggregate([Case("a", "b", True, said) for said in found]) == expected


@pytest.mark.parametrize("prefix", ["", "train_", "teacher_", "teacher_train_"])
def test_a_metric_keeps_its_protocol_whatever_it_is_about(prefix: str) -> None:
    assert protocol_of(f"{prefix}miou") == protocol_of(f"{prefix}accuracy") == image_mean.NAME
    assert protocol_of(f"{prefix}pooled_miou") == pooled.NAME
    assert protocol_of(f"{prefix}class_accuracy") == pooled.NAME
    assert protocol_of(f"{prefix}inconsistency") == consistency.NAME


# the file

Views = dict[str, np.ndarray]


def write_scene(scene_dir: Path, truths: dict[str, np.ndarray | None]) -> Path:
    """Write held-out views with these truths, and two training views that show the wall alone."""
    with SceneWriter(scene_dir, **ORIGIN) as writer:
        for index, (name, truth) in enumerate(truths.items()):
            writer.add_frame(
                name, random_image(seed=index), viewmat_at(index), K, "test", labels=truth
            )
        for index, name in enumerate(("train/a", "train/b")):
            labels = everywhere(WALL)
            writer.add_frame(name, random_image(), viewmat_at(index), K, "train", labels=labels)
        writer.set_semantics({"classes": [{"id": i, "name": n} for i, n in CLASSES.items()]})
    return scene_dir


def write_predictions(folder: Path, scene_dir: Path, views: Views) -> Path:
    """Write the photographs as colours, and these class maps."""
    for frame in load_scene(scene_dir).test:
        write_png(folder / f"{frame.name}.png", load_image(frame))
    for name, ids in views.items():
        write_png(folder / "classes" / f"{name}.png", ids.astype(np.uint16))
    write_manifest(folder, {})
    return folder


def write_lessons(folder: Path, scene_dir: Path, labels: dict[str, Any]) -> Path:
    """Write lessons of all views; a view that is not in ``labels`` is taught the wall, label 1."""
    for frame in load_scene(scene_dir).frames:
        taught = everywhere(labels.get(frame.name, 1))
        write_lesson(folder, frame.name, Lesson(taught, everywhere(0), None))
    classes = [{"id": i, "name": n} for i, n in CLASSES.items()]
    write_manifest(folder, {"classes": classes})
    return folder


def scored(
    tmp_path: Path, scene_dir: Path, views: Views, taught: dict[str, Any] | None = None
) -> Any:
    """Score class maps {name: ids} of a setting that learned the labels {name: 1 to 3}."""
    predictions = write_predictions(tmp_path / "predictions", scene_dir, views)
    lessons = write_lessons(tmp_path / "lessons", scene_dir, taught or {})
    out = tmp_path / "results/evaluate/toys/shelf/clipgs_d/3/scores.json"
    run_score(CLASS_ANSWERS, scene_dir, predictions, out, lessons)
    return read_json(out)


def verdicts(tmp_path: Path) -> dict[str, np.ndarray]:
    path = tmp_path / "results/evaluate/toys/shelf/clipgs_d/3/inconsistency.npz"
    beside = [path, path.with_name("votes.npz")]
    files = read_json(path.with_name("scores.json"))["files"]
    assert files == {p.name: sha256_file(p) for p in beside}
    return read_arrays(path)


def class_metrics(scores: Any) -> dict[str, float]:
    """Return all metrics but those of the colours and of votes."""
    others = {k: v for k, v in scores["metrics"].items() if k not in rgb_held_out.METRICS}
    return {k: v for k, v in others.items() if not k.startswith(("best_vote_", "own_vote_"))}


def test_views_and_teachers_are_scored_side_by_side(tmp_path: Path) -> None:
    # left/a is wall, half right; of b one quarter counts, and it is right; the same as above
    truths = {"left/a": everywhere(WALL), "b": everywhere(np.where(COLUMNS < 4, LAMP, VOID))}
    scene_dir = write_scene(tmp_path / "scene", {**truths, "c": None})
    views = {
        "left/a": everywhere(np.where(LEFT, WALL, LAMP)),
        "b": everywhere(LAMP),
        "c": everywhere(RUG),
        "train/a": everywhere(WALL),
        "train/b": everywhere(np.where(COLUMNS < 4, WALL, RUG)),
    }
    # the teacher is right on left/a, ignores three quarters of train/a, and b is no wall
    scores = scored(tmp_path, scene_dir, views, {"train/a": np.where(COLUMNS < 4, 1, 0)})
    assert class_metrics(scores) == pytest.approx(
        {
            "miou": 5 / 8,
            "accuracy": 3 / 4,
            "pooled_miou": 5 / 12,
            "class_accuracy": 3 / 4,
            # a: all right; b: a quarter, and a rug that is not there
            "train_miou": (1 + 1 / 8) / 2,
            "train_accuracy": (1 + 1 / 4) / 2,
            "train_pooled_miou": (5 / 8 + 0) / 2,
            "train_class_accuracy": 5 / 8,
            # b: all lamp, taken for wall
            "teacher_miou": (1 + 0) / 2,
            "teacher_accuracy": (1 + 0) / 2,
            "teacher_pooled_miou": (4 / 5 + 0) / 2,
            "teacher_class_accuracy": (1 + 0) / 2,
            "teacher_train_miou": (1 / 4 + 1) / 2,
            "teacher_train_accuracy": (1 / 4 + 1) / 2,
            "teacher_train_pooled_miou": 5 / 8,
            "teacher_train_class_accuracy": 5 / 8,
        }
    )
    assert scores["protocols"].keys() == scores["metrics"].keys()
    assert scores["protocols"]["teacher_train_class_accuracy"] == "class_maps/pooled@1"
    assert scores["protocols"]["train_accuracy"] == "clipgs/image_mean@1"
    assert scores["protocols"]["psnr"] == "rgb/held_out@2"
    assert scores["protocol"] == "class_maps/pooled@1, clipgs/image_mean@1, rgb/held_out@2"


def test_scores_name_the_run_its_views_and_everything_they_come_from(tmp_path: Path) -> None:
    truths = {"left/a": everywhere(WALL), "b": everywhere(VOID), "c": None}
    scene_dir = write_scene(tmp_path / "scene", truths)
    views = {frame.name: everywhere(WALL) for frame in load_scene(scene_dir).frames}
    views["left/a"] = everywhere(np.where(LEFT, WALL, LAMP))
    scores = scored(tmp_path, scene_dir, views)
    facts = [scores[key] for key in ("dataset", "scene", "setting", "seed", "n_views")]
    assert facts == ["toys", "shelf", "clipgs_d", 3, 3]
    colours = {"psnr": 100.0, "ssim": 1.0}
    assert scores["views"] == {
        "left/a": {**colours, "miou": 0.25, "accuracy": 0.5},
        "b": colours,
        "c": colours,
    }
    assert scores["truth_sha256"] == sha256_file(scene_dir / "manifest.json")
    assert scores["lessons_sha256"] == sha256_file(tmp_path / "lessons/manifest.json")
    assert scores["predictions_sha256"] == sha256_file(tmp_path / "predictions/manifest.json")
    assert scores["missing"] == scores["missing_classes"] == []


def test_a_missing_class_map_scores_zero_and_is_listed(tmp_path: Path) -> None:
    truths = {name: everywhere(WALL) for name in ("left/a", "b")}
    scene_dir = write_scene(tmp_path / "scene", truths)
    views = {name: everywhere(WALL) for name in ("b", "train/a", "a")}  # a is not left/a
    scores = scored(tmp_path, scene_dir, views)
    assert scores["missing_classes"] == ["left/a", "train/b"] and scores["missing"] == []
    counts = {"pairs": 2, "missing": 1, "train_pairs": 2, "train_missing": 1}
    assert scores["counts"][image_mean.NAME] == scores["counts"][pooled.NAME] == counts
    assert scores["counts"][rgb_held_out.NAME] == {"pairs": 2, "missing": 0}
    assert scores["views"]["left/a"]["miou"] == scores["views"]["left/a"]["accuracy"] == 0
    names = ("miou", "accuracy", "pooled_miou", "class_accuracy")
    assert [scores["metrics"][name] for name in names] == [0.5] * 4
    assert [scores["metrics"][f"train_{name}"] for name in names] == [0.5] * 4


def test_class_maps_are_matched_by_name_and_not_by_order(tmp_path: Path) -> None:
    truths = {"left/a": everywhere(WALL), "b": everywhere(LAMP), "c": everywhere(LAMP)}
    scene_dir = write_scene(tmp_path / "scene", truths)
    maps = {**{name: ids for name, ids in truths.items()}, "b": everywhere(RUG)}
    before = scored(tmp_path, scene_dir, maps)["views"]
    assert [before[name]["accuracy"] for name in truths] == [1, 0, 1]
    shutil.rmtree(tmp_path / "predictions")
    reversed_maps = dict(reversed(maps.items()))
    assert scored(tmp_path, scene_dir, reversed_maps)["views"] == before
    swapped = {**maps, "left/a": maps["c"], "c": maps["left/a"]}
    after = scored(tmp_path, scene_dir, swapped)["views"]
    assert [after[name]["accuracy"] for name in truths] == [0, 0, 0]


def test_a_class_map_of_another_size_is_one_line(tmp_path: Path) -> None:
    scene_dir = write_scene(tmp_path / "scene", {"b": everywhere(WALL)})
    with one_line_error("classes/b.png", "16x12"):
        scored(tmp_path, scene_dir, {"b": everywhere(WALL)[:6]})


@pytest.mark.parametrize("unknown", [1, 3, 10])
def test_a_class_map_with_a_class_that_the_scene_has_not_is_one_line(
    tmp_path: Path, unknown: int
) -> None:
    scene_dir = write_scene(tmp_path / "scene", {"b": everywhere(WALL)})
    with one_line_error("b", f"class {unknown}", "semantics.json"):
        scored(tmp_path, scene_dir, {"b": everywhere(np.where(LEFT, WALL, unknown))})


def test_a_lesson_that_is_missing_is_one_line(tmp_path: Path) -> None:
    scene_dir = write_scene(tmp_path / "scene", {"b": everywhere(WALL)})
    predictions = write_predictions(tmp_path / "predictions", scene_dir, {})
    lessons = write_lessons(tmp_path / "lessons", scene_dir, {})
    (lessons / "views/train/b.npz").unlink()
    with one_line_error("train/b.npz", "no such file"):
        run_score(CLASS_ANSWERS, scene_dir, predictions, tmp_path / "d/s/x/0/scores.json", lessons)


# from view to view: cameras 0.2 m apart see the wall 1 px apart

HALVES = everywhere(np.where(LEFT, WALL, LAMP))


def test_only_a_border_that_stays_where_the_wall_moves_is_inconsistent(tmp_path: Path) -> None:
    scene_dir = write_wall(tmp_path / "scene", (0.0, 0.2))
    moved = everywhere(np.where(COLUMNS < WIDTH // 2 - 1, WALL, LAMP))
    # the labels taught move with the wall: label 1 is the wall, label 2 the lamp
    taught = {"v0": np.where(HALVES == WALL, 1, 2), "v1": np.where(moved == WALL, 1, 2)}
    scores = scored(tmp_path, scene_dir, {"v0": HALVES, "v1": HALVES}, taught)
    # 16 columns, one leaves the image; of the others that at the border differs
    assert scores["metrics"]["inconsistency"] == pytest.approx(1 / 15)
    assert scores["metrics"]["teacher_inconsistency"] == 0
    assert scores["pairs"] == [
        {
            "views": ["v0", "v1"],
            "inconsistency": pytest.approx(1 / 15),
            "teacher_inconsistency": 0.0,
        }
    ]
    expected = np.full(WIDTH, AGREES)
    expected[0], expected[WIDTH // 2] = NOT_COMPARED, DIFFERS
    assert verdicts(tmp_path).keys() == {"0"}
    assert (verdicts(tmp_path)["0"] == expected).all()
    assert verdicts(tmp_path)["0"].shape == (HEIGHT, WIDTH)


def test_pairs_weigh_as_much_as_they_share(tmp_path: Path) -> None:
    scene_dir = write_wall(tmp_path / "scene", (0.0, 0.0, 12 * 0.2))  # the second pair: 4 columns
    views = {"v0": everywhere(WALL), "v1": everywhere(WALL), "v2": everywhere(RUG)}
    scores = scored(tmp_path, scene_dir, views, {"v0": 3})
    assert [row["inconsistency"] for row in scores["pairs"]] == [0, 1]
    assert scores["metrics"]["inconsistency"] == pytest.approx(4 / (16 + 4))
    assert scores["metrics"]["teacher_inconsistency"] == pytest.approx(16 / (16 + 4))
    assert np.count_nonzero(verdicts(tmp_path)["1"] == DIFFERS) == 4 * HEIGHT


def test_pixels_without_a_class_are_not_compared(tmp_path: Path) -> None:
    scene_dir = write_wall(tmp_path / "scene", (0.0, 0.0))
    views = {"v0": everywhere(np.where(COLUMNS < 4, VOID, WALL)), "v1": HALVES}
    scores = scored(tmp_path, scene_dir, views, {"v0": 0})
    assert scores["metrics"]["inconsistency"] == pytest.approx(8 / 12)
    # nothing is taught about v0
    assert "teacher_inconsistency" not in scores["metrics"] | scores["pairs"][0]


def test_a_missing_class_map_is_like_none_of_its_neighbours(tmp_path: Path) -> None:
    scene_dir = write_wall(tmp_path / "scene", (0.0, 0.0, 0.0, 0.0))
    v0 = everywhere(np.where(COLUMNS < 4, VOID, WALL))
    scores = scored(tmp_path, scene_dir, {"v0": v0, "v3": everywhere(WALL)})
    assert scores["missing_classes"] == ["v1", "v2", "held_out"]
    # not even v1 and v2 are alike, of which both are missing
    assert [row["inconsistency"] for row in scores["pairs"]] == [1, 1, 1]
    assert scores["counts"][consistency.NAME] == {"pairs": 3, "missing": 3}
    assert np.count_nonzero(verdicts(tmp_path)["0"]) == 12 * HEIGHT


# what a scene has not


def test_without_truth_and_depth_there_are_reasons(tmp_path: Path) -> None:
    scene_dir = write_wall(tmp_path / "scene", depth=None)
    scores = scored(tmp_path, scene_dir, {f"v{i}": everywhere(WALL) for i in range(3)})
    no_truth = "no held-out view has a label map"
    absent = {name: why for name, why in scores["absent"].items() if name != "lpips"}
    assert absent == {
        **dict.fromkeys(("miou", "accuracy", "pooled_miou", "class_accuracy"), no_truth),
        "inconsistency": "no two consecutive training views have depth",
    }
    assert class_metrics(scores) == {} and scores["pairs"] == []
    assert scores["views"].keys() == {"held_out"} and verdicts(tmp_path) == {}
    assert scores["protocol"] == "rgb/held_out@2"


def test_truth_of_training_views_is_scored_without_any_of_held_out_ones(tmp_path: Path) -> None:
    scene_dir = write_wall(tmp_path / "scene", truth=everywhere(WALL))
    scores = scored(tmp_path, scene_dir, {f"v{i}": everywhere(WALL) for i in range(3)})
    assert scores["metrics"]["train_miou"] == scores["metrics"]["teacher_train_miou"] == 1
    assert scores["absent"]["miou"] == "no held-out view has a label map"


def test_truth_of_void_alone_is_absent_with_its_reason(tmp_path: Path) -> None:
    scene_dir = write_scene(tmp_path / "scene", {"b": everywhere(VOID)})
    scores = scored(tmp_path, scene_dir, {"b": everywhere(WALL)})
    assert "miou" not in scores["metrics"]
    assert scores["absent"]["miou"] == "the label maps are void"


def test_depth_without_a_pixel_to_compare_has_a_reason_of_its_own(tmp_path: Path) -> None:
    scene_dir = write_wall(tmp_path / "scene", (0.0, 0.0))
    scores = scored(tmp_path, scene_dir, {"v0": everywhere(WALL), "v1": everywhere(VOID)})
    assert "inconsistency" not in scores["metrics"]
    reason = "no labelled pixel of a training view shows in the next one"
    assert scores["absent"]["inconsistency"] == reason


def best(tmp_path: Path, truth: Any, regions: Any) -> np.ndarray:
    """Return the best vote of regions on view left/a, which is taught the wall everywhere."""
    scene_dir = write_scene(tmp_path / "scene", {"left/a": everywhere(truth)})
    folder = write_lessons(tmp_path / "lessons", scene_dir, {})
    write_lesson(folder, "left/a", Lesson(everywhere(1), everywhere(regions), None))
    scene = load_scene(scene_dir)
    (frame,) = (frame for frame in scene.test if frame.name == "left/a")
    return best_votes(open_lessons(folder), class_ids_of(scene))(frame)


def test_the_best_vote_of_a_region_is_its_most_frequent_true_class(tmp_path: Path) -> None:
    truth = np.where(COLUMNS < 4, LAMP, np.where(COLUMNS < 7, VOID, RUG))  # 4, 3 and 9 columns
    assert (best(tmp_path / "one", truth, 0) == RUG).all()
    found = best(tmp_path / "two", truth, np.where(COLUMNS < 8, 0, 1))
    assert (found == everywhere(np.where(COLUMNS < 8, LAMP, RUG))).all()  # void has no vote


def test_outside_all_regions_the_best_vote_is_what_was_taught(tmp_path: Path) -> None:
    found = best(tmp_path, RUG, np.where(COLUMNS < 5, 3, -1))
    assert (found == everywhere(np.where(COLUMNS < 5, RUG, WALL))).all()
    assert (best(tmp_path / "none", RUG, -1) == WALL).all()


def test_classes_are_listed_with_their_share_of_the_held_out_pixels(tmp_path: Path) -> None:
    truths = {"left/a": everywhere(np.where(COLUMNS < 4, LAMP, WALL))}
    scene_dir = write_scene(tmp_path / "scene", truths)
    classes = scored(tmp_path, scene_dir, {"left/a": everywhere(WALL)})["classes"]
    assert classes["share"] == {"wall": 0.75, "lamp": 0.25}
    assert classes["iou"] == {"wall": 0.75, "lamp": 0.0}
    assert classes["best_vote_iou"] == {"wall": 0.75, "lamp": 0.0}  # one region for all
