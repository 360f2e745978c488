"""What a trained field selects by clicks, written to disk and scored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from semsplat.arrays import write_arrays
from semsplat.data.images import read_rgb
from semsplat.data.manifest import write_manifest
from semsplat.data.scene import load_scene
from semsplat.data.scene_writer import SceneWriter
from semsplat.evaluate.grounders import askable_names, grounder_names
from semsplat.evaluate.grounding import interior
from semsplat.evaluate.named_objects import Truth
from semsplat.evaluate.selections import read_references, read_selections
from semsplat.features.queries import Texts
from semsplat.features.store import ViewFeatures, write_view
from semsplat.io import read_json
from semsplat.params.evaluate import Click, SelectionsJob
from tests.unit.data.scene_helpers import ORIGIN, K, one_line_error, random_image, viewmat_at
from tests.unit.evaluate.annotation_helpers import Box, labelled
from tests.unit.evaluate.job_helpers import run_predict, run_score
from tests.unit.evaluate.model_helpers import write_grouped

# The balls stand 4 px beside the centre of "a", 2 px further left in "b", out of sight in "away".
LEFT: dict[str, Box] = {"a": (3, 5, 4, 6), "b": (1, 5, 2, 6)}
RIGHT: dict[str, Box] = {"a": (11, 5, 12, 6), "b": (9, 5, 10, 6)}
VIEWS = {"a": 0.0, "b": 0.3, "away": 50.0}
TEXTS = {"red ball": [1.0, 0, 0], "blue ball": [0, 1.0, 0]}


@pytest.fixture
def scene_dir(tmp_path: Path) -> Path:
    with SceneWriter(tmp_path / "data/toys/shelf", **ORIGIN) as writer:
        for name, x in VIEWS.items():
            found = None
            if name in LEFT:
                boxes = {"red ball": LEFT[name], "blue ball": RIGHT[name]}
                found = [labelled(prompt, box) for prompt, box in boxes.items()]
            writer.add_frame(name, random_image(), viewmat_at(x), K, "test", annotations=found)
        writer.add_frame("t", random_image(), viewmat_at(0.0), K, "train")
    return tmp_path / "data/toys/shelf"


@pytest.fixture
def features_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Regions: the left half looks red and the right half blue; the ball in the middle is found."""
    import torch

    folder = tmp_path / "features"
    ids = np.zeros((1, 12, 16), np.int16)
    ids[:, :, 8:] = 1
    ids[:, 0] = -1
    vectors = np.array([[1, 0, 0], [0, 1, 0]], np.float16)
    for name in (*VIEWS, "t"):
        view = ViewFeatures(ids, np.ones(2, np.float16), vectors, None)
        write_view(folder / "views" / f"{name}.npz", view)
    write_arrays(folder / "text.npz", {"canonical": np.array([[0, 0, 1]], np.float32)})
    write_manifest(folder, {"layers": ["all"]})
    monkeypatch.setattr(Texts, "encode", lambda _, ps: torch.tensor([TEXTS[p] for p in ps]))
    return folder


def predict(
    scene_dir: Path,
    features_dir: Path,
    root: Path,
    run: SelectionsJob | None = None,
    **clicks: Click,
) -> Path:
    model = write_grouped(root / "model")
    out = root / "results/evaluate/toys/shelf/cgc/0/predictions"
    asked = ["points", "clip_regions"]
    usual = SelectionsJob(clicks=clicks, grounders=asked, grounding_dino=None, sam=None)
    run_predict(("similarity",), scene_dir, model, out, features_dir, root / "cache", run or usual)
    return out


def test_the_grounders_are_files():
    assert {"clicks", "clip_regions", "grounding_dino", "points"} <= set(grounder_names())
    assert askable_names() == [name for name in grounder_names() if name != "clicks"]


def test_those_that_are_asked_and_a_person_stand_in_the_files(scene_dir, features_dir, tmp_path):
    out = predict(scene_dir, features_dir, tmp_path)
    assert list(read_json(out / "grounding.json")) == ["clicks", "clip_regions", "points"]
    assert set(read_json(out / "manifest.json")) & {"grounding_dino", "sam"} == set()


def test_a_click_selects_its_ball_in_every_view(scene_dir, features_dir, tmp_path):
    out, scene = predict(scene_dir, features_dir, tmp_path), load_scene(scene_dir)
    references = read_references(out, scene)
    assert references["points"] == {"red ball": "a", "blue ball": "a"}
    for frame in scene.test[:2]:
        found = read_selections(out, frame, references)["points"]
        for prompt, boxes in (("red ball", LEFT), ("blue ball", RIGHT)):
            x1, y1, x2, y2 = boxes[frame.name]
            inside = found.masks[prompt][y1 : y2 + 1, x1 : x2 + 1]
            assert inside.all() and found.gaussians[prompt][y1, x1]
        assert not (found.masks["red ball"] & found.masks["blue ball"]).any()
        red, blue = (found.scene_prompts.index(p) for p in ("red ball", "blue ball"))
        x1, y1, _, _ = LEFT[frame.name]
        assert found.classes[y1, x1] == red and found.classes[y1, RIGHT[frame.name][0]] == blue
        assert found.classes[0, 0] == -1  # nothing is drawn there


def test_scores_follow_from_the_files(scene_dir, features_dir, tmp_path):
    out = predict(scene_dir, features_dir, tmp_path)
    run_score(("similarity",), scene_dir, out, out.with_name("scores.json"))
    scores = read_json(out.with_name("scores.json"))
    assert scores["grounders"]["points"] == {"pairs": 4, "beyond_pairs": 2, "missing": 0}
    assert scores["metrics"]["points_gaussians_mask_miou"] > 0.3
    assert not any(name.startswith("clicks") for name in scores["metrics"])


