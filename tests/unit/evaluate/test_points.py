"""Labelled points: which Gaussian is there, what it is, and what that scores."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from semsplat.arrays import read_arrays, write_arrays
from semsplat.data.labelled_points import CLASS_LISTS, LabelledPoints, PointsWriter
from semsplat.data.manifest import write_manifest
from semsplat.data.scene import load_scene
from semsplat.evaluate.answers import followed
from semsplat.evaluate.cases import judge
from semsplat.evaluate.gaussians import best_of, classes_of
from semsplat.evaluate.points import GAUSSIANS, Said, Whereabouts, labels_at, read_said, write_said
from semsplat.evaluate.protocols import scannet_points
from semsplat.evaluate.protocols.image_mean import ClassMap
from semsplat.io import read_json
from semsplat.train.model import open_field
from tests.unit.data.scene_helpers import ORIGIN, K, one_line_error, random_image, viewmat_at
from tests.unit.evaluate.job_helpers import run_predict, run_score
from tests.unit.evaluate.model_helpers import CLASS_IDS, write_asked, write_model

IDS = np.array([1, 2, 4], np.int32)


def score(truth: list[int], said: list[int] | None) -> dict[str, float]:
    labels = None if said is None else np.array(said, np.int32)
    case = judge([scannet_points], "", "", labels, ClassMap(np.array(truth, np.int32), IDS))
    return scannet_points.aggregate([case])


# scores by hand


def test_means_are_over_the_classes_that_the_points_have() -> None:
    """Class 4 is said and never true: it costs class 1 a point, and is no third class."""
    found = score([1, 1, 1, 2, 0], [1, 1, 4, 1, 2])
    assert found["point_miou"] == pytest.approx((2 / 4 + 0) / 2)
    assert found["point_accuracy"] == pytest.approx((2 / 3 + 0) / 2)


def test_points_of_no_class_and_without_prediction() -> None:
    assert score([0, 0], [1, 2]) == {}
    assert score([1, 2], None) == {"point_miou": 0, "point_accuracy": 0}
    assert score([1, 2], [0, 2]) == {"point_miou": 0.5, "point_accuracy": 0.5}


def test_points_of_all_cases_are_in_one_matrix() -> None:
    truth = (ClassMap(np.array([1] * 3, np.int32), IDS), ClassMap(np.array([1], np.int32), IDS))
    said = np.array([1] * 3, np.int32), np.array([2], np.int32)
    cases = [judge([scannet_points], "", "", *both) for both in zip(said, truth, strict=True)]
    assert scannet_points.aggregate(cases)["point_miou"] == 3 / 4  # and not (1 + 0) / 2
    assert scannet_points.aggregate([]) == {}


# which Gaussian is at a point


def said_of(xs: list[float], opacities: list[float], ids: list[int]) -> Said:
    means = np.stack([np.array(xs), np.zeros(len(xs)), np.zeros(len(xs))], 1).astype(np.float32)
    return Said(means, np.array(opacities, np.float32), {"": np.array(ids, np.uint16)})


def at(*xs: float) -> np.ndarray:
    return np.stack([np.array(xs), np.zeros(len(xs)), np.zeros(len(xs))], 1)


def test_a_point_has_the_nearest_gaussian_that_is_not_transparent() -> None:
    said = said_of([0.0, 1.0, 3.0], [0.1, 0.0999, 0.9], [7, 8, 9])
    found = Whereabouts(said, 0.1).at(at(0.9, 2.9, -50.0, 1.0, 0.0))
    assert found.gaussians.tolist() == [0, 2, 0, 0, 0] and found.counts.all()
    assert labels_at(said.classes[""], found).tolist() == [7, 9, 7, 7, 7]


def test_where_all_are_transparent_there_is_none() -> None:
    said = said_of([0.0, 1.0], [0.05, 0.05], [7, 8])
    found = Whereabouts(said, 0.1).at(at(0.9))
    assert found.gaussians.tolist() == [-1] and found.counts.all()
    assert labels_at(said.classes[""], found).tolist() == [0]


def test_gaussians_on_the_points_are_asked_one_to_one() -> None:
    """As published: a point whose own is too transparent does not count, though one is near."""
    said = said_of([0.0, 1.0, 1.0], [0.9, 0.05, 0.1], [7, 8, 9])
    found = Whereabouts(said, 0.1).at(at(0.0, 1.0, 1.0))
    assert found.gaussians.tolist() == [0, 1, 2]
    assert found.counts.tolist() == [True, False, True]
    moved = Whereabouts(said, 0.1).at(at(0.0, 1.0, 1.001))
    assert moved.counts.all() and moved.gaussians.tolist() == [0, 2, 2]


# what Gaussians are


def test_a_gaussian_is_the_best_of_the_asked_classes(tmp_path: Path) -> None:
    field = open_field(write_model(tmp_path / "model"), "cpu")  # it says class 300, then 65535
    assert classes_of(field).tolist() == CLASS_IDS[1:]
    assert classes_of(field, [65535, 2, 4]).tolist() == [2, 65535]
    assert classes_of(field, [65535]).tolist() == [65535] * 2
    assert classes_of(field, [4, 5]).tolist() == [0, 0]


def test_of_prompts_the_most_relevant_is_meant_and_of_equals_none() -> None:
    said = torch.tensor([[0.5, 0.9, 0.1], [0.5, 0.2, 0.1], [0.5, 0.2, 0.3]])
    assert best_of(said, [4, 65535, 6]).tolist() == [0, 4, 6]
    assert best_of(said[:1], [4]).tolist() == [4, 4, 4]


def test_where_no_gaussian_is_left_nothing_is_said() -> None:
    nothing = Said(np.zeros((0, 3), np.float32), np.zeros(0, np.float32), {})
    found = Whereabouts(nothing, 0.1).at(np.ones((2, 3)))
    assert labels_at(np.zeros(0, np.uint16), found).tolist() == [0, 0] and found.counts.all()


def test_it_follows_from_other_answers_and_is_never_named() -> None:
    assert followed(("colours", "classes")) == ("colours", "classes", "points")
    assert followed(("relevancy", "masks")) == ("relevancy", "masks", "points")
    assert followed(("similarity",)) == ("similarity",)
    assert followed(("masks",)) == ("masks",)


def test_a_method_without_gaussians_is_not_asked() -> None:
    assert followed(("pictures", "classes")) == ("pictures", "classes")


# from disk to scores

NAMES = {2: "cup", 300: "plate", 65535: "shelf"}
DEPTH = 3.0
"""Of the balls' centres, at x = -0.6 and 0.6."""


