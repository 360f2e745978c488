"""Gaussians chosen by text: what is chosen, what it covers alone, and what that scores."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from semsplat.arrays import read_arrays, write_arrays
from semsplat.data.annotations import Annotation, load_annotations
from semsplat.data.scene import Scene
from semsplat.errors import SemsplatError
from semsplat.evaluate.answers import relevancy as answer
from semsplat.evaluate.gaussians import silhouette
from semsplat.evaluate.protocols import select3d
from semsplat.evaluate.relevancy_maps import read_silhouettes
from semsplat.geometry.trained import Trained
from semsplat.io import read_json
from semsplat.train.lifting import Unit
from semsplat.train.model import FieldFacts, SemanticField
from tests.unit.evaluate.annotation_helpers import CUP, CUP_BOX, HANDLE, PLATE, write_scene
from tests.unit.evaluate.job_helpers import run_score
from tests.unit.evaluate.test_score_queries import PERFECT, predict
from tests.unit.train.lift_helpers import NEAR, two_gaussians, two_pixels

# scores by hand


def truth(rows: Any) -> Annotation:
    return Annotation(np.array(rows, bool), np.zeros((1, 4)))


@pytest.mark.parametrize(
    ("opacity", "iou"),
    [
        ([[0.51, 0.9, 0.5, 0.0]], 1.0),  # half covered is not covered
        ([[0.9, 0.0, 0.0, 0.0]], 1 / 2),
        ([[0.0, 0.9, 0.9, 0.9]], 1 / 4),  # which is just enough
        ([[0.0, 0.0, 0.9, 0.9]], 0.0),
        ([[0.0, 0.0, 0.0, 0.0]], 0.0),
    ],
)
def test_a_pair_by_hand(opacity, iou):
    found = select3d.score(np.array(opacity, np.float16), truth([[1, 1, 0, 0]]))
    assert found == {"select3d_miou": iou, "select3d_accuracy": float(iou >= 0.25)}


def test_less_than_a_quarter_is_not_found_and_nothing_is_nothing():
    found = select3d.score(np.ones((1, 5), np.float16), truth([[1, 0, 0, 0, 0]]))
    assert found == {"select3d_miou": 0.2, "select3d_accuracy": 0.0}
    assert select3d.score(None, truth([[1, 1]])) == dict.fromkeys(select3d.METRICS, 0.0)


# what is chosen and drawn


def field_of(held: Tensor) -> SemanticField:
    """Return two Gaussians that hold vectors of two numbers on some levels."""
    trained = Trained(dict(two_gaussians()), 0, "black", "cpu")
    facts = FieldFacts("lifted_mean", [], {"out": 2, "levels": held.shape[1] // 2})
    return SemanticField(trained, held, Unit(), facts)


def texts(queries: dict[str, list[float]]) -> Any:
    rows = {prompt: torch.tensor(vector) for prompt, vector in queries.items()}
    return SimpleNamespace(
        encode=lambda prompts: torch.stack([rows[p] for p in prompts]),
        canonical=torch.tensor([[0.6, 0.8]]),
    )


def test_what_is_chosen_is_drawn_alone_and_nothing_hides_it():
    field, seen = field_of(torch.zeros(2, 2)), two_pixels(0)
    for members, expected in (
        ([True, False], NEAR),
        ([False, True], [0.8, 0.8]),  # and not what the near one lets through
        ([True, True], [near + 0.8 * (1 - near) for near in NEAR]),
        ([False, False], [0.0, 0.0]),
    ):
        found = silhouette(field, torch.tensor(members), seen)
        assert found.shape == (1, 2)
        assert found[0].tolist() == pytest.approx(expected, abs=1e-4)


def test_a_gaussian_is_chosen_where_any_of_its_levels_is_like_the_prompt():
    """Both levels count, each Gaussian by its own vectors, and as like is not more like."""
    held = torch.tensor([[1.0, 0, 0, 1], [0.6, 0.8, 0, 0]])
    asked = texts({"x": [1.0, 0.0], "y": [0.0, 1.0], "canonical": [0.6, 0.8], "none": [-1.0, 0.0]})
    found = answer.choose(field_of(held), asked, ["y", "x", "canonical", "none"])
    assert {prompt: rows.tolist() for prompt, rows in found.items()} == {
        "y": [True, False],
        "x": [True, False],
        "canonical": [False, False],
        "none": [False, False],
    }
    assert answer.choose(field_of(held), asked, []) == {}


def test_the_threshold_is_lerfs_own_whatever_the_range(monkeypatch):
    said = torch.tensor([[0.5, 0.501], [0.49, 0.1]])
    monkeypatch.setattr("semsplat.evaluate.gaussians.relevancy_of", lambda *_: said)
    asked = texts({"a": [1, 0], "b": [0, 1]})
    found = answer.choose(field_of(torch.zeros(2, 2)), asked, ["a", "b"])
    assert [rows.tolist() for rows in found.values()] == [[False, True], [False, False]]


def test_every_view_has_the_silhouettes_of_its_own_prompts(tmp_path, monkeypatch):
    scene = write_scene(tmp_path / "scene")
    asked: list[Any] = []

    def choose(field, texts, prompts):
        asked.append(prompts)
        return {prompt: torch.tensor([float(i)]) for i, prompt in enumerate(sorted(prompts))}

    def draw(field, frame, members):
        return np.stack([np.full((12, 16), 0.1 * m.item(), np.float16) for m in members])

    monkeypatch.setattr(answer, "choose", choose)
    monkeypatch.setattr(answer, "silhouettes", draw)
    monkeypatch.setattr(answer, "sha256_file", lambda _: "")
    gaussians = object.__new__(SemanticField)
    monkeypatch.setattr("semsplat.train.model.open_field", lambda *_: gaussians)
    monkeypatch.setattr(answer, "open_features", lambda _: None)
    monkeypatch.setattr("semsplat.features.queries.Texts", lambda *_: None)
    monkeypatch.setattr(
        answer, "ask", lambda f, frame, t, prompts: {"prompts": np.array(prompts), "relevancy":
        np.zeros((len(prompts), 1, 12, 16), np.float16)},
    )  # fmt: skip
    opened = loaded(scene)
    told = SimpleNamespace(
        scene=opened, model_dir=tmp_path, features_dir=tmp_path, cache=tmp_path, device="cpu"
    )
    answer.predict(told, tmp_path / "out")
    (prompts,) = asked  # once for all views
    assert len(prompts) == len(set(prompts))
    for frame in opened.frames:
        own = list(load_annotations(frame)) if frame.annotations_path else []
        found = read_silhouettes(tmp_path / "out", frame) or {}
        assert list(found) == own
        for prompt, opacity in found.items():
            assert opacity[0, 0] == pytest.approx(0.1 * sorted(prompts).index(prompt), abs=1e-3)


def loaded(folder: Path) -> Scene:
    from semsplat.data.scene import load_scene

    return load_scene(folder)


# scores of files


def with_silhouettes(folder: Path, views: dict[str, dict[str, np.ndarray]]) -> Path:
    """Add silhouettes to the files of perfect relevancy."""
    predict(folder, PERFECT)
    for name, drawn in views.items():
        path = folder / "relevancy" / f"{name}.npz"
        arrays = read_arrays(path)
        maps = [drawn[prompt] for prompt in arrays["prompts"].tolist()]
        write_arrays(path, {**arrays, "silhouettes": np.stack(maps).astype(np.float16)})
    return folder


def box(found: tuple[int, int, int, int], opacity: float = 1.0) -> np.ndarray:
    x1, y1, x2, y2 = found
    drawn = np.zeros((12, 16))
    drawn[y1 : y2 + 1, x1 : x2 + 1] = opacity
    return drawn


def scored(tmp_path: Path, views: dict[str, dict[str, np.ndarray]]) -> Any:
    out = tmp_path / "results/evaluate/toys/shelf/lifted/3/scores.json"
    folder = with_silhouettes(tmp_path / "predictions", views)
    run_score(("relevancy",), write_scene(tmp_path / "scene"), folder, out)
    return read_json(out)


NOTHING = np.zeros((12, 16))


def test_pairs_are_scored_beside_those_of_relevancy(tmp_path):
    """In the first held-out view the cup alone is covered; the other has no silhouettes."""
    shown = {HANDLE: NOTHING, CUP: box(CUP_BOX, 0.6), PLATE: NOTHING}
    scores = scored(tmp_path, {"left/a": shown})
    assert scores["queries"]["left/a"][CUP]["select3d_miou"] == 1
    assert scores["queries"]["left/a"][CUP]["query_miou_frozen"] == 1
    n_pairs = sum(len(scores["queries"][name]) for name in ("left/a", "b"))
    assert scores["metrics"]["select3d_miou"] == pytest.approx(1 / n_pairs)
    assert scores["metrics"]["select3d_accuracy"] == pytest.approx(1 / n_pairs)
    assert scores["metrics"]["train_select3d_miou"] == 0
    assert scores["protocols"]["train_object_select3d_accuracy"] == "lerf_ovs/select3d@1"
    assert scores["counts"]["lerf_ovs/select3d@1"] == scores["counts"]["lerf_ovs/localisation@1"]


def test_predictions_without_any_silhouette_have_no_such_score(tmp_path):
    scores = scored(tmp_path, {})
    assert not [name for name in scores["metrics"] if "select3d" in name]
    assert "no silhouettes" in scores["absent"]["select3d_miou"]
    assert "no silhouettes" in scores["absent"]["train_part_select3d_accuracy"]
    assert "lerf_ovs/select3d@1" not in scores["counts"]


@pytest.mark.parametrize(
    ("drawn", "said"),
    [
        (np.full((12, 16), 1.5), "0..1"),
        (np.zeros((6, 8)), "8x6 pixels"),
    ],
)
def test_silhouettes_of_another_size_or_range_are_refused(tmp_path, drawn, said):
    views = {"b": {PLATE: drawn}}
    with pytest.raises(SemsplatError, match=said):
        scored(tmp_path, views)