def test_texts_click_inside_the_most_relevant_region(scene_dir, features_dir, tmp_path):
    out = predict(scene_dir, features_dir, tmp_path)
    found = read_json(out / "grounding.json")["clip_regions"]
    # the middle of the halves shows no ball: said, counted, and no reason to stop
    assert "nothing is drawn there" in found["red ball"]["missing"]
    run_score(("similarity",), scene_dir, out, out.with_name("scores.json"))
    scores = read_json(out.with_name("scores.json"))
    assert scores["grounders"]["clip_regions"]["missing"] == 4
    assert scores["metrics"]["clip_regions_mask_miou"] == 0


def test_a_persons_clicks_are_asked_in_all_held_out_views(scene_dir, features_dir, tmp_path):
    clicks = {"mine": Click(view="t", pixel=[3, 5]), "other": Click(view="b", pixel=[9, 5])}
    out, scene = predict(scene_dir, features_dir, tmp_path, **clicks), load_scene(scene_dir)
    for frame in scene.test:
        found = read_selections(out, frame, read_references(out, scene))["clicks"]
        assert set(found.masks) == {"mine", "other"}
    first = read_selections(out, scene.test[0], read_references(out, scene))
    assert (first["clicks"].masks["mine"] == first["points"].masks["red ball"]).all()


@pytest.mark.parametrize(
    ("click", "words"),
    [
        (Click(view="a", pixel=[16, 3]), ("pixel (16, 3) of view 'a'", "outside")),
        (Click(view="a", pixel=[0, 0]), ("pixel (0, 0)", "nothing is drawn")),
        (Click(view="q", pixel=[1, 1]), ("no view 'q'",)),
    ],
)
def test_a_wrong_click_of_a_person_is_an_error(scene_dir, features_dir, tmp_path, click, words):
    with one_line_error(*words):
        predict(scene_dir, features_dir, tmp_path, mine=click)
    assert not (tmp_path / "results/evaluate/toys/shelf/cgc/0/predictions").exists()


def test_what_is_cut_out_stands_alone(scene_dir, features_dir, tmp_path):
    out = predict(scene_dir, features_dir, tmp_path)
    blue, red = (
        read_rgb(out / f"extracted/points/{number}.png", (16, 12)).astype(int)
        for number in range(2)  # in alphabetical order
    )
    assert (blue[:, :7] == 255).all()
    x1, y1, _, _ = LEFT["a"]
    assert red[y1, x1, 0] > red[y1, x1, 2] + 50  # the left ball is red
    assert (red[:, 9:] == 255).all()  # the right one is not there
    colours = read_rgb(out / "features/a.png", (16, 12))
    assert (colours[0, 0] == 255).all()
    assert (colours[y1, x1] != colours[y1, RIGHT["a"][0]]).any()


def test_a_scene_without_labels_can_be_clicked_and_not_scored(features_dir, tmp_path):
    with SceneWriter(tmp_path / "data/toys/shelf", **ORIGIN) as writer:
        writer.add_frame("a", random_image(), viewmat_at(0.0), K, "test")
        writer.add_frame("t", random_image(), viewmat_at(0.0), K, "train")
    scene_dir = tmp_path / "data/toys/shelf"
    out = predict(scene_dir, features_dir, tmp_path, mine=Click(view="a", pixel=[3, 5]))
    run_score(("similarity",), scene_dir, out, out.with_name("scores.json"))
    scores = read_json(out.with_name("scores.json"))
    assert scores["metrics"] == {}
    assert set(scores["absent"].values()) == {"no held-out view is labelled"}


def test_objects_of_worlds_are_called_by_colour_where_that_is_unique(tmp_path):
    ids = np.zeros((12, 16), np.uint16)
    ids[:, :5], ids[:, 5:10], ids[:4, 10:14], ids[0, 15] = 1, 2, 3, 4
    objects = [
        {"id": number, "class_name": name, "color": colour, "parts": []}
        for number, name, colour in (
            (1, "chair", "red"), (2, "chair", "red"), (3, "chair", "blue"), (4, "mug", "red"),
        )
    ]  # fmt: skip
    with SceneWriter(tmp_path / "data/toys/shelf", **ORIGIN) as writer:
        writer.add_frame("a", random_image(), viewmat_at(0.0), K, "test", instances=ids)
        writer.add_frame("t", random_image(), viewmat_at(0.0), K, "train")
        writer.set_semantics({"classes": [{"id": 1, "name": "chair"}], "objects": objects})
    scene = load_scene(tmp_path / "data/toys/shelf")
    truth, frame = Truth(scene), scene.test[0]
    assert truth.has(frame) and not truth.has(scene.train[0])
    found = truth.masks(frame)  # 16 pixels of a blue chair are too few
    assert found == {}
    ids[:, 10:15] = 3
    with SceneWriter(tmp_path / "data/toys/wide", **ORIGIN) as writer:
        writer.add_frame("a", random_image(), viewmat_at(0.0), K, "test", instances=ids)
        writer.add_frame("t", random_image(), viewmat_at(0.0), K, "train")
        writer.set_semantics({"classes": [{"id": 1, "name": "chair"}], "objects": objects})
    scene = load_scene(tmp_path / "data/toys/wide")
    assert list(Truth(scene).masks(scene.test[0])) == ["blue chair"]


def test_the_interior_is_farthest_from_the_border():
    mask = np.zeros((12, 16), bool)
    mask[1:4, 0:3] = True
    mask[4:11, 6:13] = True
    assert interior(mask) == (9, 7)
    corner = np.zeros((12, 16), bool)
    corner[0, 15] = True
    assert interior(corner) == (15, 0)