def write_shelf(
    folder: Path, brought: LabelledPoints | None = None, lists: dict[str, list[int]] | None = None
) -> Path:
    """Write a held-out and a training view of the balls, both of them plates but for a void."""
    depth, labels = np.zeros((12, 16), np.float32), np.full((12, 16), 300, np.int32)
    depth[6, [3, 4, 12]], labels[6, 3] = DEPTH, 0
    with PointsWriter(folder, **ORIGIN) as writer:
        for name, split in (("a", "test"), ("b", "train"), ("c", "train")):
            maps: Any = {"depth": depth, "labels": labels if split == "test" else labels * 0 + 2}
            writer.add_frame(name, random_image(), viewmat_at(0), K, split, **maps)  # type: ignore[arg-type]
        entries = [{"id": key, "name": name} for key, name in NAMES.items()]
        further = {n: [e for e in entries if e["id"] in s] for n, s in (lists or {}).items()}
        writer.set_semantics({"classes": entries, CLASS_LISTS: further})
        if brought:
            writer.set_labelled_points(brought)
    return folder


def scored(tmp_path: Path, **scene: Any) -> Any:
    """Return the scores of the balls, of which the left says 300 and the right 65535."""
    folder = write_shelf(tmp_path / "scene", **scene)
    model = write_model(tmp_path / "model")
    run_predict(("points",), folder, model, tmp_path / "predictions")
    out = tmp_path / "toys/shelf/clip_gs/0/scores.json"
    run_score(("points",), folder, tmp_path / "predictions", out)
    return read_json(out)


def test_points_of_views_are_scored_by_split(tmp_path: Path) -> None:
    scores = scored(tmp_path)
    assert scores["metrics"] == {
        "point_miou": 0.5,  # of two plates the right one is said to be a shelf
        "point_accuracy": 0.5,
        "train_point_miou": 0.0,
        "train_point_accuracy": 0.0,
    }
    assert scores["counts"]["scannet/points@1"] == {
        **{"brought": 0, "pairs": 1, "missing": 0, "points": 2},
        **{"train_pairs": 2, "train_missing": 0, "train_points": 6},
    }
    assert scores["protocol"] == "scannet/points@1" and scores["absent"] == {}


def test_points_that_the_scene_brings_are_asked_alone_and_by_its_lists(tmp_path: Path) -> None:
    xyz = np.array([[-0.5, 0, 0], [0.7, 0, 0], [0.8, 0, 0]])
    brought = LabelledPoints(xyz, np.array([2, 65535, 300], np.int32))
    scores = scored(tmp_path, brought=brought, lists={"nyu19": [2, 65535], "nyu10": [2]})
    assert scores["metrics"] == {
        "point_miou": pytest.approx(0.5 / 3),  # a cup called plate; a plate called shelf
        "point_accuracy": pytest.approx(1 / 3),
        "nyu19_point_miou": 1.0,  # the left ball is no plate now, and the plate is void
        "nyu19_point_accuracy": 1.0,
        "nyu10_point_miou": 1.0,
        "nyu10_point_accuracy": 1.0,
    }
    assert scores["counts"]["scannet/points@1"] == {
        **{"brought": 1, "pairs": 1, "missing": 0, "points": 3}
    }


