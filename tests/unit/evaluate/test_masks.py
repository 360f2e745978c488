"""A prompt's mask in one view and its masks in all others: asked, written to disk and scored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from semsplat.arrays import write_arrays
from semsplat.data.annotations import Annotation
from semsplat.data.scene import load_scene
from semsplat.data.scene_writer import SceneWriter
from semsplat.evaluate.grounders import askable_names, gives_masks
from semsplat.evaluate.protocols import query_masks
from semsplat.evaluate.selections import read_masks, read_references
from semsplat.features.queries import Texts
from semsplat.features.store import ViewFeatures, write_view
from semsplat.io import read_json
from semsplat.params.evaluate import SelectionsJob
from semsplat.train.methods import Reference, gaussian_grouping, goi
from semsplat.train.model import open_field
from tests.unit.data.scene_helpers import ORIGIN, K, one_line_error, random_image, viewmat_at
from tests.unit.evaluate.annotation_helpers import CUP, HANDLE, PLATE, labelled
from tests.unit.evaluate.annotation_helpers import write_scene as write_shelf
from tests.unit.evaluate.job_helpers import run_predict, run_score
from tests.unit.evaluate.model_helpers import write_identified, write_looked_up
from tests.unit.evaluate.selection_helpers import PERFECT, SHOWN, G, drawn, selection
from tests.unit.evaluate.selection_helpers import predict as write_clicked
from tests.unit.evaluate.test_predict_selections import LEFT, RIGHT, TEXTS, features_dir

__all__ = ["features_dir"]  # a fixture
ASKED = ["points", "clip_regions"]


@pytest.fixture
def scene_dir(tmp_path: Path) -> Path:
    """Both balls are annotated in "a" and in the training view "t", the blue one alone in "b"."""
    with SceneWriter(tmp_path / "data/toys/shelf", **ORIGIN) as writer:
        for name, x, split in (("t", 0.0, "train"), ("b", 0.3, "test"), ("a", 0.0, "test")):
            place = "b" if name == "b" else "a"
            boxes = {"blue ball": RIGHT[place]} | ({} if name == "b" else {"red ball": LEFT["a"]})
            found = [labelled(prompt, box) for prompt, box in boxes.items()]
            image, pose = random_image(), viewmat_at(x)
            writer.add_frame(name, image, pose, K, split, annotations=found)  # type: ignore[arg-type]
    return tmp_path / "data/toys/shelf"


def predict(
    scene_dir: Path, features_dir: Path, root: Path, grounders: list[str] | None = None
) -> Path:
    model = write_identified(root / "model")
    out = root / "results/evaluate/toys/shelf/grouping/0/predictions"
    run = SelectionsJob(clicks={}, grounders=grounders or ASKED, grounding_dino=None, sam=None)
    run_predict(("masks",), scene_dir, model, out, features_dir, root / "cache", run)
    return out


def test_only_grounders_with_masks_are_asked(scene_dir, features_dir, tmp_path):
    assert [name for name in askable_names() if gives_masks(name)] == [
        "clip_regions", "grounding_dino",
    ]  # fmt: skip
    out = predict(scene_dir, features_dir, tmp_path)
    assert list(read_json(out / "grounding.json")) == ["clip_regions"]
    with one_line_error("no grounder gives any", "clip_regions"):
        predict(scene_dir, features_dir, tmp_path / "again", ["points"])


def test_the_first_held_out_view_that_shows_a_prompt_is_its_reference(
    scene_dir, features_dir, tmp_path
):
    out, scene = predict(scene_dir, features_dir, tmp_path), load_scene(scene_dir)
    first = next(iter(scene.test)).name
    found = read_references(out, scene)["clip_regions"]
    assert first == "b" and found == {"blue ball": "b", "red ball": "a"}


def test_without_a_held_out_view_a_training_view_is_the_reference(features_dir, tmp_path):
    with SceneWriter(tmp_path / "data/toys/shelf", **ORIGIN) as writer:
        found = [labelled("red ball", LEFT["a"])]
        writer.add_frame("a", random_image(), viewmat_at(0.0), K, "train", annotations=found)
        writer.add_frame("t", random_image(), viewmat_at(0.3), K, "train")
    scene_dir = tmp_path / "data/toys/shelf"
    out = predict(scene_dir, features_dir, tmp_path)
    run_score(("masks",), scene_dir, out, out.with_name("scores.json"))
    scores = read_json(out.with_name("scores.json"))
    assert read_references(out, load_scene(scene_dir))["clip_regions"] == {"red ball": "a"}
    assert scores["metrics"]["clip_regions_train_mask_localisation"] == 1
    assert scores["absent"]["clip_regions_mask_localisation"] == "no held-out view is annotated"
    assert scores["absent"]["clip_regions_mask_miou"] == (
        "no labelled held-out view shows anything"
    )


def test_a_mask_selects_its_ball_in_every_view_that_shows_it(scene_dir, features_dir, tmp_path):
    out, scene = predict(scene_dir, features_dir, tmp_path), load_scene(scene_dir)
    references = read_references(out, scene)
    shown = {"t": ["blue ball", "red ball"], "b": ["blue ball"], "a": ["blue ball", "red ball"]}
    for frame in scene.frames:
        masks = read_masks(out, frame, references)["clip_regions"]
        assert list(masks) == shown[frame.name]
        x1, y1, x2, y2 = RIGHT["b" if frame.name == "b" else "a"]
        assert masks["blue ball"][y1 : y2 + 1, x1 : x2 + 1].all()
        assert not masks["blue ball"][:, :7].any()  # nothing of the other ball


def test_scores_follow_from_the_files(scene_dir, features_dir, tmp_path):
    out = predict(scene_dir, features_dir, tmp_path)
    run_score(("masks",), scene_dir, out, out.with_name("scores.json"))
    scores = read_json(out.with_name("scores.json"))
    assert scores["metrics"]["clip_regions_mask_localisation"] == 1
    assert scores["metrics"]["clip_regions_train_mask_localisation"] == 1
    assert scores["grounders"]["clip_regions"] == {"pairs": 3, "missing": 0, "beyond_pairs": 1}
    assert scores["counts"] == {
        "lerf_mask/pairs@1": {"pairs": 3, "missing": 0},
        "lerf_mask/classes@1": {"pairs": 3, "missing": 0},
        "lerf_ovs/masks@1": {"pairs": 3, "missing": 0, "train_pairs": 2, "train_missing": 0},
    }
    assert scores["protocols"]["clip_regions_mask_miou"] == "lerf_mask/pairs@1"
    assert scores["protocols"]["clip_regions_train_mask_query_miou"] == "lerf_ovs/masks@1"
    assert not any(name.startswith("points") for name in scores["metrics"])
    elsewhere = scores["queries"]["a"]["blue ball"]["clip_regions_mask_miou"]
    assert scores["metrics"]["clip_regions_beyond_mask_miou"] == elsewhere
    assert scores["metrics"]["clip_regions_mask_miou"] != elsewhere


def test_a_view_without_regions_grounds_nothing_and_counts_as_none(
    scene_dir, features_dir, tmp_path
):
    nothing = np.full((1, 12, 16), -1, np.int16)
    view = ViewFeatures(nothing, np.ones(2, np.float16), np.ones((2, 3), np.float16), None)
    write_view(features_dir / "views" / "b.npz", view)
    out = predict(scene_dir, features_dir, tmp_path)
    run_score(("masks",), scene_dir, out, out.with_name("scores.json"))
    scores = read_json(out.with_name("scores.json"))
    lost = [["clip_regions", view, "blue ball"] for view in ("b", "a", "t")]
    assert scores["missing"] == lost  # as an object and as annotated, and yet once
    assert scores["counts"]["lerf_ovs/masks@1"]["train_missing"] == 1
    assert scores["queries"]["a"]["blue ball"]["clip_regions_mask_query_miou"] == 0


# the reference, and what the method is given


def test_a_method_is_given_the_view_the_mask_and_the_text(
    scene_dir, features_dir, tmp_path, monkeypatch
):
    given: list[Reference] = []
    query = gaussian_grouping.query

    def noting(field: Any, reference: Reference) -> torch.Tensor:
        given.append(reference)
        return query(field, reference)

    monkeypatch.setattr(gaussian_grouping, "query", noting)
    predict(scene_dir, features_dir, tmp_path)
    assert [reference.frame.name for reference in given] == ["b", "a"]
    assert [reference.text.tolist() for reference in given] == [
        TEXTS["blue ball"],
        TEXTS["red ball"],
    ]
    blue, red = (reference.mask for reference in given)
    assert blue[1:, 8:].all() and not blue[:, :8].any()  # the region, not the truth
    assert red[1:, :8].all() and not red[:, 8:].any()


def test_objects_of_worlds_are_asked_beside_annotations(tmp_path, features_dir, monkeypatch):
    ids = np.zeros((12, 16), np.uint16)
    ids[:, :6] = 1
    objects = [{"id": 1, "class_name": "chair", "color": "red", "parts": []}]
    objects[0]["parts"] = [{"id": 1, "name": "leg"}, {"id": 2, "name": "seat"}]
    boxes = [labelled("chair", (0, 0, 5, 11)), labelled("chair leg", (0, 0, 7, 11))]
    maps: Any = {"instances": ids, "annotations": boxes}
    with SceneWriter(tmp_path / "data/toys/shelf", **ORIGIN) as writer:
        for name, split in (("a", "test"), ("t", "train")):
            writer.add_frame(name, random_image(), viewmat_at(0.0), K, split, **maps)
        writer.set_semantics({"classes": [{"id": 1, "name": "chair"}], "objects": objects})
    monkeypatch.setattr(Texts, "encode", lambda _, ps: torch.tensor([[1.0, 0, 0]] * len(ps)))
    scene_dir = tmp_path / "data/toys/shelf"
    out = predict(scene_dir, features_dir, tmp_path)
    run_score(("masks",), scene_dir, out, out.with_name("scores.json"))
    scores = read_json(out.with_name("scores.json"))
    asked = {view: set(of) for view, of in scores["queries"].items()}
    assert asked == {"a": {"red chair", "chair", "chair leg"}, "t": {"chair", "chair leg"}}
    assert scores["missing"] == []  # all of them are answered
    of_ball, metric = {"chair": 72, "chair leg": 96}, "mask_query_miou"
    found = {p: scores["queries"]["t"][p][f"clip_regions_{metric}"] for p in of_ball}
    for kind, prompt in (("object", "chair"), ("part", "chair leg")):
        assert scores["metrics"][f"clip_regions_train_{kind}_{metric}"] == found[prompt]
    assert found["chair"] / found["chair leg"] == pytest.approx(96 / 72)  # the ball lies in both
    of_object = scores["queries"]["a"]["red chair"]
    assert set(of_object) == {"clip_regions_mask_miou", "clip_regions_mask_mbiou"}


# archives


def test_masks_are_read_of_every_method_that_selects(tmp_path):
    scene = load_scene(write_shelf(tmp_path / "scene", held_out=SHOWN))
    folder = write_clicked(tmp_path / "predictions", {G: PERFECT})
    references = read_references(folder, scene)
    found = read_masks(folder, scene.test[0], references)
    assert found[G].keys() == PERFECT["left/a"].masks.keys()
    assert (found[G][CUP] == PERFECT["left/a"].masks[CUP]).all()
    (folder / "selections/left/a.npz").unlink()
    assert read_masks(folder, scene.test[0], references) == {G: {}}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"masks": np.zeros((2, 6, 8), bool)}, "points.masks: bool [2, 6, 8], but"),
        ({"prompts": np.array([CUP, CUP])}, "a prompt stands twice"),
        ({"prompts": np.array([CUP, "fork"])}, "'fork' is not in scene_prompts"),
        ({"more": np.zeros(1)}, "lacks 'points.classes'"),
    ],
)
def test_a_broken_archive_is_one_line(tmp_path, change, said):
    scene = load_scene(write_shelf(tmp_path / "scene", held_out=SHOWN))
    folder = write_clicked(tmp_path / "predictions", {G: PERFECT})
    masks = np.stack(list(PERFECT["left/a"].masks.values()))
    arrays = {"prompts": np.array([CUP, HANDLE]), "masks": masks} | change
    named = {f"{G}.{name}": array for name, array in arrays.items()}
    write_arrays(folder / "selections/left/a.npz", named)
    with one_line_error(said):
        read_masks(folder, scene.test[0], read_references(folder, scene))


def test_scores_of_hand_made_masks(tmp_path):
    scene_dir = write_shelf(tmp_path / "scene", held_out=SHOWN)
    half = {"left/a": selection({CUP: (2, 2, 3, 5), HANDLE: (0, 11, 15, 11)}), "b": PERFECT["b"]}
    out = write_clicked(tmp_path / "toys/shelf/masks/0/predictions", {G: half})
    run_score(("masks",), scene_dir, out, out.with_name("scores.json"))
    found = read_json(out.with_name("scores.json"))["queries"]
    assert found["left/a"][CUP]["points_mask_query_miou"] == pytest.approx(
        found["left/a"][CUP]["points_mask_miou"]
    )
    assert found["left/a"][HANDLE]["points_mask_localisation"] == 0
    assert found["b"][PLATE]["points_mask_query_miou"] == 1


# the protocol


def truth(*boxes: tuple[int, int, int, int]) -> Annotation:
    mask = np.logical_or.reduce([drawn(box) for box in boxes])
    return Annotation(mask, np.array(boxes, np.float64))


def test_the_mask_itself_is_compared():
    said = query_masks.score(drawn((2, 2, 5, 5)), truth((4, 2, 7, 5)))
    assert said["mask_query_miou"] == pytest.approx(8 / 24)


@pytest.mark.parametrize(
    ("box", "hit"),
    [((0, 0, 3, 3), 0.0), ((0, 0, 5, 5), 0.0), ((0, 0, 8, 8), 1.0), ((4, 4, 4, 4), 1.0)],
)
def test_the_centroid_hits_a_box_or_its_edge(box, hit):
    """Of boxes from (4, 4) to (7, 7): centroids at 1.5, 2.5, 4 and on the corner."""
    assert query_masks.score(drawn(box), truth((4, 4, 7, 7)))["mask_localisation"] == hit


def test_the_centroid_is_of_pixels_and_not_of_the_box_around_them():
    mask = drawn((0, 0, 3, 0)) | drawn((0, 0, 0, 9))  # an L: box (1.5, 4.5), centroid (0.5, 3.5)
    assert query_masks.hit(mask, np.array([[0, 3, 1, 4.0]])) == 1
    assert query_masks.hit(mask, np.array([[1, 4, 2, 5.0]])) == 0


def test_any_box_counts_and_corners_may_stand_in_either_order():
    boxes = np.array([[10, 10, 12, 11], [6, 6, 3, 3]], np.float64)
    assert query_masks.hit(drawn((4, 4, 5, 5)), boxes) == 1
    assert query_masks.hit(drawn((8, 8, 8, 8)), boxes) == 0
    # between two boxes of one name: the dispute
    assert query_masks.hit(drawn((0, 0, 1, 1)) | drawn((10, 0, 11, 1)),
                           np.array([[0, 0, 1, 1], [10, 0, 11, 1.0]])) == 0  # fmt: skip


def test_no_mask_and_an_empty_one_are_no_hit():
    none = {"mask_query_miou": 0.0, "mask_localisation": 0.0}
    assert query_masks.score(None, truth((4, 4, 7, 7))) == none
    assert query_masks.score(np.zeros((12, 16), bool), truth((4, 4, 7, 7))) == none


# GOI's plane


def asked_of_balls(folder: Path, scene_dir: Path, steps: int, scale: float = 0.5) -> Any:
    """Return the field, a view of it, the mask of the left ball, and the plane of its prompt."""
    asking = (scale, 0.25, 0.01, 0.9, float(steps))
    field = open_field(write_looked_up(folder, asking), "cpu")
    frame = load_scene(scene_dir).frames[0]
    mask = field.decoder(field.blend(frame)).argmax(dim=-1) == 1
    plane = goi.query(field, Reference(frame, mask, torch.tensor([0.0, 0.6, 0.8])))
    return field, frame, mask, plane


def test_the_plane_starts_as_the_text_and_the_bias(scene_dir, tmp_path):
    field, frame, _, plane = asked_of_balls(tmp_path / "model", scene_dir, 0)
    assert plane.tolist() == pytest.approx([0, 0.6, 0.8, 0.25])
    planes = torch.tensor([[0.0, 0.6, 0.8, 0.25], [-0.2, 0, 0, 0.4], [-0.21, -0.3, -0.3, 0.4]])
    found = goi.select(field, frame, planes)
    rows = field.decoder(field.blend(frame)).argmax(dim=-1)
    # of rows of length 1 over 0.5: 2 x 0.8 + 0.25 and so on; -0.2 x 2 + 0.4 = 0 is selected
    assert found[0].all() and found[1].all()
    assert not found[2].any() and (rows == 1).any() and found.shape == (3, 12, 16)


def test_the_mask_tunes_the_plane_until_it_selects_what_the_mask_shows(scene_dir, tmp_path):
    field, frame, mask, plane = asked_of_balls(tmp_path / "model", scene_dir, 8000, 0.3438)
    assert mask.any() and not mask.all()
    assert torch.equal(goi.select(field, frame, plane[None])[0], mask)


def test_the_rows_of_the_mask_are_counted_inside_and_others_outside(scene_dir, tmp_path):
    field, frame, _, plane = asked_of_balls(tmp_path / "model", scene_dir, 1)
    rows = field.decoder(field.blend(frame)).argmax(dim=-1)
    share = [(rows == row).float().mean().item() for row in range(3)]
    # rows are of length 1 over 0.5; o is 0.25 on the ball, 1.45 on the other one, 1.85 elsewhere
    start = np.array([0.0, 0.6, 0.8, 0.25])
    pull = np.array([-2 * share[1], 2 * share[2], 2 * share[0], 1 - 2 * share[1]])
    assert plane.numpy() == pytest.approx(start - 0.01 * pull, abs=1e-6)
