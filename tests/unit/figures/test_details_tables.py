"""Tables of our own: cells worked out by hand, what was taught, and what numbers need."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from semsplat.experiment.check import check
from semsplat.figures import paper_table
from semsplat.figures.published import FOLDER, load_table, table_names
from semsplat.figures.referee.sheet import read_records
from semsplat.io import read_json
from semsplat.keys import TrainingKey
from tests.unit.figures.referee_helpers import (
    Page,
    edit,
    edit_metrics,
    read_page,
    trainings,
    write_speed,
    write_training,
)

OURS = [name for name in table_names() if load_table(name).paper is None]
PARAMS = check(yaml.safe_load((Path(__file__).parents[3] / "params.yaml").read_text()))
ROOM, DEN = "procedural/room", "procedural/den"
ALL = f"mean of {DEN}, {ROOM}"
A, C = "(a) Feature 3DGS", "(c) SAC + 3DCS"
TEACHER, BEST = "teacher `clip`, 2-D", "best vote of its regions, `clip`"
MIOU = "mIoU<br>`clipgs/image_mean@1`"


@pytest.fixture(autouse=True)
def in_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty project."""
    monkeypatch.chdir(tmp_path)


def write_rows(seeds: int = 2, scenes: tuple[str, ...] = (ROOM, DEN)) -> list[TrainingKey]:
    """Rows a and c: mIoU 0.5 in the first scene, 0.7 in the second; 0.1 more with every seed."""
    shown = trainings("clipgs_a", "clipgs_c", scenes=scenes, seeds=seeds)
    for training in shown:
        miou = {ROOM: 0.5, DEN: 0.7}[training.place] + 0.1 * training.seed
        scores = {"psnr": 20.0 + training.seed, "accuracy": 0.875, "pooled_miou": 0.5}
        scores |= {"class_accuracy": 0.75, "inconsistency": 0.125, "train_miou": 0.625}
        scores |= {f"teacher_{name}": 0.25 for name in ("miou", "accuracy", "train_miou")}
        scores |= {"best_vote_miou": 0.75 + 0.1 * training.seed}
        write_training(training, **scores, miou=miou + 0.05 * (training.setting == "clipgs_c"))
    write_speed(shown, fps=30.5)
    return shown


def drawn(shown: list[TrainingKey], name: str = "clipgs_details") -> tuple[Page, list[str]]:
    """Return the tables by what they are of, and the notes below."""
    out = Path("paper_figures/demo", f"{name}.md")
    paper_table.draw(shown, paper_table.Options(table=name), out)
    page, notes = read_page(out)
    before = f"{load_table(name).title}: "
    assert all(title.startswith(before) for title in page)
    return {title.removeprefix(before): table for title, table in page.items()}, notes


def test_a_cell_is_mean_and_standard_deviation_over_seeds() -> None:
    found, _ = drawn(write_rows(scenes=(ROOM,)))
    assert list(found) == [ROOM]  # one scene alone is not a second time the mean
    # mIoU 0.5 and 0.6: sample standard deviation 0.1 / sqrt(2)
    assert found[ROOM][A] == {
        "PSNR<br>`rgb/held_out@2`": "20.50 ± 0.71",
        MIOU: "55.00 ± 7.07",
        "mAcc<br>`clipgs/image_mean@1`": "87.50 ± 0.00",
        "pooled mIoU<br>`class_maps/pooled@1`": "50.00 ± 0.00",
        "class acc.<br>`class_maps/pooled@1`": "75.00 ± 0.00",
        "incons.<br>`class_maps/inconsistency@2`": "12.50 ± 0.00",
        "train mIoU<br>`clipgs/image_mean@1`": "62.50 ± 0.00",
        "FPS": "30.5 ± 0.0",
        "Gaussians": "1000 ± 0",
        "semantics MB": "0.01 ± 0.00",
        "training s": "61 ± 1",
        "training's peak RAM MB": "900 ± 0",
    }
    assert found[ROOM][C][MIOU] == "60.00 ± 7.07"