def test_held_fast_on_the_points_a_transparent_gaussian_takes_its_point_away(
    tmp_path: Path,
) -> None:
    xyz = np.array([[-0.6, 0, 0], [0.6, 0, 0]])
    folder = write_shelf(tmp_path / "scene", LabelledPoints(xyz, np.array([300, 2], np.int32)))
    ids = {"": np.array([300, 300], np.uint16)}
    out = tmp_path / "toys/shelf/held/0/scores.json"
    for opacity, expected in ((0.09, 1.0), (0.1, 0.25)):
        said = Said(xyz.astype(np.float32), np.array([0.9, opacity], np.float32), ids)
        write_said(tmp_path / "predictions", said)
        write_manifest(tmp_path / "predictions", {})
        run_score(("points",), folder, tmp_path / "predictions", out)
        assert read_json(out)["metrics"]["point_miou"] == expected


def test_the_file_says_where_gaussians_are_and_how_opaque(tmp_path: Path) -> None:
    scored(tmp_path)
    arrays = read_arrays(tmp_path / "predictions" / GAUSSIANS)
    assert arrays["means"][:, 0].tolist() == pytest.approx([-0.6, 0.6])
    assert arrays["opacities"].tolist() == pytest.approx([0.99] * 2)
    assert arrays["classes."].tolist() == CLASS_IDS[1:] and arrays["classes."].dtype == np.uint16


def test_without_a_prediction_every_point_is_wrong_and_missing(tmp_path: Path) -> None:
    folder, out = write_shelf(tmp_path / "scene"), tmp_path / "toys/shelf/none/0/scores.json"
    write_manifest((tmp_path / "predictions"), {})
    run_score(("points",), folder, tmp_path / "predictions", out)
    scores = read_json(out)
    assert set(scores["metrics"].values()) == {0.0}
    assert scores["counts"]["scannet/points@1"]["missing"] == 1


def test_a_scene_without_classes_or_depth_has_no_such_score(tmp_path: Path) -> None:
    model, out = write_model(tmp_path / "model"), tmp_path / "toys/shelf/none/0/scores.json"
    with PointsWriter(tmp_path / "scene", **ORIGIN) as writer:
        for name, split in (("a", "test"), ("b", "train")):
            writer.add_frame(name, random_image(), viewmat_at(0), K, split)  # type: ignore[arg-type]
    run_predict(("points",), tmp_path / "scene", model, tmp_path / "predictions")
    assert not (tmp_path / "predictions" / GAUSSIANS).exists()
    run_score(("points",), tmp_path / "scene", tmp_path / "predictions", out)
    scores = read_json(out)
    assert scores["metrics"] == {} and "no classes" in scores["absent"]["point_miou"]


def test_one_that_is_asked_by_text_is_asked_by_the_names_of_every_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relevancy 0.9 of plate on the left and of shelf on the right, then the next best."""
    rows = {"cup": [0.2, 0.3], "plate": [0.9, 0.3], "shelf": [0.1, 0.8]}
    asked: list[list[str]] = []

    def encode(names: list[str]) -> Any:
        asked.append(names)
        return names

    monkeypatch.setattr("semsplat.features.store.open_features", lambda _: None)
    texts = SimpleNamespace(encode=encode, canonical="phrases")
    monkeypatch.setattr("semsplat.features.queries.Texts", lambda *_: texts)
    monkeypatch.setattr(
        "semsplat.evaluate.gaussians.relevancy_of",
        lambda field, query, canonical: torch.tensor([rows[one] for one in query]),
    )
    folder = write_shelf(tmp_path / "scene", lists={"nyu19": [2, 65535]})
    model = write_asked(tmp_path / "model")
    run_predict(("points",), folder, model, tmp_path / "out", features_dir=tmp_path)
    said = read_said(tmp_path / "out", {"": NAMES})
    assert said is not None and asked == [["cup", "plate", "shelf"]]
    assert said.classes[""].tolist() == [300, 65535]
    assert said.classes["nyu19"].tolist() == [2, 65535]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"means": np.zeros((3, 3))}, "same Gaussians"),
        ({"classes.": np.zeros(1, np.uint16)}, "same Gaussians"),
        ({"classes.": np.array([2, 4], np.uint16)}, "class 4"),
        ({"classes.": None}, "no 'classes.'"),
        ({"means": None}, "needs 'means'"),
    ],
)
def test_files_that_do_not_fit_are_one_line(tmp_path: Path, change: Any, words: str) -> None:
    arrays = {"means": np.zeros((2, 3)), "opacities": np.zeros(2), "classes.": np.array([2, 0])}
    kept = {k: v for k, v in (arrays | change).items() if v is not None}
    write_arrays(tmp_path / GAUSSIANS, kept)
    with one_line_error(words, GAUSSIANS):
        read_said(tmp_path, {"": NAMES})


def test_prediction_reads_no_truth(tmp_path: Path) -> None:
    """Depth and labels may as well not be there; the list of classes is."""
    folder = write_shelf(tmp_path / "scene")
    scene = load_scene(folder)
    for frame in scene.frames:
        for path in (frame.depth_path, frame.labels_path):
            assert path is not None
            path.write_bytes(b"")
    run_predict(("points",), folder, write_model(tmp_path / "model"), tmp_path / "out")
    assert (tmp_path / "out" / GAUSSIANS).is_file()
