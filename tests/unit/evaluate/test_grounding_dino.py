"""From texts to boxes to masks to pixels: with boxes that are known, and a tiny Grounding DINO."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml

from semsplat.data.scene import load_scene
from semsplat.data.scene_writer import SceneWriter
from semsplat.evaluate.grounders import grounding_dino
from semsplat.evaluate.grounders.grounding_dino import (
    Box,
    Cutter,
    Detector,
    asked_as,
    ground,
    inside,
)
from semsplat.evaluate.grounding import World
from semsplat.io import read_json, sha256_file
from semsplat.params.evaluate import GroundingDino, SelectionsJob
from semsplat.params.features import SamModel
from semsplat.params.hub import HubModel
from tests.unit.data.scene_helpers import ORIGIN, K, one_line_error, random_image, viewmat_at
from tests.unit.evaluate.annotation_helpers import labelled
from tests.unit.evaluate.test_predict_selections import features_dir, predict, scene_dir
from tests.unit.features.hub_helpers import write_grounding_dino

__all__ = ["features_dir", "scene_dir"]  # fixtures
SAMS = yaml.safe_load(Path("params.yaml").read_text())["features"]["sam_models"]
TINY_SAM = SamModel.model_validate(SAMS["tiny"])
WIDTH, HEIGHT = 16, 12


def options(model: HubModel, **changes: Any) -> GroundingDino:
    given = {"box_threshold": 0.3, "text_threshold": 0.45, "sam": "tiny"}
    sizes = {"short_side_px": 80, "long_side_px": 100}
    return GroundingDino(**{"model": model, **given, **sizes, **changes})


def told(dino: GroundingDino | None, sam: SamModel | None = TINY_SAM) -> SelectionsJob:
    asked = ["grounding_dino"]
    return SelectionsJob(clicks={}, grounders=asked, grounding_dino=dino, sam=sam)


def box(x1: float, y1: float, x2: float, y2: float, score: float = 0.5) -> Box:
    return Box(np.array([x1, y1, x2, y2], np.float32), score, "ball")


NOWHERE = HubModel(folder="nowhere", sha256=None, precision="float32")


@pytest.fixture
def world(tmp_path: Path) -> Any:
    """Two views that show a red ball, one of which shows a blue ball too."""
    with SceneWriter(tmp_path / "data/toys/balls", **ORIGIN) as writer:
        shown = {"a": ["Red ball"], "b": ["Red ball", "blue ball"]}
        for index, (name, prompts) in enumerate(shown.items()):
            found = [labelled(prompt, (1, 1, 4, 4)) for prompt in prompts]
            image = random_image(WIDTH, HEIGHT, seed=index)
            writer.add_frame(name, image, viewmat_at(index), K, "test", annotations=found)
        writer.add_frame("t", random_image(), viewmat_at(5.0), K, "train")
    scene = load_scene(tmp_path / "data/toys/balls")
    nothing: Any = None
    return World(scene, nothing, nothing, told(options(NOWHERE)), "cpu")


class FakeCutter:
    """Says that all of a box, to the pixel, is the object."""

    looks: list[np.ndarray]

    def __init__(self, *_: Any) -> None:
        self.looks = []

    def look(self, image: np.ndarray) -> None:
        self.looks.append(image)

    def mask(self, found: Box) -> np.ndarray:
        mask = np.zeros((HEIGHT, WIDTH), bool)
        x1, y1, x2, y2 = np.round(found.corners).astype(int)
        mask[y1:y2, x1:x2] = True
        return mask


def fake(monkeypatch: pytest.MonkeyPatch, **boxes: list[Box]) -> SimpleNamespace:
    """Let a detector say these boxes, by the first word of a prompt, and remember questions."""
    said = SimpleNamespace(prompts=[], images=[], cutter=FakeCutter())

    class Fake:
        def __init__(self, *_: Any) -> None:
            pass

        def boxes(self, image: np.ndarray, prompt: str) -> list[Box]:
            said.prompts.append(prompt)
            said.images.append(image)
            return boxes[prompt.split()[0].lower()]

    monkeypatch.setattr(grounding_dino, "Detector", Fake)
    monkeypatch.setattr(grounding_dino, "Cutter", lambda *_: said.cutter)
    return said


def test_the_best_box_is_cut_out_and_clicked_in_its_middle(world, monkeypatch, capsys):
    red = [box(0, 0, 3, 3, 0.4), box(4, 2, 11, 9, 0.8), box(12, 0, 15, 3, 0.8)]
    fake(monkeypatch, red=red, blue=[box(0, 3, 5, 8, 0.31)])
    places = ground(world)
    assert list(places) == ["Red ball", "blue ball"]
    assert places["Red ball"][:2] == ("a", (7, 5)) and places["blue ball"][:2] == ("b", (2, 5))
    assert not any(place.missing for place in places.values())
    said = capsys.readouterr().err.splitlines()
    assert said[0] == ("grounding_dino: 'Red ball' in view 'a': best of 3 boxes 0.80, words 'ball'")


def test_the_mask_is_that_of_all_boxes(world, monkeypatch):
    red = [box(0, 0, 3, 3, 0.4), box(4, 2, 11, 9, 0.8)]
    fake(monkeypatch, red=red, blue=[box(0.1, 0.1, 0.4, 0.4, 0.9), box(0, 3, 5, 8, 0.31)])
    places = ground(world)
    expected = np.zeros((HEIGHT, WIDTH), bool)
    expected[:3, :3] = expected[2:9, 4:11] = True
    assert np.array_equal(places["Red ball"].mask, expected)
    # SAM finds nothing in the best box: no click, but what is in the other
    assert places["blue ball"].missing and places["blue ball"].view == "b"
    assert places["blue ball"].mask.sum() == 25


def test_the_photograph_of_the_first_view_that_shows_it_is_asked(world, monkeypatch):
    said = fake(monkeypatch, red=[box(0, 0, 3, 3)], blue=[box(0, 0, 3, 3)])
    ground(world)
    assert said.prompts == ["Red ball", "blue ball"]
    for index, image in enumerate(said.images):
        assert np.array_equal(image, random_image(WIDTH, HEIGHT, seed=index))
    assert len(said.cutter.looks) == 2


def test_without_a_box_a_prompt_is_missing(world, monkeypatch):
    fake(monkeypatch, red=[], blue=[box(0, 0, 3, 3)])
    places = ground(world)
    assert places["Red ball"].missing == "no box in view 'a'"
    assert not places["blue ball"].missing


def test_a_box_that_is_partly_outside_is_clipped(world, monkeypatch):
    fake(monkeypatch, red=[box(-6, -4, 5, 5)], blue=[box(20, 0, 30, 5, 0.9), box(0, 0, 3, 3)])
    places = ground(world)
    assert places["Red ball"].pixel == (2, 2)
    assert places["blue ball"].pixel == (1, 1)  # the better box shows nothing of the picture


def test_an_empty_mask_is_missing(world, monkeypatch):
    fake(monkeypatch, red=[box(0.1, 0.1, 0.4, 0.4)], blue=[box(0, 0, 3, 3)])
    found = ground(world)["Red ball"]
    assert found.missing == "SAM finds nothing in the box in view 'a'" and found.mask is None


def test_boxes_end_with_the_picture():
    found = inside([box(-2, 3, 20, 13), box(3, 12, 5, 14), box(5, 5, 5, 9)], (HEIGHT, WIDTH))
    assert [one.corners.tolist() for one in found] == [[0, 3, 16, 12]]


@pytest.mark.parametrize("prompt", ["Red Ball", " red ball ", "red ball."])
def test_prompts_are_asked_in_lower_case_with_a_dot(prompt):
    assert asked_as(prompt) == "red ball."


def test_without_a_model_is_one_line(world):
    with one_line_error("no model", "evaluate.grounding_dino"):
        ground(World(world.scene, None, None, told(None, None), "cpu"))
    with one_line_error("nowhere: no such folder"):
        ground(world)


# the networks


@pytest.fixture(scope="module")
def dino(tmp_path_factory: pytest.TempPathFactory) -> HubModel:
    return write_grounding_dino(tmp_path_factory.mktemp("dino"))


def test_boxes_are_in_pixels_and_pass_the_threshold(dino, offline):
    image = random_image(48, 36)
    everything = Detector(options(dino, box_threshold=0.0), "cpu").boxes(image, "red ball")
    assert len(everything) == 8  # queries
    middle = sorted(one.score for one in everything)[4]
    some = Detector(options(dino, box_threshold=middle), "cpu").boxes(image, "red ball")
    assert len(some) == 3 and min(one.score for one in some) > middle
    corners = np.stack([one.corners for one in everything])
    assert corners.dtype == np.float32 and corners.shape == (8, 4)
    assert corners.max() > 2 and (corners[:, :2] <= corners[:, 2:]).all()


def test_words_above_their_threshold_name_a_box(dino):
    none, some = (
        Detector(options(dino, box_threshold=0.0, text_threshold=share), "cpu").boxes(
            random_image(48, 36), "red ball"
        )
        for share in (1.0, 0.1)
    )
    assert {one.words for one in none} == {""} and len(none) == len(some)  # none is dropped
    assert any("red" in one.words or "ball" in one.words for one in some)


@pytest.mark.parametrize(
    ("size", "asked", "shape"),
    [
        ((48, 36), (72, 200), (72, 96)),
        ((48, 36), (72, 80), (60, 80)),
        ((30, 60), (40, 90), (80, 40)),
    ],
)
def test_photographs_are_resized_as_they_say(dino, monkeypatch, size, asked, shape):
    detector = Detector(options(dino, short_side_px=asked[0], long_side_px=asked[1]), "cpu")
    shapes, texts = [], []
    forward = detector.model.forward

    def spy(**inputs: Any) -> Any:
        shapes.append(tuple(inputs["pixel_values"].shape[2:]))
        texts.append(detector.processor.decode(inputs["input_ids"][0]))
        return forward(**inputs)

    monkeypatch.setattr(detector.model, "forward", spy)
    detector.boxes(random_image(*size), "Red ball")
    assert shapes == [shape] and "red ball." in texts[0]


def test_sam_cuts_one_mask_out_of_a_box():
    cutter = Cutter(TINY_SAM, "cpu")
    image = np.full((36, 48, 3), 128, np.uint8)
    image[8:28, 10:34] = (200, 30, 30)
    cutter.look(image)
    mask = cutter.mask(box(10, 8, 34, 28))
    assert mask.shape == (36, 48) and mask.dtype == bool


def test_a_whole_prediction_with_networks_says_what_found_it(
    scene_dir, features_dir, tmp_path, dino, offline
):
    run = told(options(dino, box_threshold=0.0))
    out = predict(scene_dir, features_dir, tmp_path, run)
    grounding = read_json(out / "grounding.json")
    assert list(grounding) == ["clicks", "grounding_dino"]
    assert set(grounding["grounding_dino"]) == {"red ball", "blue ball"}
    for place in grounding["grounding_dino"].values():
        assert place.keys() == {"missing"} or place["view"] == "a"
    digest = sha256_file(Path(dino.folder) / "model.safetensors")
    assert read_json(out / "manifest.json")["grounding_dino"] == digest