def test_a_single_run_has_no_deviation() -> None:
    row = drawn(write_rows(seeds=1, scenes=(DEN,)))[0][DEN][A]
    assert (row[MIOU], row["FPS"], row["training s"]) == ("70.00", "30.5", "60")


def test_several_scenes_have_a_table_of_all_and_one_each() -> None:
    found, _ = drawn(write_rows())
    assert list(found) == [ALL, DEN, ROOM]
    # seed 0: mIoU 0.5 and 0.7, mean 0.6; seed 1: 0.6 and 0.8, mean 0.7; deviation 0.1 / sqrt(2)
    assert [table[A][MIOU] for table in found.values()] == [
        *("65.00 ± 7.07", "75.00 ± 7.07", "55.00 ± 7.07"),
    ]


def test_a_teacher_has_one_row_for_all_that_learn_from_it() -> None:
    table = drawn(write_rows(scenes=(ROOM,)))[0][ROOM]
    assert list(table) == [TEACHER, BEST, A, C]
    taught = {name.partition("<br>")[0]: cell for name, cell in table[TEACHER].items()}
    known = {"mIoU", "mAcc", "train mIoU"}  # those that the results hold
    assert all(taught.pop(name) == "25.00 ± 0.00" for name in known)
    assert set(taught.values()) == {"[1]"}
    assert table[BEST][MIOU] == "80.00 ± 7.07"


def test_every_teacher_has_its_own_row() -> None:
    shown = write_rows(scenes=(ROOM,))
    for training in (t for t in shown if t.setting == "clipgs_c"):
        edit(training.card_path, config=taught_by(training, "truth"))
        edit_metrics(training, teacher_miou=0.9)
    found, notes = drawn(shown)
    table = found[ROOM]
    assert list(table)[:4:2] == [TEACHER, "teacher `truth`, 2-D"]
    assert table[TEACHER][MIOU] == "25.00 ± 0.00"
    assert table["teacher `truth`, 2-D"][MIOU] == "90.00 ± 0.00"
    assert "Teachers: `clip`, `truth`." in notes


def taught_by(training: TrainingKey, teacher: str) -> dict[str, object]:
    return {**read_json(training.card_path)["config"], "options": {"teacher": teacher}}


def test_a_metric_that_a_run_lacks_is_a_marked_cell_and_no_mean_of_the_others() -> None:
    shown = write_rows()
    lacking = next(t for t in shown if (t.place, t.setting, t.seed) == (ROOM, "clipgs_a", 1))
    edit_metrics(lacking, inconsistency=None)
    found, notes = drawn(shown)
    name = "incons.<br>`class_maps/inconsistency@2`"
    reason = next(note for note in notes if note.endswith("no inconsistency in scores."))
    mark = reason.split()[0]
    cells = [found[title][A][name] for title in (ALL, ROOM, DEN)]
    assert cells == [mark, mark, "12.50 ± 0.00"]
    assert found[ROOM][A][MIOU] == "55.00 ± 7.07"


def test_the_facts_that_numbers_need_stand_below() -> None:
    shown = write_rows()
    edit(shown[0].scores_path, size_px=[64, 48], absent={"psnr": "no view is held out", "x": "y"})
    _, notes = drawn(shown)
    assert notes[0].startswith("Mean ± standard deviation over seeds") and "2 seeds" in notes[0]
    assert "incons.: of training views; a map that is wrong everywhere alike is consistent" in notes
    facts = next(note for note in notes if note.startswith("8 trainings; scenes: "))
    assert "pixels: 16x12, 64x48" in facts and "seeds: 0, 1" in facts and "on: Abacus" in facts
    assert "Speed on Abacus 2000, 2 threads: median of 30." in notes
    assert "Teachers: `clip`." in notes
    assert [n for n in notes if n.startswith("Left")] == ["Left out: no view is held out."]


