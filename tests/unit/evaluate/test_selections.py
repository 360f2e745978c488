"""Selections on disk: what is read back, and files that are no prediction."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semsplat.arrays import write_arrays
from semsplat.data.scene import load_scene
from semsplat.evaluate.selections import read_references, read_selections
from tests.unit.data.scene_helpers import one_line_error
from tests.unit.evaluate.annotation_helpers import CUP, HANDLE, PLATE, write_scene
from tests.unit.evaluate.job_helpers import run_score
from tests.unit.evaluate.selection_helpers import (
    GROUNDING,
    PERFECT,
    PROMPTS,
    SHOWN,
    G,
    predict,
    selection,
    stored,
)


def test_every_grounder_is_read_back(tmp_path: Path) -> None:
    scene = load_scene(write_scene(tmp_path / "scene", held_out=SHOWN))
    empty = {name: selection({}, []) for name in PERFECT}
    grounding = {**GROUNDING, "text": {CUP: {"missing": "no region"}}}
    folder = predict(tmp_path / "predictions", {G: PERFECT, "text": empty}, grounding)
    references = read_references(folder, scene)
    assert references == {G: {CUP: "left/a", HANDLE: "left/a", PLATE: "b"}, "text": {}}
    found = read_selections(folder, scene.test[0], references)
    assert list(found) == [G, "text"] and found["text"].masks == {}
    assert found[G].scene_prompts == PROMPTS
    for prompt, mask in PERFECT["left/a"].masks.items():
        assert np.array_equal(found[G].masks[prompt], mask)
    assert np.array_equal(found[G].classes, PERFECT["left/a"].classes)


def test_a_view_without_file_selects_nothing(tmp_path: Path) -> None:
    scene = load_scene(write_scene(tmp_path / "scene", held_out=SHOWN))
    folder = predict(tmp_path / "predictions", {G: {"b": PERFECT["b"]}})
    found = read_selections(folder, scene.test[0], {G: {}})
    assert found[G].masks == found[G].gaussians == {} and found[G].scene_prompts == []
    assert found[G].classes.shape == (12, 16) and (found[G].classes == -1).all()


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "size": ({"masks": np.zeros((2, 6, 8), bool)}, "points.masks: bool [2, 6, 8], but"),
    "kind": ({"masks": np.zeros((2, 12, 16), np.float16)}, "points.masks: float16"),
    "count": ({"gaussians": np.zeros((1, 12, 16), bool)}, "points.gaussians: bool [1, 12, 16]"),
    "class size": ({"classes": np.zeros((6, 8), np.int16)}, "points.classes: int16 [6, 8]"),
    "class": ({"classes": np.full((12, 16), 3, np.int16)}, "rows of scene_prompts or -1"),
    "below": ({"classes": np.full((12, 16), -2, np.int16)}, "rows of scene_prompts or -1"),
    "twice": ({"prompts": np.array([CUP, CUP])}, "a prompt stands twice"),
    "scene twice": ({"scene_prompts": np.array([CUP, PLATE, CUP])}, "a prompt stands twice"),
    "elsewhere": ({"prompts": np.array([CUP, "fork"])}, "'fork' is not in scene_prompts"),
    "unasked": (
        {"scene_prompts": np.array([*PROMPTS, "fork"])},
        "grounding.json does not ground 'fork'",
    ),
    "lacking": ({"classes": None}, "lacks 'points.classes'"),
    "unknown": ({"../text.masks": np.zeros(1)}, "has unknown"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_file_that_is_no_prediction_is_one_line(tmp_path: Path, case: str) -> None:
    change, message = BAD[case]
    folder = predict(tmp_path / "predictions", {G: PERFECT})
    found = stored(PERFECT["b"]) | {f"{G}.{name}": array for name, array in change.items()}
    kept = {name: array for name, array in found.items() if array is not None}
    write_arrays(folder / "selections/b.npz", kept)
    out = tmp_path / "toys/shelf/cgc/0/scores.json"
    with one_line_error("selections/b.npz", message):
        run_score(("similarity",), write_scene(tmp_path / "scene", held_out=SHOWN), folder, out)
    assert not out.exists()


@pytest.mark.parametrize(
    ("grounding", "message"),
    [
        ({}, "names no grounder"),
        ([], "the file: needs a view"),
        ({G: {CUP: {"view": "left/a"}}}, "points.cup: needs a view and a pixel"),
        ({G: {CUP: {"view": "left/a", "pixel": [1]}}}, "points.cup: needs a view and a pixel"),
        ({G: {CUP: {"view": "z", "pixel": [1, 2]}}}, "the scene has no view 'z'"),
    ],
)
def test_a_grounding_that_is_none_is_one_line(tmp_path: Path, grounding: Any, message: str) -> None:
    folder = predict(tmp_path / "predictions", {G: PERFECT}, grounding)
    with one_line_error("grounding.json", message):
        read_references(folder, load_scene(write_scene(tmp_path / "scene")))


def test_predictions_without_grounding_are_one_line(tmp_path: Path) -> None:
    folder = predict(tmp_path / "predictions", {G: PERFECT})
    (folder / "grounding.json").unlink()
    with one_line_error("grounding.json", "no such file"):
        run_score(
            ("similarity",), write_scene(tmp_path / "scene"), folder, tmp_path / "a/b/c/0/s.json"
        )
