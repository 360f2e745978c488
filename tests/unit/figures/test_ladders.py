"""Ladders by hand: which rows a rung compares, its table and its plot."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from semsplat.experiment.check import check
from semsplat.figures import claims, ladder, ladder_plot
from semsplat.figures.published import load_table, table_names
from semsplat.figures.published.models import PROCEDURAL
from semsplat.figures.referee.ladders import rungs_of
from semsplat.figures.referee.sheet import read_records
from semsplat.figures.referee.trainings import Results
from semsplat.keys import GeometryKey
from tests.unit.figures.referee_helpers import trainings, write_speed, write_training

LADDERS = [name for name in table_names() if load_table(name).ladder]
PARAMS = Path(__file__).parents[3] / "params.yaml"
TABLE = {"table": "ladder_steps"}
MIOU = {"clipgs_b": 0.50, "clipgs_c": 0.52, "clipgs_b_x3": 0.60, "clipgs_c_x3": 0.70}


@pytest.fixture(autouse=True)
def in_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project where nobody has trained ten times as long, and den is two points better."""
    monkeypatch.chdir(tmp_path)
    for training in trainings(*MIOU, seeds=1):
        gain = 0.02 * (training.scene == "den" and training.setting.startswith("clipgs_c"))
        write_training(training, miou=MIOU[training.setting] + gain, inconsistency=0.1)
    write_speed(trainings(*MIOU, seeds=1))


def test_a_rung_is_the_difference_of_its_two_rows_in_points() -> None:
    results = Results(trainings(*MIOU, seeds=1))
    found = {
        rung.rung: rung for rung in rungs_of(load_table("ladder_steps"), results)
        if rung.measure.name == "miou"
    }  # fmt: skip
    assert list(found) == ["1", "3", "10"]
    assert found["1"].values == pytest.approx([4, 2])  # den, room
    assert found["3"].values == pytest.approx([12, 10])
    assert found["3"].mean == pytest.approx(11) and found["3"].sd == pytest.approx(2**0.5)
    assert found["10"].values == [] and found["10"].mean is found["10"].sd is None


def test_a_rung_may_be_of_scenes_of_its_own() -> None:
    fine = [t._replace(dataset="fine") for t in trainings("clipgs_b", "clipgs_c", seeds=1)]
    for training in fine:
        write_training(training, miou=0.7 if training.setting == "clipgs_c" else 0.6)
    table = load_table("ladder_resolution")
    assert table.evidence == {"procedural": PROCEDURAL, "fine": PROCEDURAL}
    every = [*trainings("clipgs_b", "clipgs_c", seeds=1), *fine]
    found = {
        rung.rung: rung.values for rung in rungs_of(table, Results(every))
        if rung.measure.name == "miou" and rung.effect == "3DCS, d = 3"
    }  # fmt: skip
    assert found == {"160": pytest.approx([4, 2]), "320": pytest.approx([10, 10])}


def test_the_table_has_a_line_per_rung_and_a_record_per_measure(tmp_path: Path) -> None:
    out = tmp_path / "ladder.md"
    ladder.draw(trainings(*MIOU, seeds=1), ladder.Options(**TABLE), out)
    lines = [line for line in out.read_text().splitlines() if line.startswith("| 3DCS")]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    assert [row[1] for row in cells] == ["1", "3", "10"]
    assert cells[1][2] == "+11.000 ± 1.414" or cells[1][2] == "+11.00 ± 1.41"
    assert cells[1][-1] == "2" and cells[2][2:] == ["", "", "", "", "0"]
    records = read_records(out.with_suffix(".csv"))
    (one,) = [r for r in records if (r["rung"], r["measure"]) == ("3", "miou")]
    assert float(one["mean"]) == pytest.approx(11) and one["pairs"] == "2"
    assert out.with_suffix(".tex").is_file()


