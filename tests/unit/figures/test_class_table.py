"""IoU per class: cells worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from semsplat.figures import classes
from semsplat.keys import TrainingKey
from tests.unit.figures.referee_helpers import edit, read_page, trainings, write_training

ROOM, DEN = "procedural/room", "procedural/den"
OUT = Path("classes.md")
LAMP, WALL = (
    f"{name}<br>{share} % of pixels<br>`class_maps/pooled@1`"
    for name, share in (("lamp", "75.0"), ("wall", "25.0"))
)


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[TrainingKey]:
    """Rows b and c on two scenes; the wall's IoU is 0.5 and, of the other seed, 0.6."""
    monkeypatch.chdir(tmp_path)
    found = trainings("clipgs_b", "clipgs_c", seeds=2)
    for training in found:
        write_training(training)
        values = {
            **{"share": {"wall": 0.25, "lamp": 0.75}},
            "iou": {"wall": 0.5 + 0.1 * training.seed, "lamp": 0.9},
            **{f"{who}_iou": {"wall": 0.5, "lamp": 0.4} for who in ("teacher", "best_vote")},
        }
        edit(training.scores_path, classes=values)
    return found


def test_classes_come_from_the_most_frequent_on_and_cells_are_means_over_seeds(
    shown: list[TrainingKey],
) -> None:
    classes.draw(shown, classes.Options(table="clipgs_details"), OUT)
    page, notes = read_page(OUT)
    title = f"IoU of every class: {ROOM}"
    assert list(page) == [f"IoU of every class: {DEN}", title]
    assert list(page[title]["(b) SAC"]) == [LAMP, WALL]
    assert page[title]["(b) SAC"] == {LAMP: "90.0 ± 0.0", WALL: "55.0 ± 7.1"}
    assert page[title]["teacher `clip`, 2-D"] == {LAMP: "40.0 ± 0.0", WALL: "50.0 ± 0.0"}
    assert page[title]["best vote of its regions, `clip`"][WALL] == "50.0 ± 0.0"
    assert any("IoU in percent over all pixels" in note for note in notes)


def test_a_scene_without_truth_says_so(shown: list[TrainingKey]) -> None:
    for training in (t for t in shown if t.place == ROOM):
        edit(training.scores_path, classes={})
    classes.draw(shown, classes.Options(table="clipgs_details"), OUT)
    page, notes = read_page(OUT)
    assert list(page) == [f"IoU of every class: {DEN}"]
    assert f"{ROOM}: no held-out view has a label map." in notes
