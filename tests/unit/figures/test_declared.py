"""What was predicted elsewhere in our tables: its author's facts and costs, not this machine's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from semsplat.figures import claims, costs, paper_table
from semsplat.figures.referee.declared import author_line, device_of
from semsplat.figures.referee.layout import conditions
from semsplat.figures.referee.sheet import read_records
from semsplat.figures.referee.trace import Traced
from semsplat.figures.referee.trainings import Results
from semsplat.io import read_json, write_sealed
from semsplat.keys import TrainingKey
from tests.unit.figures.referee_helpers import (
    COMMIT,
    MACHINE,
    edit,
    read_page,
    trainings,
    write_speed,
    write_training,
)

AUTHOR = {
    **{"method": "LERF", "who": "somebody", "repository": "https://example.org/lerf"},
    **{"commit": "f" * 40, "changes": "", "device": "one RTX 4090", "geometry": "own", "told": []},
}
OURS, *_ = trainings("clipgs_b", seeds=1)
THEIRS = OURS._replace(setting="clipgs_c")
"""The row (c) of the table stands for a method that was run elsewhere."""


def write_theirs(author: dict[str, Any] = AUTHOR, **numbers: float) -> TrainingKey:
    """Write what an import leaves."""
    write_training(THEIRS, miou=0.5)
    place = Path("data", THEIRS.dataset, THEIRS.scene)
    card = read_json(THEIRS.card_path)
    (THEIRS.folder / "point_cloud.ply").unlink()
    changes = {
        "config": {"setting": THEIRS.setting, "seed": 0, "external": author},
        "inputs": {"scene": card["inputs"]["scene"], "card": "0" * 64},
        "outputs": {},
        "numbers": {"peak_ram_mb": 77, **numbers},
        "command": ["python", "-m", "semsplat.evaluate", "--scene", str(place)],
        "wall_s": 3.0,
    }
    write_sealed(THEIRS.card_path, {**card, **changes})
    return THEIRS


@pytest.fixture(autouse=True)
def in_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_training(OURS, miou=0.25)
    write_speed([OURS], fps=20.0)


def test_costs_are_what_the_author_states() -> None:
    shown = [OURS, write_theirs(preprocess_s=900.0, train_s=2700.0, peak_gpu_mb=21000.0)]
    costs.draw(shown, costs.Options(), Path("costs.md"))
    table, notes = read_page(Path("costs.md"))
    # no geometry is stated, so there is no total; what the import took is nobody's cost
    assert list(table["Costs"]["clipgs_c"].values()) == (
        ["1", "900", "", "2700", "", "", "21000", ""]
    )
    assert list(table["Costs"]["clipgs_b"].values())[-1] == "12.0"
    assert any("Abacus 2000, 2 threads." in note for note in notes)
    assert any(note.startswith("`clipgs_c` is LERF, predicted elsewhere") for note in notes)
    record = read_records(Path("costs.csv"))[1]
    assert record["language_s"] == "2700.0" and record["peak_ram_mb"] == ""


def test_all_three_times_make_a_total() -> None:
    write_theirs(preprocess_s=900.0, geometry_s=600.0, train_s=2700.0)
    assert Results([THEIRS]).costs(THEIRS)["total_s"] == 4200.0


def test_nothing_that_was_trained_here_is_on_no_device_of_ours() -> None:
    costs.draw([write_theirs()], costs.Options(), Path("costs.md"))
    text = Path("costs.md").read_text()
    assert "On none: nothing was trained." in text and "Abacus" not in text


def test_conditions_keep_trainings_and_predictions_apart() -> None:
    said = conditions(Results([OURS, write_theirs()]))
    assert said.startswith("1 training, 1 predicted elsewhere; scenes: procedural/room; seeds: 0;")
    assert "steps of geometry: 900" in said
    assert said.endswith("on: Abacus 2000, one RTX 4090 (as stated).")


def test_the_device_is_the_authors_and_of_ours_the_card_says_it() -> None:
    card = {"config": {}, "machine": {**MACHINE, "gpu": "H200"}}
    assert device_of(card) == "H200" and device_of({**card, "machine": MACHINE}) == "Abacus 2000"
    assert device_of({**card, "config": {"external": AUTHOR}}) == "one RTX 4090 (as stated)"


def test_the_authors_line_has_all_that_a_reader_must_know() -> None:
    author = {**AUTHOR, "changes": "cameras", "geometry": "ours", "told": ["the floor plan"]}
    cards = [
        {"config": {"external": author}, "numbers": {"query_ms": value}} for value in (20.0, 40.0)
    ]
    assert author_line("lerf", cards) == (
        "`lerf` is LERF, predicted elsewhere by somebody with https://example.org/lerf, commit"
        " ffffffffff; changes: cameras; on one RTX 4090; on our geometry; told: the floor plan; a"
        " prompt takes 30 ms; costs as stated there."
    )
    assert "a geometry of its own" in author_line(
        "lerf", [{**cards[0], "config": {"external": AUTHOR}}]
    )


@pytest.mark.parametrize("table", ["clipgs_table3", "clipgs_details"])
def test_a_row_has_its_number_and_the_author_stands_below(table: str) -> None:
    shown = [OURS, write_theirs()]
    paper_table.draw(shown, paper_table.Options(table=table), Path("table.md"))
    assert "`clipgs_c` is LERF, predicted elsewhere" in Path("table.md").read_text()
    records = read_records(Path("table.csv"))
    means = {r["row"]: r["mean"] for r in records if r["column"] == "miou@procedural"}
    assert means["b" if table == "clipgs_table3" else "clipgs_b"] == "25.0"
    assert means["c" if table == "clipgs_table3" else "clipgs_c"] == "50.0"
    speeds = [r for r in records if r["measure"] == "fps" and r["row"] in ("c", "clipgs_c")]
    assert all(r["mean"] == "" for r in speeds)


def test_a_claim_compares_it_with_ours() -> None:
    claims.draw([OURS, write_theirs()], claims.Options(rules=2), Path("claims.md"))
    record = next(r for r in read_records(Path("claims.csv")) if "clipgs_c/0" in r["trainings"])
    assert float(record["effect"]) == pytest.approx(25.0)


def test_one_protocol_needs_no_list_of_them() -> None:
    theirs = write_theirs()
    scores = read_json(theirs.scores_path)
    del scores["protocols"], scores["classes"]
    edit_all = {**scores, "protocol": "rgb/held_out@2", "metrics": {"psnr": 20.0}}
    write_sealed(theirs.scores_path, edit_all)
    paper_table.draw([theirs], paper_table.Options(table="clipgs_details"), Path("table.md"))
    records = read_records(Path("table.csv"))
    assert [r["mean"] for r in records if r["column"] == "psnr@procedural" and r["mean"]] == [
        "20.0"
    ]


def test_a_trace_tells_the_author_and_the_commits_of_both() -> None:
    shown = [OURS, write_theirs()]
    path = Path("paper_figures/demo/clipgs_table3.md")
    paper_table.draw(shown, paper_table.Options(table="clipgs_table3"), path)
    traced = Traced(f"{path}:c:miou@procedural/room")
    assert not traced.breaks
    text = "\n".join(traced.lines)
    assert f"commit {COMMIT}" in text and "commit ffffffffff; on one RTX 4090" in text
    assert f"made from card  sha256 {'0' * 64}" in text
    edit(THEIRS.scores_path.with_name("predictions") / "manifest.json", of="something else")
    assert Traced(f"{path}:c:miou@procedural/room").breaks
