"""From a number back to its origins, and what happens when a link is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from semsplat.errors import SemsplatError
from semsplat.figures import claims, classes, costs, paper_table, scores
from semsplat.figures.referee.trace import Traced
from semsplat.io import read_json, sha256_file, write_json
from tests.unit.figures.referee_helpers import (
    COMMIT,
    edit,
    trainings,
    write_geometry,
    write_speed,
    write_training,
)

TABLE = Path("paper_figures/demo/clipgs_table3.md")
GEOMETRY_DIR = "geometry/procedural/room/0"
CELL = f"{TABLE}:c:miou@procedural/room"


@pytest.fixture(autouse=True)
def in_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project with all kinds of tables, and a ledger."""
    monkeypatch.chdir(tmp_path)
    shown = trainings("clipgs_b", "clipgs_c", seeds=1)
    for training in shown:
        write_training(training, miou=0.5, teacher_miou=0.25)
        edit(training.scores_path, classes={"share": {"a: lamp": 1}, "iou": {"a: lamp": 0.5}})
    write_speed(shown, fps=20.0)
    paper_table.draw(shown, paper_table.Options(table="clipgs_table3"), TABLE)
    claims.draw(shown, claims.Options(rules=2), TABLE.with_name("claims.md"))
    costs.draw(shown, costs.Options(), TABLE.with_name("costs.md"))
    options = paper_table.Options(table="clipgs_details")
    paper_table.draw(shown, options, TABLE.with_name("details.md"))
    classes.draw(shown, options, TABLE.with_name("classes.md"))
    geometries = [write_geometry("procedural/room", seed, psnr=20.0) for seed in (0, 1)]
    scores.draw(geometries, scores.Options(digits={"psnr": 2}), TABLE.with_name("scores.md"))


def test_a_cell_leads_to_scores_cards_features_scene_and_commit() -> None:
    traced = Traced(CELL)
    text = "\n".join(traced.lines)
    assert not traced.breaks
    for path in (
        TABLE,
        "results/evaluate/procedural/room/clipgs_c/0/scores.json",
        "results/evaluate/procedural/room/clipgs_c/0/predictions/manifest.json",
        "results/train/procedural/room/clipgs_c/0/run.json",
        "results/lessons/procedural/room/clip/0/run.json",
        "results/features/procedural/room/regions/all/run.json",
        "results/geometry/procedural/room/0/run.json",
        "data/procedural/room/manifest.json",
    ):
        assert f"{path}  sha256 {sha256_file(Path(path))}" in text
    assert text.count(f"commit {COMMIT}") == 4  # training, lessons, features, geometry
    assert "mean 50.0" in text and "clipgs_b" not in text


def test_claims_and_costs_are_traced_by_row() -> None:
    lines = Traced(f"{TABLE.with_name('claims.md')}:clipgs_3dcs_miou").lines
    assert sum("scores.json" in line for line in lines) == 4  # two settings on two scenes
    name = "procedural/den/clipgs_b/0"
    lines = Traced(f"{TABLE.with_name('costs.md')}:{name}").lines
    assert any(f"results/train/{name}/run.json" in line for line in lines)


@pytest.mark.parametrize(
    "cell",
    [
        "details.md:clipgs_c:train_s@procedural/room",
        "details.md:teacher_clip:miou@procedural/room",
        "classes.md:clipgs_c:a: lamp@procedural/room",
    ],
)
def test_tables_of_ours_are_traced_as_well(cell: str) -> None:
    setting = "clipgs_b" if "teacher" in cell else "clipgs_c"  # the first that has the teacher
    text = "\n".join(Traced(f"{TABLE.parent}/{cell}").lines)
    assert f"results/train/procedural/room/{setting}/0/run.json" in text
    assert text.count(f"commit {COMMIT}") == 4


def test_a_score_of_a_geometry_leads_to_its_card_and_its_scene() -> None:
    traced = Traced(f"{TABLE.with_name('scores.md')}:procedural/room:psnr")
    text = "\n".join(traced.lines)
    for seed in (0, 1):
        assert f"results/evaluate/procedural/room/geometry/{seed}/scores.json" in text
        assert f"  geometry results/geometry/procedural/room/{seed}/run.json" in text
    assert "data/procedural/room/manifest.json" in text and "results/train" not in text
    assert not traced.breaks
    Path("results/evaluate/procedural/room/geometry/1/predictions/manifest.json").write_text("{}")
    again = Traced(f"{TABLE.with_name('scores.md')}:procedural/room:psnr")
    assert "not what was scored" in again.breaks[0] and "no digest of itself" in again.breaks[1]


@pytest.mark.parametrize(
    ("path", "broken"),
    [
        ("data/procedural/room/manifest.json", "is not what was scored"),
        ("results/evaluate/procedural/room/clipgs_c/0/predictions/manifest.json", "scored"),
        ("results/features/procedural/room/regions/all/manifest.json", "was made from"),
        ("results/geometry/procedural/room/0/point_cloud.ply", "was made from"),
    ],
)
def test_a_changed_link_breaks_the_chain(path: str, broken: str) -> None:
    Path(path).write_text("{}")
    assert any(broken in line for line in Traced(CELL).breaks)


@pytest.mark.parametrize("folder", ["train/procedural/room/clipgs_c/0", GEOMETRY_DIR])
def test_every_output_of_every_card_is_compared(folder: str) -> None:
    path = Path("results", folder, "point_cloud.ply")
    path.write_text("")
    assert f"{path}: changed since run.json was written" in Traced(CELL).breaks
    path.unlink()
    assert f"{path}: no such file, though run.json records it" in Traced(CELL).breaks


@pytest.mark.parametrize("old", [COMMIT, "0123456789abcdef", "900"])
def test_a_changed_card_is_refused(old: str) -> None:
    path = Path("results/train/procedural/room/clipgs_c/0/run.json")
    text = path.read_text()
    path.write_text(text.replace(old, "5" * len(old)))
    with pytest.raises(SemsplatError, match=r"run\.json: changed since it was written"):
        Traced(CELL)


def test_a_card_without_its_digest_breaks_the_chain() -> None:
    path = Path("results/train/procedural/room/clipgs_c/0/run.json")
    write_json(path, read_json(path))
    assert any("no digest of itself" in line for line in Traced(CELL).breaks)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("nowhere.md:c:miou", "no such table"),
        ("::", "no such table"),
        (str(TABLE), "FIGURE.md:ROW:COLUMN"),
        (f"{TABLE}:z:miou@procedural", "no row 'z'; there are a, "),
        (f"{TABLE}:c:moiu@procedural", "did you mean 'miou@procedural'"),
        (f"{TABLE}:c", "names no column; there are fps, room0_miou"),
        (f"{TABLE}:c:room0_miou", "nothing of ours is behind this number: no data: replica"),
        (
            f"{TABLE.with_name('details.md')}:c:miou",
            "no row 'c'; there are teacher_clip, best_vote_",
        ),
        (f"{TABLE.with_name('details.md')}:clipgs_e:miou@procedural", "not trained in this suite"),
    ],
)
def test_a_wrong_address_is_one_line(address: str, message: str) -> None:
    with pytest.raises(SemsplatError, match=message):
        Traced(address)
