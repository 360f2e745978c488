"""Masks made elsewhere: the layout, its round trip, and which view is a prompt's reference."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semsplat.arrays import read_arrays, write_arrays
from semsplat.data.images import write_png
from semsplat.data.manifest import write_manifest
from semsplat.data.scene import Scene, load_scene
from semsplat.errors import SemsplatError
from semsplat.evaluate.external import masks
from semsplat.evaluate.external.exchange import export_predictions, import_predictions
from semsplat.evaluate.external.masks import shown, views
from semsplat.evaluate.write_masks import Prompts
from semsplat.io import read_json, write_json
from semsplat.paths import evaluate_dir, train_dir
from semsplat.train.methods import method
from tests.unit.data.scene_helpers import one_line_error
from tests.unit.evaluate.annotation_helpers import CUP, CUP_BOX, HANDLE, PLATE, Box
from tests.unit.evaluate.annotation_helpers import write_scene as write_annotated
from tests.unit.evaluate.external_helpers import JOB, OURS, PLACE, ROOT, RUN, write_card, write_ours
from tests.unit.evaluate.feature_helpers import HEIGHT, WIDTH
from tests.unit.evaluate.job_helpers import run_score

MASKS = JOB.model_copy(update={"answers": ["masks"]})
OUT = train_dir("toys", "shelf", "lerf", 3)
PREDICTIONS = evaluate_dir("toys", "shelf", "lerf", 3) / "predictions"
SHOWN = {"left/a": [CUP, HANDLE], "b": [PLATE], "t": [CUP, "spoon"]}
G = "clip_regions"


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """Left/a shows cup and handle, b the plate, and the training view t cup and spoon."""
    monkeypatch.chdir(tmp_path)
    return load_scene(write_annotated(PLACE))


def box(x1: int, y1: int, x2: int, y2: int) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[y1 : y2 + 1, x1 : x2 + 1] = True
    return mask


def put(view: str, prompt: str, mask: np.ndarray, grounder: str = G) -> None:
    path = RUN / "masks" / grounder / view / f"{prompt}.png"
    write_png(path, mask.astype(np.uint8) * 255)


def write_given(where: Box = CUP_BOX, grounder: str = G) -> None:
    write_card()
    for view, prompts in SHOWN.items():
        for prompt in prompts:
            put(view, prompt, box(*where), grounder)


def import_masks() -> None:
    import_predictions(MASKS, PLACE, ROOT, OUT, PREDICTIONS)


def scored(predictions: Path) -> Any:
    out = predictions.with_name("scores.json")
    run_score(("masks",), PLACE, predictions, out)
    return read_json(out)


def test_what_is_asked_is_what_our_own_predictions_are_asked(shelf: Scene) -> None:
    assert shown(shelf) == SHOWN == Prompts(shelf, *[None] * 4).shown  # type: ignore[arg-type]
    assert [frame.name for frame in views(shelf)] == list(SHOWN)


def test_masks_are_scored_under_their_grounders_name(shelf: Scene) -> None:
    write_given()
    import_masks()
    scores = scored(PREDICTIONS)
    # of three pairs in held-out views one is right: the cup
    assert scores["metrics"][f"{G}_mask_query_miou"] == pytest.approx(1 / 3)
    assert scores["metrics"][f"{G}_train_mask_query_miou"] == pytest.approx(1 / 2)
    assert scores["missing"] == []


def test_a_prompts_reference_is_the_first_view_that_shows_it(shelf: Scene) -> None:
    write_given()
    put("t", CUP, box(0, 0, 15, 11) & False)
    put("t", "spoon", box(0, 0, 15, 11) & False)
    put("left/a", CUP, box(0, 0, 15, 11) & False)
    put("left/a", HANDLE, box(0, 0, 15, 11) & False)
    put("t", CUP, box(*CUP_BOX))
    import_masks()
    assert read_json(PREDICTIONS / "grounding.json") == {
        G: {
            CUP: {"view": "left/a", "pixel": [8, 6]},  # nothing there: the middle
            HANDLE: {"missing": "empty in every view"},
            PLATE: {"view": "b", "pixel": [3, 3]},
            "spoon": {"missing": "empty in every view"},
        }
    }
    assert read_arrays(PREDICTIONS / "selections/t.npz")[f"{G}.prompts"].tolist() == [CUP]


def test_ours_given_away_and_imported_have_the_same_metrics(
    shelf: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(method("gags"), "ANSWERS", ("masks",))
    ours = write_ours(shelf)
    shutil.rmtree(ours)
    rng = np.random.default_rng(0)
    for view, prompts in SHOWN.items():
        found = prompts if view != "b" else []  # the plate was not grounded
        chosen = rng.uniform(size=(len(found), HEIGHT, WIDTH)) < 0.5
        arrays: dict[str, Any] = {f"{G}.prompts": np.array(found, dtype=str), f"{G}.masks": chosen}
        write_arrays(ours / "selections" / f"{view}.npz", arrays)
    at = {CUP: "left/a", HANDLE: "left/a", "spoon": "t"}
    places: dict[str, Any] = {p: {"view": view, "pixel": [1, 2]} for p, view in at.items()}
    write_json(ours / "grounding.json", {G: {**places, PLATE: {"missing": "no box"}}})
    write_manifest(ours, {})
    export_predictions(OURS, ROOT)
    import_masks()
    first, second = scored(ours), scored(PREDICTIONS)
    assert first["metrics"] == second["metrics"] and first["metrics"]
    assert first["queries"] == second["queries"]
    # what was not grounded left as empty masks, and is not grounded again
    assert first["missing"] == second["missing"] == [[G, "b", PLATE]]


def test_a_prompt_that_cannot_be_a_files_name_is_not_exported(
    shelf: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(masks, "shown", lambda _: {"b": ["a/b"]})
    arrays = {f"{G}.prompts": np.array([], str), f"{G}.masks": np.zeros((0, HEIGHT, WIDTH), bool)}
    write_arrays(Path("ours/selections/b.npz"), arrays)
    frame = next(frame for frame in shelf.frames if frame.name == "b")
    with one_line_error("prompt 'a/b' cannot be a file name"):
        masks.give(Path("ours"), frame, shelf, Path("out"))


WRONG: dict[str, tuple[Callable[[], Any], str]] = {
    "a prompt without a mask": (
        lambda: (RUN / f"masks/{G}/left/a/{HANDLE}.png").unlink(),
        f"masks/{G}/left/a: no mask of '{HANDLE}'",
    ),
    "a prompt that is not asked": (
        lambda: put("b", "plates", box(*CUP_BOX)),
        f"masks/{G}/b: the view is not asked for 'plates'; did you mean 'plate'?",
    ),
    "a view without masks": (
        lambda: shutil.rmtree(RUN / f"masks/{G}/b"),
        "masks: nothing for view 'b'",
    ),
    "an unknown grounder": (
        lambda: (RUN / f"masks/{G}").rename(RUN / "masks/clip_region"),
        "masks/clip_region: no grounder 'clip_region'; did you mean 'clip_regions'?",
    ),
    "another size": (
        lambda: put("b", PLATE, np.ones((3, 4), bool)),
        f"masks/{G}/b/{PLATE}.png: 4x3 pixels, expected 16x12",
    ),
    "masks of 0 and 1": (
        lambda: write_png(RUN / f"masks/{G}/b/{PLATE}.png", np.ones((HEIGHT, WIDTH), np.uint8)),
        "write the mask as 0 and 255",
    ),
    "a mask beside its folder": (
        lambda: shutil.copyfile(RUN / f"masks/{G}/b/{PLATE}.png", RUN / f"masks/{PLATE}.png"),
        f"masks/{PLATE}.png: masks is asked of no view ''",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named(case: str, shelf: Scene) -> None:
    write_given()
    spoil, expected = WRONG[case]
    spoil()
    with pytest.raises(SemsplatError) as caught:
        import_masks()
    assert expected in str(caught.value)
    assert not OUT.exists() and not PREDICTIONS.exists()


def test_a_view_needs_every_grounder(shelf: Scene) -> None:
    write_given()
    write_given(grounder="points")
    import_masks()
    assert list(read_json(PREDICTIONS / "grounding.json")) == [G, "points"]
    assert set(read_arrays(PREDICTIONS / "selections/b.npz")) == {
        f"{name}.{array}" for name in (G, "points") for array in ("prompts", "masks")
    }
    shutil.rmtree(RUN / "masks/points/b")
    with pytest.raises(SemsplatError, match=f"masks/points/b: no mask of '{PLATE}'"):
        import_masks()
