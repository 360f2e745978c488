"""Protocol ``features/labels@1``: numbers worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from semsplat.arrays import read_arrays
from semsplat.evaluate.confusion import confusion, label_metrics
from semsplat.evaluate.feature_scores import score_features
from semsplat.evaluate.jobs import collect
from semsplat.evaluate.pairs import compare
from semsplat.evaluate.protocols.feature_labels import MEASURES
from semsplat.features.store import ViewFeatures
from semsplat.io import read_json, sha256_file
from tests.unit.data.scene_helpers import one_line_error
from tests.unit.evaluate.feature_helpers import (
    HEIGHT,
    WIDTH,
    features_of,
    write_features,
    write_wall,
)

WALL = np.zeros((HEIGHT, WIDTH), int)  # one region everywhere
ALL_WALL = np.full((HEIGHT, WIDTH), 2)  # its truth
LEFT = np.arange(WIDTH) < WIDTH // 2
HALVES = np.where(LEFT, 0, 1) + WALL
IDS = np.array([2, 5])


def scored(tmp_path: Path, scene_dir: Path, views: list[ViewFeatures], **facts: Any) -> Any:
    """Score features of the views v0, v1 ..."""
    named = {f"v{index}": view for index, view in enumerate(views)}
    known = {"dataset": "toys", "scene": "shelf", "recipe": "regions", "seed": 1, **facts}
    features = write_features(tmp_path / "features", named, **known)
    out = tmp_path / "results/evaluate/toys/shelf/features/regions/scores.json"
    score_features(scene_dir, features, out)
    return read_json(out)


def maps(tmp_path: Path) -> dict[str, np.ndarray]:
    path = tmp_path / "results/evaluate/toys/shelf/features/regions/inconsistency.npz"
    assert read_json(path.with_name("scores.json"))["files"] == {path.name: sha256_file(path)}
    return read_arrays(path)


# labels against truth


def test_a_known_confusion_of_two_classes() -> None:
    # void is dropped; 2 is right 3 times, taken for 5 once, left without label once; 5 right once
    truth = np.array([[0, 2, 2, 2], [2, 2, 5, 0]], np.int32)
    labels = np.array([[5, 2, 2, 2], [5, 0, 5, 2]], np.int32)
    matrix = confusion(truth, labels, IDS)
    assert matrix.tolist() == [[0, 0, 0], [1, 3, 1], [0, 0, 1]]
    assert label_metrics(matrix) == pytest.approx(
        {"miou": (3 / 5 + 1 / 2) / 2, "accuracy": 4 / 6, "class_accuracy": (3 / 5 + 1) / 2}
    )


def test_a_class_that_is_only_predicted_counts_as_zero() -> None:
    truth, labels = np.full((1, 4), 2), np.array([[2, 2, 2, 5]])
    values = label_metrics(confusion(truth, labels, IDS))
    assert values == pytest.approx(
        {"miou": (3 / 4 + 0) / 2, "accuracy": 0.75, "class_accuracy": 0.75}
    )


def test_a_class_that_occurs_nowhere_does_not_count() -> None:
    truth = np.full((1, 4), 5)
    values = label_metrics(confusion(truth, truth, np.array([2, 5, 9])))
    assert values == {"miou": 1.0, "accuracy": 1.0, "class_accuracy": 1.0}


def test_void_alone_gives_no_number() -> None:
    assert label_metrics(confusion(np.zeros((2, 2), int), np.full((2, 2), 5), IDS)) == {}


LABEL_MAPS = arrays(np.int32, (3, 4), elements=st.sampled_from([0, 2, 5]))


@given(truth=LABEL_MAPS, labels=LABEL_MAPS)
def test_metrics_are_shares_and_right_only_where_labels_are(
    truth: np.ndarray, labels: np.ndarray
) -> None:
    matrix = confusion(truth, labels, IDS)
    assert matrix.sum() == np.count_nonzero(truth)
    values = label_metrics(matrix)
    assert all(0 <= value <= 1 for value in values.values())
    counted = truth > 0
    if counted.any():
        assert values["accuracy"] == pytest.approx((truth == labels)[counted].mean())
        assert values["miou"] <= values["class_accuracy"] + 1e-9
        assert (values["miou"] == 1) == bool((truth == labels)[counted].all())


# from view to view


def test_equal_labels_are_consistent(tmp_path: Path) -> None:
    view = features_of(WALL, [1])
    scores = scored(tmp_path, write_wall(tmp_path / "scene"), [view] * 3)
    assert scores["metrics"]["region_inconsistency"] == 0
    assert [row["views"] for row in scores["pairs"]] == [["v0", "v1"], ["v1", "v2"]]
    # cameras 0.2 m apart: 1 px, so one column leaves the image
    assert [row["region_compared_px"] for row in scores["pairs"]] == [HEIGHT * (WIDTH - 1)] * 2
    found = maps(tmp_path)
    assert found["names"].tolist() == [["v0", "v1"], ["v1", "v2"]]
    assert (found["region_1"] == np.where(np.arange(WIDTH) == 0, 0, 1)).all()
    assert found["region_1"].shape == (HEIGHT, WIDTH) and found["region_1"].dtype == np.uint8


def test_labels_flipped_in_one_view_differ_everywhere(tmp_path: Path) -> None:
    views = [features_of(WALL, [label]) for label in (1, 2, 1)]
    scores = scored(tmp_path, write_wall(tmp_path / "scene"), views)
    assert scores["metrics"]["region_inconsistency"] == 1
    assert set(np.unique(maps(tmp_path)["region_0"])) == {0, 2}


def test_half_of_the_pixels_is_half(tmp_path: Path) -> None:
    views = [features_of(HALVES, labels) for labels in ([1, 2], [1, 3])]
    scores = scored(tmp_path, write_wall(tmp_path / "scene", (0.0, 0.0)), views)
    assert scores["metrics"]["region_inconsistency"] == 0.5
    assert (maps(tmp_path)["region_0"] == np.where(LEFT, 1, 2)).all()


def test_labels_that_move_with_the_wall_are_consistent(tmp_path: Path) -> None:
    shifted = np.where(np.arange(WIDTH) < WIDTH // 2 - 1, 0, 1) + WALL  # 1 px to the left
    views = [features_of(ids, [1, 2]) for ids in (HALVES, shifted)]
    scene_dir = write_wall(tmp_path / "scene", (0.0, 0.2))
    assert scored(tmp_path, scene_dir, views)["metrics"]["region_inconsistency"] == 0
    still = scored(tmp_path, scene_dir, [views[0]] * 2)["metrics"]["region_inconsistency"]
    assert still == pytest.approx(1 / 15)  # the column at the border of the halves


def test_pixels_without_a_label_are_not_compared(tmp_path: Path) -> None:
    views = [features_of(np.where(LEFT, -1, WALL), [1]), features_of(WALL, [2])]
    scores = scored(tmp_path, write_wall(tmp_path / "scene", (0.0, 0.0)), views)
    assert scores["pairs"][0]["region_compared_px"] == HEIGHT * WIDTH // 2
    assert scores["metrics"]["region_inconsistency"] == 1
    assert scores["metrics"]["region_coverage"] == 0.75
    assert (maps(tmp_path)["region_0"] == np.where(LEFT, 0, 2)).all()


def test_pairs_are_pooled_by_their_pixels(tmp_path: Path) -> None:
    views = [features_of(WALL, [label]) for label in (1, 1, 2)]
    scene_dir = write_wall(tmp_path / "scene", (0.0, 0.0, 12 * 0.2))  # the second pair: 4 columns
    scores = scored(tmp_path, scene_dir, views)
    assert [row["region_inconsistency"] for row in scores["pairs"]] == [0, 1]
    assert scores["metrics"]["region_inconsistency"] == pytest.approx(4 / (16 + 4))


@given(first=LABEL_MAPS, second=LABEL_MAPS)
def test_comparing_is_symmetric_and_ignores_names(first: np.ndarray, second: np.ndarray) -> None:
    everywhere = np.arange(12), np.arange(12)
    found = compare(first, second, everywhere)
    assert (found == compare(second, first, everywhere)).all()
    renamed = [np.where(ids == 2, 7, ids) for ids in (first, second)]
    assert (found == compare(*renamed, everywhere)).all()
    assert ((found == 0) == ((first == 0) | (second == 0))).all()


# the file


def test_scores_name_everything_they_come_from(tmp_path: Path) -> None:
    dense = np.array([[1, 2]])
    truth = np.where(LEFT, 2, 5) + WALL
    scene_dir = write_wall(tmp_path / "scene", truth=truth)
    scores = scored(tmp_path, scene_dir, [features_of(HALVES, [1, 3], dense)] * 3)
    facts = ("protocol", "dataset", "scene", "recipe", "seed")
    facts += ("n_views", "n_truth_views", "n_pairs")
    assert [scores[key] for key in facts] == [
        "features/labels@1",
        "toys",
        "shelf",
        "regions",
        1,
        3,
        3,
        2,
    ]
    assert scores["truth_sha256"] == sha256_file(scene_dir / "manifest.json")
    assert scores["features_sha256"] == sha256_file(tmp_path / "features/manifest.json")
    assert scores["absent"] == {}
    metrics = scores["metrics"]
    assert metrics["region_miou"] == pytest.approx((1 + 0 + 0) / 3)
    assert metrics["region_accuracy"] == metrics["region_class_accuracy"] == 0.5
    assert metrics["dense_miou"] == metrics["dense_accuracy"] == metrics["dense_coverage"] == 1
    assert scores["views"]["v1"] == {
        "region_accuracy": 0.5,
        "region_coverage": 1.0,
        "dense_accuracy": 1.0,
        "dense_coverage": 1.0,
        "pseudo_accuracy": 1.0,
        "pseudo_coverage": 1.0,
    }


def test_views_share_one_confusion_matrix(tmp_path: Path) -> None:
    scene_dir = write_wall(tmp_path / "scene", (0.0, 0.0), truth=ALL_WALL)
    scores = scored(tmp_path, scene_dir, [features_of(WALL, [1]), features_of(WALL, [2])])
    assert scores["metrics"]["region_miou"] == pytest.approx((1 / 2 + 0) / 2)  # not (1 + 0) / 2


def test_a_view_without_regions_is_all_wrong_and_never_compared(tmp_path: Path) -> None:
    none = features_of(np.full((HEIGHT, WIDTH), -1), [])
    scene_dir = write_wall(tmp_path / "scene", truth=ALL_WALL)
    scores = scored(tmp_path, scene_dir, [features_of(WALL, [1]), none, features_of(WALL, [1])])
    assert scores["views"]["v1"] == {"region_accuracy": 0.0, "region_coverage": 0.0}
    assert scores["metrics"]["region_accuracy"] == pytest.approx(2 / 3)
    reason = "no labelled pixel of a training view shows in the next one"
    assert scores["absent"]["region_inconsistency"] == reason


def test_what_a_scene_or_recipe_lacks_is_absent_with_its_reason(tmp_path: Path) -> None:
    scores = scored(
        tmp_path, write_wall(tmp_path / "scene", depth=None), [features_of(WALL, [1])] * 3
    )
    assert scores["metrics"] == {"region_coverage": 1.0}
    no_truth, no_dense = "no training view has a label map", "the recipe makes no dense labels"
    no_pseudo = "the recipe makes no pseudo labels"
    assert scores["absent"] == {
        "region_miou": no_truth,
        "region_accuracy": no_truth,
        "region_class_accuracy": no_truth,
        "region_inconsistency": "no two consecutive training views have depth",
        **{f"dense_{measure}": no_dense for measure in MEASURES},
        **{f"pseudo_{measure}": no_pseudo for measure in MEASURES},
    }
    assert scores["pairs"] == [] and maps(tmp_path)["names"].shape == (0, 2)


def test_a_scene_without_classes_has_no_labels(tmp_path: Path) -> None:
    scores = scored(
        tmp_path, write_wall(tmp_path / "scene"), [features_of(WALL, [1])] * 3, class_ids=[]
    )
    assert scores["metrics"] == {}
    assert set(scores["absent"].values()) == {"the scene names no classes"}


def test_truth_of_void_alone_is_absent_with_its_reason(tmp_path: Path) -> None:
    scores = scored(
        tmp_path, write_wall(tmp_path / "scene", truth=WALL), [features_of(WALL, [1])] * 3
    )
    assert "void" in scores["absent"]["region_miou"]


def test_truth_that_names_an_unknown_class_is_one_line(tmp_path: Path) -> None:
    scene_dir = write_wall(tmp_path / "scene", truth=ALL_WALL)
    semantics = (scene_dir / "semantics.json").read_text()
    (scene_dir / "semantics.json").write_text(semantics.replace('"id": 2', '"id": 3'))
    with one_line_error("v0.png", "class 2", "semantics.json"):
        scored(tmp_path, scene_dir, [features_of(WALL, [1])] * 3)


def test_feature_scores_are_collected_beside_those_of_the_runs(tmp_path: Path) -> None:
    scored(tmp_path, write_wall(tmp_path / "scene"), [features_of(WALL, [1])] * 3)
    path = tmp_path / "results/evaluate/toys/shelf/features/regions/scores.json"
    collect([path], tmp_path / "metrics.json")
    metrics = {"region_coverage": 1.0, "region_inconsistency": 0.0}
    assert read_json(tmp_path / "metrics.json") == {
        "toys": {"shelf": {"features_regions": metrics}}
    }
