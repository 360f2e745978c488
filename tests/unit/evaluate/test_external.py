"""Predictions made elsewhere: the round trip, what is copied, and every kind of wrong input."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semsplat.arrays import read_arrays
from semsplat.data.images import read_ids, read_rgb, write_png
from semsplat.data.manifest import verify_manifest
from semsplat.data.scene import Scene
from semsplat.errors import SemsplatError
from semsplat.evaluate.answers import answer_names
from semsplat.evaluate.external import external_names
from semsplat.evaluate.external.exchange import export_predictions, import_predictions
from semsplat.evaluate.external.given import read_card
from semsplat.io import read_json, sha256_file
from semsplat.params.external import ExternalJob
from semsplat.paths import evaluate_dir, train_dir
from semsplat.train.methods import method
from tests.unit.data.scene_helpers import one_line_error, random_image
from tests.unit.evaluate.annotation_helpers import CUP, PLATE
from tests.unit.evaluate.external_helpers import (
    COMMIT,
    JOB,
    OURS,
    PLACE,
    PROMPTS,
    ROOT,
    RUN,
    class_map,
    maps_of,
    write_card,
    write_given,
    write_maps,
    write_ours,
    write_shelf,
)
from tests.unit.evaluate.feature_helpers import HEIGHT, WIDTH
from tests.unit.evaluate.job_helpers import run_score

OUT = train_dir("toys", "shelf", "lerf", 3)
PREDICTIONS = evaluate_dir("toys", "shelf", "lerf", 3) / "predictions"


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.chdir(tmp_path)
    return write_shelf()


def import_all(job: ExternalJob = JOB) -> None:
    import_predictions(job, PLACE, ROOT, OUT, PREDICTIONS)


def refused(*lines: str) -> None:
    """Expect an import to name these, a line each, and to write nothing."""
    with pytest.raises(SemsplatError) as caught:
        import_all()
    said = str(caught.value).splitlines()
    assert len(said) == len(lines), said
    for line, expected in zip(said, lines, strict=True):
        assert expected in line
    assert not OUT.exists() and not PREDICTIONS.exists()


def test_what_can_be_given_are_answers() -> None:
    assert set(external_names()) <= set(answer_names())


# there and back


def test_ours_given_away_and_imported_have_the_same_scores_to_the_last_digit(
    shelf: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(method("gags"), "ANSWERS", (*JOB.answers, "similarity"))
    ours = write_ours(shelf)
    assert export_predictions(OURS, ROOT) == RUN
    import_all()
    scores = {}
    for name, folder in (("gags", ours), ("lerf", PREDICTIONS)):
        out = evaluate_dir("toys", "shelf", name, 3) / "scores.json"
        run_score(tuple(JOB.answers), PLACE, folder, out)
        scores[name] = read_json(out)
    changed = {"setting", "predictions_sha256"}
    assert {k for k, v in scores["gags"].items() if scores["lerf"][k] != v} == changed
    metrics = scores["lerf"]["metrics"]
    assert {"miou", "train_miou", "inconsistency", "query_miou", "train_localisation", "psnr"} <= (
        metrics.keys()
    )
    assert not [name for name in metrics if name.startswith(("teacher_", "best_", "own_"))]


def test_an_exported_card_says_what_ours_was_made_with(shelf: Scene) -> None:
    write_ours(shelf)
    export_predictions(OURS, ROOT)
    card = read_card(ROOT)
    assert (card.commit, card.device, card.geometry) == (COMMIT, "Abacus 2000", "ours")
    assert card.told == ["a word"] and card.method == "gags, setting gags"
    export_predictions(OURS, ROOT)  # again: the same card
    write_card()
    with one_line_error("card.yaml: is the card of something else"):
        export_predictions(OURS, ROOT)


def test_only_what_was_trained_here_is_exported(shelf: Scene) -> None:
    write_given(shelf)
    import_all()
    with one_line_error("toys/shelf/lerf/3: is no training of ours"):
        export_predictions(OURS._replace(setting="lerf"), Path("again"))


def test_an_export_leaves_alone_what_somebody_put_there(shelf: Scene) -> None:
    write_ours(shelf)
    (RUN / "classes").mkdir(parents=True)
    (RUN / "classes/mine.png").write_text("mine")
    with one_line_error("which semsplat did not put there"):
        export_predictions(OURS, ROOT)
    assert (RUN / "classes/mine.png").read_text() == "mine"


# what an import writes


def test_an_import_writes_what_our_own_predictions_look_like(shelf: Scene) -> None:
    write_given(shelf)
    import_all()
    for number, frame in enumerate(shelf.frames):
        path = PREDICTIONS / "classes" / f"{frame.name}.png"
        assert (read_ids(path, (WIDTH, HEIGHT)) == class_map(number)).all()
    for number, frame in enumerate(shelf.test):
        image = read_rgb(PREDICTIONS / f"{frame.name}.png", (WIDTH, HEIGHT))
        assert (image == random_image(seed=number)).all()
    arrays = read_arrays(PREDICTIONS / "relevancy/t.npz")
    assert arrays["prompts"].tolist() == PROMPTS
    assert arrays["relevancy"].dtype == np.float16 and (arrays["relevancy"] == maps_of(1)).all()
    verify_manifest(PREDICTIONS)
    assert read_json(PREDICTIONS / "manifest.json")["device"] == "one RTX 4090"


def test_the_card_of_an_import_has_the_authors_and_the_digests_of_what_was_given(
    shelf: Scene,
) -> None:
    write_given(shelf)
    import_all()
    card = read_json(OUT / "run.json")
    author = card["config"]["external"]
    assert (author["method"], author["commit"], author["geometry"]) == ("LERF", COMMIT, "own")
    assert "spent" not in author
    assert card["numbers"]["train_s"] == 1200.0 and card["numbers"]["query_ms"] == 30.0
    assert card["inputs"]["card"] == sha256_file(ROOT / "card.yaml")
    given = read_json(OUT / "sources.json")
    assert given["classes/left/a.png"] == sha256_file(RUN / "classes/left/a.png")
    assert len(given) == 8 and card["outputs"] == {
        "sources.json": sha256_file(OUT / "sources.json")
    }
    assert read_json(PREDICTIONS / "manifest.json")["model"] == card["outputs"]["sources.json"]


def test_what_was_given_is_a_part_of_the_runs_key(shelf: Scene) -> None:
    write_given(shelf)
    keys = set()
    for number in (3, 4):
        write_png(RUN / "colours/b.png", random_image(seed=number))
        import_all()
        keys.add(read_json(OUT / "run.json")["run_key"])
    write_card(device="another")
    import_all()
    keys.add(read_json(OUT / "run.json")["run_key"])
    assert len(keys) == 3


@pytest.mark.parametrize(
    ("geometry", "expected"), [("own", ["the floor plan"]), ("ours", ["the floor plan", "points"])]
)
def test_privileges_are_the_authors_and_on_our_geometry_the_scenes_too(
    shelf: Scene, geometry: str, expected: list[str], by_hand: None
) -> None:
    write_given(shelf)
    write_card(geometry=geometry, told=["the floor plan"])
    manifest = read_json(PLACE / "manifest.json")
    from semsplat.io import write_sealed

    write_sealed(PLACE / "manifest.json", {**manifest, "privileges": ["points"]})
    import_all()
    assert read_json(OUT / "run.json")["privileges"] == expected


def test_of_a_method_with_one_answer_only_that_is_needed(shelf: Scene) -> None:
    write_given(shelf)
    for other in ("classes", "colours"):
        shutil.rmtree(RUN / other)
    import_all(JOB.model_copy(update={"answers": ["relevancy"]}))
    out = PREDICTIONS.with_name("scores.json")
    run_score(("relevancy",), PLACE, PREDICTIONS, out)
    assert read_json(out)["missing"] == []


# what is wrong


def save(name: str, array: Any, **options: Any) -> Callable[[], None]:
    def write() -> None:
        (RUN / "classes/b.npy").unlink(missing_ok=True)
        np.save(RUN / "classes" / name, array, **options)

    return write


def maps(**changes: Any) -> Callable[[], None]:
    return lambda: write_maps("t", **changes)


def nan() -> np.ndarray:
    values = maps_of(0).astype(np.float32)
    values[1, 0, 3, 4] = np.nan
    return values


def linked() -> None:
    (RUN / "colours/b.png").rename(ROOT.parent / "elsewhere.png")
    (RUN / "colours/b.png").symlink_to(ROOT.parent.resolve() / "elsewhere.png")


def linked_folder() -> None:
    (RUN / "colours").rename(ROOT.parent / "elsewhere")
    (RUN / "colours").symlink_to(ROOT.parent.resolve() / "elsewhere")


def linked_scene() -> None:
    (ROOT / "toys/shelf").rename(ROOT / "toys/other")
    (ROOT / "toys/shelf").symlink_to("other")


ONES = np.ones((HEIGHT, WIDTH), np.int64)
WRONG: dict[str, tuple[Callable[[], Any], tuple[str, ...]]] = {
    "a view is missing": (
        lambda: (RUN / "classes/left/a.png").unlink(),
        ("classes: nothing for view 'left/a'",),
    ),
    "annotations of a view are not answered": (
        lambda: (RUN / "relevancy/t.npz").unlink(),
        ("relevancy: nothing for view 't'",),
    ),
    "another size": (
        save("b.npy", ONES[1:]),
        ("classes/b.npy: shape [11, 16], expected [12, 16]",),
    ),
    "a picture of another size": (
        lambda: write_png(RUN / "colours/b.png", random_image(8, 6)),
        ("colours/b.png: 8x6 pixels, expected 16x12",),
    ),
    "class ids that are no integers": (
        save("b.npy", ONES * np.nan),
        ("classes/b.npy: float64; class ids are integers",),
    ),
    "negative ids": (save("b.npy", -ONES), ("classes/b.npy: ids outside 0..65535",)),
    "a class that the scene has not": (
        save("b.npy", ONES * 7),
        ("classes/b.npy: class 7 is not in semantics.json",),
    ),
    "an array of objects": (
        save("b.npy", np.array([{}]), allow_pickle=True),
        ("classes/b.npy: not a readable array",),
    ),
    "a text for a picture": (
        lambda: (RUN / "colours/b.png").write_text("no"),
        ("colours/b.png: not a readable image",),
    ),
    "NaN": (maps(relevancy=nan()), ("relevancy/t.npz: relevancy must be in 0..1 and not NaN",)),
    "above 1": (
        maps(relevancy=1.5 * np.ones_like(maps_of(0))),
        ("relevancy/t.npz: relevancy must be in 0..1",),
    ),
    "integers for relevancy": (
        maps(relevancy=np.ones(maps_of(0).shape, int)),
        ("relevancy/t.npz: relevancy is int64",),
    ),
    "no levels": (
        maps(relevancy=maps_of(0)[:, 0]),
        ("relevancy/t.npz: 2 prompts, relevancy [2, 12, 16]",),
    ),
    "maps of another size": (
        maps(relevancy=maps_of(0)[..., 1:]),
        ("relevancy/t.npz: 15x12 pixels, but the frame has 16x12",),
    ),
    "a prompt that is not asked": (
        maps(prompts=np.array([CUP, "plates"])),
        ("relevancy/t.npz: the view is not asked for 'plates'; did you mean 'plate'?",),
    ),
    "a prompt twice": (
        maps(prompts=np.array([CUP, CUP])),
        ("relevancy/t.npz: a prompt stands twice",),
    ),
    "a prompt without a map": (
        maps(prompts=np.array([CUP]), relevancy=maps_of(0)[:1]),
        (f"relevancy/t.npz: no map of '{PLATE}'",),
    ),
    "prompts that are no text": (
        maps(prompts=np.array([1, 2])),
        ("relevancy/t.npz: prompts are int64 [2]; need text",),
    ),
    "no prompts": (maps(prompts=None), ("relevancy/t.npz: has ['relevancy']; needs 'prompts'",)),
    "a view that the scene has not": (
        lambda: shutil.copyfile(RUN / "colours/b.png", RUN / "colours/bb.png"),
        ("colours/bb.png: colours is asked of no view 'bb'; did you mean 'b'?",),
    ),
    "a view that nobody asks": (
        lambda: write_maps("b"),
        ("relevancy/b.npz: relevancy is asked of no view 'b'",),
    ),
    "two files of a view": (
        save("left/a.npy", ONES * 2),
        # b.npy was there
        ("classes: nothing for view 'b'", "classes/left/a.npy: the view has a.png as well"),
    ),
    "another kind of file": (
        lambda: (RUN / "classes/notes.txt").write_text("mine"),
        ("classes/notes.txt: does not end in .png or .npy",),
    ),
    "an answer that the entry does not name": (
        lambda: shutil.copytree(RUN / "colours", RUN / "masks"),
        ("masks/b.png: 'masks' is not among its answers", "masks/left/a.png: 'masks' is not"),
    ),
    "a link": (linked, ("colours/b.png: is or follows a link", "nothing for view 'b'")),
    "a folder that is a link": (
        linked_folder,
        ("colours: is or follows a link", "nothing for view 'left/a'", "nothing for view 'b'"),
    ),
    "a scene that is a link": (linked_scene, ("given/toys/shelf/3: is or follows a link",)),
    "no folder": (lambda: shutil.rmtree(RUN), ("given/toys/shelf/3: no such folder",)),
    "no card": (
        lambda: (ROOT / "card.yaml").unlink(),
        ("given/card.yaml: no such file; write it as docs/external.md says",),
    ),
    "a card that is no YAML": (
        lambda: (ROOT / "card.yaml").write_text("{"),
        ("given/card.yaml: not valid YAML",),
    ),
    "a card of nothing": (
        lambda: (ROOT / "card.yaml").write_text("a word"),
        ("given/card.yaml: the file: input should be a valid dictionary",),
    ),
    "a short commit": (
        lambda: write_card(commit=COMMIT[:7]),
        ("card.yaml: commit: write all 40 hexadecimal digits",),
    ),
    "a commit that YAML reads as a number": (
        lambda: write_card(commit=1234567),
        ("card.yaml: commit: write all 40 hexadecimal digits, in quotes",),
    ),
    "nobody": (lambda: write_card(who=" "), ("card.yaml: who: ",)),
    "a geometry of nobody": (
        lambda: write_card(geometry="theirs"),
        ("card.yaml: geometry: input should be 'ours' or 'own'",),
    ),
    "unknown keys": (
        lambda: write_card(tolld=[]),
        ("card.yaml: tolld: unknown key; did you mean 'told'?",),
    ),
    "no time": (
        lambda: write_card(spent={"toys/shelf/3": {"train_s": 0}}),
        ("card.yaml: spent.toys/shelf/3.train_s: input should be greater than 0",),
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named(case: str, shelf: Scene) -> None:
    write_given(shelf)
    spoil, lines = WRONG[case]
    spoil()
    refused(*lines)


def test_everything_that_is_wrong_is_named_at_once(shelf: Scene) -> None:
    write_given(shelf)
    (RUN / "colours/b.png").unlink()
    write_maps("t", relevancy=nan())
    write_png(RUN / "classes/left/a.png", class_map(0)[1:])
    refused("nothing for view 'b'", "classes/left/a.png: 16x11 pixels", "t.npz: relevancy must be")


def test_hidden_files_are_passed_over(shelf: Scene) -> None:
    write_given(shelf)
    (RUN / ".DS_Store").write_text("")
    (RUN / "classes/.thumbs").mkdir()
    (RUN / "classes/.thumbs/b.png").write_text("")
    import_all()


def test_the_folder_of_all_may_be_a_link(shelf: Scene) -> None:
    write_given(shelf)
    ROOT.rename("disk")
    ROOT.symlink_to("disk")
    import_all()