def test_prompts_are_counted_and_so_are_those_without_a_prediction() -> None:
    (run,) = trainings("gags", scenes=(ROOM,), seeds=1)
    write_training(run, localisation=0.5, query_miou=0.25, part_query_miou_frozen=0.125)
    prompts = {"lamp": {"views": 2, "train_views": 1}, "wall": {"views": 3}}
    edit(run.scores_path, prompts=prompts, missing=[["c", "wall"]])
    write_speed([run], render_ms=4.0, predict_ms=8.0)
    found, notes = drawn([run], "gags_details")
    row = found[ROOM]["3 GaS and GaD"]
    assert row["mIoU, held out<br>`lerf_ovs/segmentation@1`"] == "25.00"
    assert row["parts: mIoU, held out, frozen<br>`lerf_ovs/segmentation_frozen@1`"] == "12.50"
    assert (row["render ms"], row["predict ms"]) == ("4.0", "8.0")
    assert (
        f"Pairs of a view and a prompt: {ROOM} 5 held out, 1 trained on."
        " 1 pairs of all runs have no prediction and count as 0."
    ) in notes


def test_clicks_and_texts_are_counted_apart() -> None:
    (run,) = trainings("cgc", scenes=(ROOM,), seeds=1)
    write_training(run, points_mask_miou=0.3125, clip_regions_argmax_miou=0.5)
    counts = {"points": {"pairs": 6, "missing": 0}, "clip_regions": {"pairs": 5, "missing": 2}}
    edit(run.scores_path, grounders=counts, prompts={"lamp": {"views": 9}})
    write_speed([run], mask_ms=12.5)
    found, notes = drawn([run], "cgc_details")
    assert found[ROOM]["complete model"] == {
        "click: mIoU<br>`lerf_mask/pairs@1`": "31.25",
        "text: mIoU, argmax<br>`ovs3d/argmax@1`": "50.00",
        "mask ms": "12.5",
        "semantics MB": "0.01",
        "training s": "60",
        "training's peak RAM MB": "900",
    }
    assert any(f"{ROOM} 5 by text; {ROOM} 6 by click." in note for note in notes)


@pytest.mark.parametrize("name", OURS)
def test_a_table_of_ours_is_drawn_from_any_of_its_trainings_and_from_none(name: str) -> None:
    table = load_table(name)
    assert set(table.settings) <= set(PARAMS.settings)
    assert set(table.evidence) <= set(PARAMS.datasets)
    shown = trainings(*table.settings[:2], scenes=(f"{next(iter(table.evidence))}/x",), seeds=1)
    first = next(iter(table.measures.values()))
    for training in shown:
        write_training(training, **{first.name: 0.5})
    write_speed(shown)
    for members in (shown, []):
        found, notes = drawn(members, name)
        assert bool(found) == bool(members) and notes
    records = read_records(Path("paper_figures/demo", f"{name}.csv"))
    assert {record["row"] for record in records} == set(table.rows)
    assert Path("paper_figures/demo", f"{name}.tex").is_file()


def test_rows_stand_under_the_labels_of_the_tables_that_they_are_taken_from() -> None:
    rows, theirs = load_table("clipgs_details").rows, load_table("clipgs_table3").rows
    assert rows["clipgs_d"].label == theirs["d"].label == "(d) SAC + 3DCS + PDR"
    assert [row.setting for row in rows.values()] == load_table("clipgs_table3").settings
    for name in OURS:
        definition = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
        assert bool(definition.get("rows")) != bool(definition.get("rows_of"))


def test_equal_results_give_equal_bytes() -> None:
    shown, out = write_rows(), Path("paper_figures/demo/clipgs_details.md")
    drawn(shown)
    first = out.read_bytes()
    drawn(shown)
    assert out.read_bytes() == first
