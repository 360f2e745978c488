"""Scores of open-vocabulary search: pairs, splits, granularities, and what is missing.

Pictures have 16 x 12 pixels: the scaled windows are one pixel wide, so that the metrics with them
can be worked out by hand.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semsplat.arrays import write_arrays
from semsplat.data.manifest import write_manifest
from semsplat.evaluate.__main__ import main
from semsplat.evaluate.answers.relevancy import PROTOCOLS as SCORED
from semsplat.evaluate.jobs import collect
from semsplat.evaluate.protocols import protocol_of, select3d
from semsplat.io import read_json, sha256_file
from tests.unit.data.scene_helpers import one_line_error
from tests.unit.evaluate.annotation_helpers import (
    CUP,
    CUP_BOX,
    HANDLE,
    HANDLE_BOX,
    HELD_OUT,
    PLATE,
    PLATE_BOX,
    Box,
    Labels,
    labelled,
    write_scene,
)
from tests.unit.evaluate.job_helpers import run_score

METRICS = tuple(metric for protocol in SCORED for metric in protocol.METRICS)


def peak(box: Box, at: tuple[int, int] | None = None) -> np.ndarray:
    """Return relevancy [1, 12, 16]: 0.8 in a box, 0.3 outside, and 0.9 at (x, y)."""
    found = np.full((1, 12, 16), 0.3, np.float16)
    x1, y1, x2, y2 = box
    found[:, y1 : y2 + 1, x1 : x2 + 1] = 0.8
    if at:
        found[:, at[1], at[0]] = 0.9
    return found


Predictions = dict[str, dict[str, np.ndarray]]


def predict(folder: Path, maps: Predictions) -> Path:
    for name, by_prompt in maps.items():
        arrays = {"prompts": np.array([*by_prompt]), "relevancy": np.stack([*by_prompt.values()])}
        write_arrays(folder / "relevancy" / f"{name}.npz", arrays)
    write_manifest(folder, {})
    return folder


PERFECT: Predictions = {
    "left/a": {HANDLE: peak(HANDLE_BOX), CUP: peak(CUP_BOX), PLATE: peak(PLATE_BOX)},
    "b": {PLATE: peak(PLATE_BOX)},
    "t": {CUP: peak(CUP_BOX), "spoon": peak(PLATE_BOX)},
}


def scored(tmp_path: Path, maps: Predictions = PERFECT, **scene: Any) -> Any:
    scene_dir = write_scene(tmp_path / "scene", **scene)
    out = tmp_path / "results/evaluate/toys/shelf/gags_full/3/scores.json"
    run_score(("relevancy",), scene_dir, predict(tmp_path / "predictions", maps), out)
    return read_json(out)


def test_a_perfect_answer_scores_one(tmp_path: Path) -> None:
    scores = scored(tmp_path)
    for name in ("localisation_scaled", "query_miou_frozen"):
        for prefix in ("", "train_", "object_", "part_", "train_object_"):
            assert scores["metrics"][f"{prefix}{name}"] == 1, prefix + name
    assert scores["missing"] == []
    assert all(0 <= value <= 1 for value in scores["metrics"].values())


def test_scores_name_the_run_and_the_protocol_of_every_metric(tmp_path: Path) -> None:
    scores = scored(tmp_path)
    assert [scores[key] for key in ("dataset", "scene", "setting", "seed")] == [
        *("toys", "shelf", "gags_full"),
        3,
    ]
    assert scores["protocols"].keys() == scores["metrics"].keys()
    assert scores["protocols"]["query_miou"] == "lerf_ovs/segmentation@1"
    assert scores["protocols"]["train_localisation"] == "lerf_ovs/localisation@1"
    assert protocol_of("train_part_query_miou_frozen") == "lerf_ovs/segmentation_frozen@1"
    assert scores["protocol"] == ", ".join(sorted(protocol.NAME for protocol in SCORED))
    assert (scores["n_views"], scores["size_px"]) == (2, [16, 12])
    predictions = tmp_path / "predictions/manifest.json"
    assert scores["predictions_sha256"] == sha256_file(predictions)
    assert scores["truth_sha256"] == sha256_file(tmp_path / "scene/manifest.json")


def test_a_mean_is_over_pairs_and_not_over_frames_or_prompts(tmp_path: Path) -> None:
    maps = {**PERFECT, "left/a": {CUP: peak((2, 2, 3, 5)), HANDLE: peak(PLATE_BOX)}}
    scores = scored(tmp_path, maps)
    # the cup: 8 of 16 pixels, its peak inside; the handle: nothing; the plate: perfect
    assert scores["queries"]["left/a"][CUP]["query_miou_frozen"] == 1 / 2
    assert scores["metrics"]["query_miou_frozen"] == pytest.approx((1 / 2 + 0 + 1) / 3)
    assert scores["metrics"]["localisation_scaled"] == pytest.approx(2 / 3)
    assert scores["metrics"]["object_query_miou_frozen"] == pytest.approx((1 / 2 + 1) / 2)
    assert scores["metrics"]["part_query_miou_frozen"] == 0
    assert scores["metrics"]["train_query_miou_frozen"] == 1
    assert scores["views"]["left/a"]["query_miou_frozen"] == pytest.approx(1 / 4)
    assert scores["views"]["b"]["localisation_scaled"] == 1


def test_localisation_and_segmentation_are_independent(tmp_path: Path) -> None:
    maps = {**PERFECT, "b": {PLATE: peak(PLATE_BOX, at=(0, 0))}}  # the peak in a corner
    values = scored(tmp_path, maps)["queries"]["b"][PLATE]
    assert values["localisation_scaled"] == 0
    assert values["query_miou_frozen"] == pytest.approx(24 / 25)


def test_a_pair_without_prediction_counts_as_zero_and_is_listed(tmp_path: Path) -> None:
    maps = {"left/a": {HANDLE: peak(HANDLE_BOX)}, "t": PERFECT["t"]}  # no cup, and no file of b
    scores = scored(tmp_path, maps)
    assert scores["missing"] == [["left/a", CUP], ["b", PLATE]]
    counts = {"pairs": 3, "missing": 2, "train_pairs": 2, "train_missing": 0}
    assert scores["counts"] == {protocol.NAME: counts for protocol in SCORED}
    assert scores["metrics"]["localisation_scaled"] == pytest.approx(1 / 3)
    assert scores["queries"]["b"][PLATE] == dict.fromkeys(METRICS, 0)
    assert scores["views"]["b"] == dict.fromkeys(METRICS, 0)


def test_frames_are_matched_by_name_and_prompts_by_text(tmp_path: Path) -> None:
    turned = {name: dict(reversed(maps.items())) for name, maps in reversed(PERFECT.items())}
    assert scored(tmp_path / "one") == scored(tmp_path / "two", turned) | {
        "predictions_sha256": read_json(
            tmp_path / "one/results/evaluate/toys/shelf/gags_full/3/scores.json"
        )["predictions_sha256"]
    }


def test_prompts_that_nobody_labelled_change_nothing(tmp_path: Path) -> None:
    maps = {name: {**found, "giraffe": peak(CUP_BOX)} for name, found in PERFECT.items()}
    scores, others = (
        scored(tmp_path / "one", {**maps, "bare": PERFECT["b"]}),
        scored(tmp_path / "o"),
    )
    for key in ("metrics", "views", "prompts", "queries", "missing"):
        assert scores[key] == others[key]


def test_a_prompt_has_the_mean_of_its_frames_in_either_split(tmp_path: Path) -> None:
    held_out: Labels = {**HELD_OUT, "c": [labelled(CUP, CUP_BOX)]}
    prompts = scored(tmp_path, held_out=held_out)["prompts"]  # the cup of c is missing
    assert prompts[CUP]["views"] == 2 and prompts[CUP]["train_views"] == 1
    assert prompts[CUP]["query_miou_frozen"] == 1 / 2
    assert prompts[CUP]["train_query_miou_frozen"] == 1
    # the spoon is in no held-out frame, the plate in no training frame
    assert {key for key in prompts["spoon"] if not key.startswith("train_")} == set()
    assert not any(key.startswith("train_") for key in prompts[PLATE])


def test_a_frame_that_shows_nothing_has_no_pair(tmp_path: Path) -> None:
    scores = scored(tmp_path, held_out={**HELD_OUT, "empty": []})
    assert scores["n_views"] == 2 and "empty" not in scores["views"]
    assert scores["metrics"] == scored(tmp_path / "other")["metrics"]


def test_without_annotations_there_are_reasons(tmp_path: Path) -> None:
    scores = scored(tmp_path, held_out={"left/a": None}, trained={"t": None})
    assert scores["metrics"] == scores["views"] == scores["prompts"] == {}
    assert scores["absent"]["localisation"] == "no held-out view is annotated"
    assert scores["absent"]["train_part_query_miou"] == "no training view is annotated"
    assert len(scores["absent"]) == 6 * (len(METRICS) + len(select3d.METRICS))


def test_annotated_training_views_are_scored_without_any_held_out_one(tmp_path: Path) -> None:
    scores = scored(tmp_path, held_out={"left/a": None, "b": []})
    assert scores["metrics"]["train_query_miou_frozen"] == 1
    assert scores["absent"]["query_miou"] == "no annotated held-out view shows anything"
    assert scores["absent"]["part_query_miou"] == "no annotated held-out view shows a part"
    assert scores["absent"]["train_part_query_miou"] == "no annotated training view shows a part"


def test_general_data_tell_no_parts(tmp_path: Path) -> None:
    scores = scored(tmp_path, parts=False)
    assert set(scores["metrics"]) == {*METRICS, *(f"train_{name}" for name in METRICS)}
    reason = "semantics.json does not tell parts from objects"
    assert scores["absent"]["part_query_miou"] == scores["absent"]["object_localisation"] == reason


def test_several_levels_are_one_answer(tmp_path: Path) -> None:
    maps = {
        name: {p: np.concatenate([m * 0.5, m]) for p, m in f.items()} for name, f in PERFECT.items()
    }
    assert scored(tmp_path / "one", maps)["metrics"] == scored(tmp_path / "two")["metrics"]


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "size": (
        {"relevancy": np.zeros((1, 1, 6, 8), np.float16)},
        "8x6 pixels, but the frame has 16x",
    ),
    "levels": ({"relevancy": np.zeros((1, 0, 12, 16), np.float16)}, "1 prompts, relevancy"),
    "axes": ({"relevancy": np.zeros((1, 12, 16), np.float16)}, "1 prompts, relevancy"),
    "count": ({"prompts": np.array([CUP, PLATE])}, "2 prompts, relevancy"),
    "twice": (
        {"prompts": np.array([CUP, CUP]), "relevancy": np.zeros((2, 1, 12, 16), np.float16)},
        "a prompt stands twice",
    ),
    "nan": ({"relevancy": np.full((1, 1, 12, 16), np.nan, np.float16)}, "must be in 0..1"),
    "logits": ({"relevancy": np.full((1, 1, 12, 16), 7, np.float16)}, "must be in 0..1"),
    "other archive": ({"prompts": None}, "needs 'prompts' and 'relevancy'"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_file_that_is_no_prediction_is_one_line(tmp_path: Path, case: str) -> None:
    change, message = BAD[case]
    arrays = {"prompts": np.array([PLATE]), "relevancy": np.stack([peak(PLATE_BOX)]), **change}
    folder = predict(tmp_path / "predictions", PERFECT)
    kept = {key: value for key, value in arrays.items() if value is not None}
    write_arrays(folder / "relevancy/b.npz", kept)
    out = tmp_path / "toys/shelf/gags/0/scores.json"
    with one_line_error("relevancy/b.npz", message):
        run_score(("relevancy",), write_scene(tmp_path / "scene"), folder, out)
    assert not out.exists()


def test_the_command_writes_what_the_suite_collects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene_dir, folder = write_scene(tmp_path / "scene"), predict(tmp_path / "p", PERFECT)
    out = tmp_path / "toys/shelf/gags/0/scores.json"
    words = ["--scene", str(scene_dir), "--predictions", str(folder), "--out", str(out)]
    monkeypatch.setattr(
        sys, "argv", ["semsplat.evaluate", "score", "--answers", "relevancy", *words]
    )
    main()
    collect([out], tmp_path / "metrics.json")
    metrics = read_json(tmp_path / "metrics.json")["toys"]["shelf"]["gags"]
    assert metrics["query_miou_frozen"] == metrics["train_object_localisation_scaled"] == 1
