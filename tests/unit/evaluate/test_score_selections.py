"""Scores of selections: grounders, variants, and what is missing.

Pictures have 16 x 12 pixels: boundaries are one pixel wide.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as arrays_of

from semsplat.evaluate.__main__ import main
from semsplat.evaluate.answers.similarity import OF_MAPS, OF_MASKS, Grounded, grounder_metrics
from semsplat.evaluate.jobs import collect
from semsplat.evaluate.protocols import argmax, protocol_of
from semsplat.evaluate.selections import Selection
from semsplat.io import read_json, sha256_file
from tests.unit.evaluate.annotation_helpers import (
    CUP,
    CUP_BOX,
    HANDLE,
    HANDLE_BOX,
    HELD_OUT,
    PLATE,
    PLATE_BOX,
    Labels,
    write_scene,
)
from tests.unit.evaluate.job_helpers import run_score
from tests.unit.evaluate.selection_helpers import (
    GROUNDING,
    PERFECT,
    PROMPTS,
    SHOWN,
    G,
    Selections,
    drawn,
    predict,
    selection,
)


def scored(
    tmp_path: Path,
    views: Selections = PERFECT,
    grounding: Any = GROUNDING,
    held_out: Labels = SHOWN,
    **scene: Any,
) -> Any:
    scene_dir = write_scene(tmp_path / "scene", held_out=held_out, **scene)
    return rescored(tmp_path, scene_dir, {G: views}, grounding)


def rescored(
    tmp_path: Path, scene_dir: Path, by_grounder: dict[str, Selections], grounding: Any
) -> Any:
    out = tmp_path / "results/evaluate/toys/shelf/cgc/3/scores.json"
    run_score(
        ("similarity",), scene_dir, predict(tmp_path / "predictions", by_grounder, grounding), out
    )
    return read_json(out)


METRICS = tuple(metric for protocol in (*OF_MASKS, *OF_MAPS) for metric in protocol.METRICS)
ALL = {
    *(f"{G}_{metric}" for metric in METRICS),
    *(f"{G}_gaussians_{metric}" for metric in METRICS if metric != "argmax_miou"),
    *(f"{G}_beyond_mask_{m}" for m in ("miou", "mbiou")),
}


def test_a_perfect_selection_scores_one(tmp_path: Path) -> None:
    scores = scored(tmp_path)
    assert scores["metrics"] == dict.fromkeys(ALL, 1)
    assert scores["missing"] == [] and scores["absent"] == {}
    assert scores["grounders"] == {G: {"pairs": 4, "beyond_pairs": 1, "missing": 0}}


def test_scores_name_the_run_and_the_protocol_of_every_metric(tmp_path: Path) -> None:
    scores = scored(tmp_path)
    assert [scores[key] for key in ("dataset", "scene", "setting", "seed")] == [
        *("toys", "shelf", "cgc"),
        3,
    ]
    assert scores["protocols"].keys() == scores["metrics"].keys()
    assert scores["protocols"]["points_mask_mbiou"] == "lerf_mask/pairs@1"
    assert scores["protocols"]["points_gaussians_class_miou"] == "lerf_mask/classes@1"
    assert protocol_of("clip_regions_argmax_miou") == "ovs3d/argmax@1"
    assert protocol_of("clip_regions_beyond_mask_miou") == "lerf_mask/pairs@1"
    assert scores["protocol"] == "lerf_mask/classes@1, lerf_mask/pairs@1, ovs3d/argmax@1"
    assert (scores["n_views"], scores["size_px"]) == (2, [16, 12])
    assert scores["predictions_sha256"] == sha256_file(tmp_path / "predictions/manifest.json")
    assert scores["truth_sha256"] == sha256_file(tmp_path / "scene/manifest.json")


def test_every_mean_worked_out_by_hand(tmp_path: Path) -> None:
    views = {
        "left/a": selection({CUP: (2, 2, 3, 5), HANDLE: HANDLE_BOX}),  # half of the cup
        "b": selection({PLATE: (9, 6, 14, 8), CUP: (0, 10, 1, 11)}),  # 3/4 of the plate, no cup
    }
    scores = scored(tmp_path, views)
    metrics, pairs = scores["metrics"], scores["queries"]
    assert pairs["left/a"][CUP]["points_mask_miou"] == 1 / 2
    # rings: 12 pixels of the cup; all 8 of a strip two wide, of which 2 + 2 + 2 are on the ring
    assert pairs["left/a"][CUP]["points_mask_mbiou"] == pytest.approx(6 / (12 + 8 - 6))
    assert pairs["b"][PLATE]["points_gaussians_mask_miou"] == 3 / 4
    assert metrics["points_mask_miou"] == pytest.approx((1 / 2 + 1 + 3 / 4 + 0) / 4)
    assert metrics["points_class_miou"] == pytest.approx(((1 / 2 + 0) / 2 + 1 + 3 / 4) / 3)
    assert metrics["points_beyond_mask_miou"] == 0  # the cup, asked in the other view
    assert metrics["points_argmax_miou"] == pytest.approx(((1 / 2 + 1) / 2 + (3 / 4 + 0) / 2) / 2)
    assert scores["views"]["b"]["points_argmax_miou"] == pytest.approx(3 / 8)
    assert scores["views"]["b"]["points_mask_miou"] == pytest.approx(3 / 8)
    assert scores["prompts"][CUP]["views"] == 2
    assert scores["prompts"][CUP]["points_mask_miou"] == pytest.approx(1 / 4)


def test_pixels_gaussians_and_classes_are_judged_apart(tmp_path: Path) -> None:
    nothing = {prompt: np.zeros((12, 16), bool) for prompt in PERFECT["b"].masks}
    views = {**PERFECT, "b": replace(PERFECT["b"], gaussians=nothing)}
    metrics = scored(tmp_path / "gaussians", views)["metrics"]
    assert {metrics[f"points_{name}"] for name in METRICS} == {1}
    assert metrics["points_gaussians_mask_miou"] == 2 / 4
    views = {**PERFECT, "b": replace(PERFECT["b"], classes=np.full((12, 16), -1, np.int16))}
    metrics = scored(tmp_path / "classes", views)["metrics"]
    assert {name for name, value in metrics.items() if value < 1} == {"points_argmax_miou"}
    assert metrics["points_argmax_miou"] == 1 / 2


def test_a_missing_prompt_counts_as_zero_and_is_beyond_everywhere(tmp_path: Path) -> None:
    grounding = {G: {**GROUNDING[G], CUP: {"missing": "no region is like it"}}}
    prompts = [HANDLE, PLATE]
    views = {
        "left/a": selection({HANDLE: HANDLE_BOX}, prompts),
        "b": selection({PLATE: PLATE_BOX}, prompts),
    }
    scores = scored(tmp_path, views, grounding)
    assert scores["missing"] == [[G, "left/a", CUP], [G, "b", CUP]]
    assert scores["grounders"][G] == {"pairs": 4, "beyond_pairs": 2, "missing": 2}
    metrics = scores["metrics"]
    assert metrics["points_mask_miou"] == metrics["points_gaussians_mask_mbiou"] == 2 / 4
    assert metrics["points_class_miou"] == pytest.approx(2 / 3)
    assert metrics["points_argmax_miou"] == 1 / 2
    assert metrics["points_beyond_mask_miou"] == 0


def test_a_view_without_file_counts_as_zero(tmp_path: Path) -> None:
    scores = scored(tmp_path, {"left/a": PERFECT["left/a"]})
    assert scores["missing"] == [[G, "b", PLATE], [G, "b", CUP]]
    assert scores["metrics"]["points_mask_miou"] == scores["metrics"]["points_argmax_miou"] == 0.5
    assert scores["metrics"]["points_class_miou"] == pytest.approx((1 / 2 + 1 + 0) / 3)
    assert scores["views"]["b"]["points_argmax_miou"] == 0


def test_grounders_are_scored_side_by_side(tmp_path: Path) -> None:
    scene_dir = write_scene(tmp_path / "scene", held_out=SHOWN)
    empty = {name: selection({}, []) for name in PERFECT}
    unclear = {"clip_regions": {prompt: {"missing": "no region"} for prompt in PROMPTS}}
    both = {G: PERFECT, "clip_regions": empty}
    scores = rescored(tmp_path, scene_dir, both, {**GROUNDING, **unclear})
    metrics = scores["metrics"]
    assert {value for name, value in metrics.items() if name.startswith(G)} == {1}
    assert {value for name, value in metrics.items() if name.startswith("clip_regions")} == {0}
    assert len(metrics) == 2 * len(ALL)
    assert scores["grounders"]["clip_regions"]["missing"] == len(scores["missing"]) == 4
    assert scores["counts"]["ovs3d/argmax@1"] == {"pairs": 8, "missing": 4}
    assert len(scores["counts"]) == 3
    assert scores["queries"]["b"][CUP] == {
        f"{grounder}_{kind}{metric}": float(grounder == G)
        for grounder in both
        for kind in ("", "gaussians_")
        for metric in ("mask_miou", "mask_mbiou")
    }


def test_order_changes_nothing(tmp_path: Path) -> None:
    rows = np.array([2, 1, 0, -1], np.int16)
    turned = {
        name: Selection(
            dict(reversed(one.masks.items())),
            dict(reversed(one.gaussians.items())),
            PROMPTS[::-1],
            rows[one.classes],
        )
        for name, one in reversed(PERFECT.items())
    }
    scores, other = scored(tmp_path / "one"), scored(tmp_path / "two", turned)
    assert other == scores | {"predictions_sha256": other["predictions_sha256"]}
    frames = scored(tmp_path / "three", held_out=dict(reversed(SHOWN.items())))
    assert frames["metrics"] == scores["metrics"] and frames["queries"] == scores["queries"]


def test_prompts_that_nobody_labelled_and_training_views_change_nothing(tmp_path: Path) -> None:
    spoon = {"view": "t", "pixel": [0, 0]}
    grounding = {G: {**GROUNDING[G], "spoon": spoon}}
    views = {
        name: replace(
            one,
            masks={**one.masks, "spoon": drawn(CUP_BOX)},
            gaussians={**one.gaussians, "spoon": drawn(CUP_BOX)},
            scene_prompts=[*PROMPTS, "spoon"],
        )
        for name, one in PERFECT.items()
    }
    found = scored(tmp_path, {**views, "t": views["b"]}, grounding)
    assert found["metrics"] == dict.fromkeys(ALL, 1) and found["n_views"] == 2


# what cannot be computed


def test_without_annotations_there_are_reasons(tmp_path: Path) -> None:
    scores = scored(tmp_path, held_out={"left/a": None, "b": None}, trained={"t": None})
    assert scores["metrics"] == scores["views"] == scores["prompts"] == scores["queries"] == {}
    assert scores["absent"] == dict.fromkeys(ALL, "no held-out view is labelled")
    assert scores["grounders"][G] == {"pairs": 0, "beyond_pairs": 0, "missing": 0}


def test_a_scene_whose_pairs_are_all_in_reference_views(tmp_path: Path) -> None:
    scores = scored(tmp_path, held_out=HELD_OUT)
    reason = "no labelled held-out view shows a prompt that was asked in another view"
    assert scores["absent"] == dict.fromkeys(
        ("points_beyond_mask_miou", "points_beyond_mask_mbiou"), reason
    )


# properties

VIEWS = arrays_of(bool, (3, 3, 12, 16), elements=st.booleans())  # [views, prompts, H, W]


def judged(truth: np.ndarray, said: np.ndarray, kept: int) -> dict[str, float]:
    """Return the metrics of views [V, P, H, W] of which the first ``kept`` have predictions."""
    found = Grounded()
    for view, (actual, masks) in enumerate(zip(truth, said, strict=True)):
        shown = {PROMPTS[p]: mask for p, mask in enumerate(actual) if mask.any()}
        if shown:
            answers = {PROMPTS[p]: mask for p, mask in enumerate(masks) if view < kept}
            rows = np.array([*(PROMPTS.index(p) for p in shown), -1], np.int16)
            classes = rows[argmax.truth_map(shown)]
            prompts = PROMPTS if view < kept else []
            found.add(f"v{view}", Selection(answers, answers, prompts, classes), shown)
    return grounder_metrics(found, dict.fromkeys(PROMPTS, "v0"))


@given(VIEWS)
def test_the_truth_itself_scores_one(truth: np.ndarray) -> None:
    assert set(judged(truth, truth, kept=3).values()) <= {1}


@given(VIEWS, VIEWS)
def test_scores_are_shares(truth: np.ndarray, said: np.ndarray) -> None:
    assert all(0 <= value <= 1 for value in judged(truth, said, kept=3).values())


@given(VIEWS, st.integers(0, 2))
def test_every_missing_view_lowers_the_scores(truth: np.ndarray, kept: int) -> None:
    truth[..., 0, 0] = True  # all prompts in all views
    more, fewer = judged(truth, truth, kept + 1), judged(truth, truth, kept)
    for metric, value in fewer.items():
        lowered = kept > 0 or "beyond" not in metric  # all prompts were asked in the first view
        assert value < more[metric] if lowered else value == more[metric] == 0, metric


@given(VIEWS, VIEWS, st.permutations(range(3)))
def test_the_order_of_prompts_changes_nothing(
    truth: np.ndarray, said: np.ndarray, order: list[int]
) -> None:
    # without the class map, whose truth has an order where masks are equally large
    scores, permuted = judged(truth, said, 3), judged(truth[:, order], said[:, order], 3)
    for metric in scores.keys() - {"argmax_miou"}:
        assert permuted[metric] == pytest.approx(scores[metric]), metric


def test_the_command_writes_what_the_suite_collects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene_dir = write_scene(tmp_path / "scene", held_out=SHOWN)
    folder, out = predict(tmp_path / "p", {G: PERFECT}), tmp_path / "toys/shelf/cgc/0/scores.json"
    words = ["--scene", str(scene_dir), "--predictions", str(folder), "--out", str(out)]
    monkeypatch.setattr(
        sys, "argv", ["semsplat.evaluate", "score", "--answers", "similarity", *words]
    )
    main()
    collect([out], tmp_path / "metrics.json")
    assert read_json(tmp_path / "metrics.json")["toys"]["shelf"]["cgc"] == dict.fromkeys(ALL, 1)