def test_words_tell_the_first_measure_and_those_that_go_another_way(tmp_path: Path) -> None:
    """Pooled mIoU falls where mIoU rises; class accuracy rises with it and says nothing new."""
    for training in trainings("clipgs_b", "clipgs_c", "clipgs_b_x3", "clipgs_c_x3", seeds=1):
        up = 0.1 * training.setting.startswith("clipgs_c")
        scores = {"miou": 0.5 + up, "pooled_miou": 0.5 - up, "class_accuracy": 0.5 + up}
        write_training(training, **scores)
    ladder.draw(trainings(*MIOU, seeds=1), ladder.Options(**TABLE), tmp_path / "ladder.md")
    text = (tmp_path / "ladder.md").read_text()
    assert "\n3DCS, mIoU: 1: +10.00, 3: +10.00; it is a gain on every rung." in text
    assert "\n3DCS, pooled mIoU: 1: -10.00, 3: -10.00; it is a loss on every rung." in text
    assert "\n3DCS, class acc.:" not in text


def test_lower_is_better_where_the_measure_says_so(tmp_path: Path) -> None:
    for training in trainings("clipgs_c", seeds=1):
        write_training(training, miou=0.5, inconsistency=0.06)
    results = Results(trainings("clipgs_b", "clipgs_c", seeds=1))
    rungs = rungs_of(load_table("ladder_steps"), results)
    (first, *_) = [rung for rung in rungs if rung.measure.name == "inconsistency"]
    assert first.mean == pytest.approx(4)


def test_the_plot_has_a_dot_per_scene_and_seed_and_names_its_trainings(tmp_path: Path) -> None:
    runs = [GeometryKey("procedural", scene, 0) for scene in ("den", "room")]
    out = tmp_path / "ladder.svg"
    ladder_plot.draw(runs, ladder_plot.Options(**TABLE, width_in=6.5), out)
    text = out.read_text()
    assert "train-0" in text and load_table("ladder_steps").ladder.axis in text
    again = tmp_path / "again.svg"
    ladder_plot.draw(runs, ladder_plot.Options(**TABLE, width_in=6.5), again)
    assert again.read_bytes() == out.read_bytes()
    write_training(trainings("clipgs_c_x3", seeds=1)[0], miou=0.71)
    ladder_plot.draw(runs, ladder_plot.Options(**TABLE, width_in=6.5), again)
    assert again.read_bytes() != out.read_bytes()


def test_a_table_without_rungs_is_no_ladder() -> None:
    with pytest.raises(ValidationError, match="'clipgs_details' has no ladder"):
        ladder.Options(table="clipgs_details")


def test_a_claim_names_its_ladder_in_the_ledger(tmp_path: Path) -> None:
    claims.draw(trainings(*MIOU, seeds=1), claims.Options(rules=2), tmp_path / "claims.md")
    lines = (tmp_path / "claims.md").read_text().splitlines()
    (line,) = [line for line in lines if "neighbouring views raises mIoU" in line]
    assert line.endswith("what it depends on: [ladder_purity](../ladders/ladder_purity.md) |")


@pytest.mark.parametrize("name", LADDERS)
def test_every_rung_of_an_effect_compares_other_rows(name: str) -> None:
    table = load_table(name)
    assert table.ladder
    for rungs in table.ladder.effects.values():
        compared = {(*rows, table.ladder.on.get(rung)) for rung, rows in rungs.items()}
        assert len(compared) == len(rungs) > 1
        for better, worse in rungs.values():
            assert table.rows[better].setting != table.rows[worse].setting
    compared = {row for rungs in table.ladder.effects.values() for p in rungs.values() for row in p}
    assert compared == table.rows.keys()  # and no row is trained for nothing


@pytest.mark.parametrize("name", LADDERS)
def test_a_ladder_is_drawn_by_the_suite_that_its_links_name(name: str) -> None:
    ladder_of = load_table(name).ladder
    assert ladder_of
    suite = check(yaml.safe_load(PARAMS.read_text(encoding="utf-8"))).suites[ladder_of.suite]
    assert name in suite.figures


def test_a_figure_of_a_tables_name_is_that_table() -> None:
    """The page reads the CSV of that name as a table's."""
    figures = check(yaml.safe_load(PARAMS.read_text(encoding="utf-8"))).figures
    kinds = {name: figures[name].kind for name in table_names() if name in figures}
    assert set(LADDERS) <= kinds.keys() and set(kinds.values()) == {"paper_table"}
