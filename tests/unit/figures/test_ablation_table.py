"""The table of settings: cells worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from semsplat.figures.ablation import Options, draw
from semsplat.figures.style import FigureRun
from semsplat.io import read_json, write_json
from tests.unit.figures.conftest import RUNS, SETTINGS

SHELF = RUNS[:2]  # seeds 0 and 1; RUNS has the box besides

TEACHER, BEST = "teacher `clip`, 2-D", "best vote of its regions, `clip`"

Table = dict[str, dict[str, str]]


def tables(
    runs: list[FigureRun] = RUNS, settings: dict[str, str] | None = None
) -> tuple[dict[str, Table], list[str]]:
    """Return {title: {row: {column: cell}}} and the notes below."""
    draw(runs, Options(settings=settings or SETTINGS, datasets=[]), Path("ablation.md"))
    blocks = Path("ablation.md").read_text().rstrip("\n").split("\n\n")
    titles = [block.removeprefix("### ") for block in blocks if block.startswith("### ")]
    found = [parsed(block) for block in blocks if block.startswith("|")]
    notes = [block for block in blocks if not block.startswith(("###", "|"))]
    return dict(zip(titles, found, strict=True)), notes


def parsed(block: str) -> Table:
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in block.splitlines()]
    assert all(len(row) == len(rows[0]) for row in rows)
    assert len({row[0] for row in rows}) == len(rows)
    return {row[0]: dict(zip(rows[0][1:], row[1:], strict=True)) for row in rows[2:]}


def edit(path: Path, **changes: Any) -> None:
    write_json(path, {**read_json(path), **changes})


def edit_metrics(run: FigureRun, setting: str, **metrics: float | None) -> None:
    path = run.setting_dir(setting) / "scores.json"
    merged = {**read_json(path)["metrics"], **metrics}
    edit(path, metrics={name: value for name, value in merged.items() if value is not None})


def edit_card(run: FigureRun, setting: str, section: str, **changes: Any) -> None:
    path = run.train_dir(setting) / "run.json"
    edit(path, **{section: {**read_json(path)[section], **changes}})


def test_a_cell_is_mean_and_standard_deviation_over_seeds(results: Path) -> None:
    found, _ = tables(SHELF)
    assert list(found) == ["toys/shelf"]
    # mIoU 0.5 and 0.6: sample standard deviation 0.1 / sqrt(2)
    assert found["toys/shelf"]["(a) flat"] == {
        "PSNR": "20.50 ± 0.71",
        "mIoU": "55.00 ± 7.07",
        "mAcc": "87.50 ± 0.00",
        "pooled mIoU": "50.00 ± 0.00",
        "class acc.": "75.00 ± 0.00",
        "incons.": "12.50 ± 0.00",
        "train mIoU": "62.50 ± 0.00",
        "FPS": "30.5 ± 0.7",
        "Gaussians": "2000 ± 0",
        "semantics MB": "0.25 ± 0.00",
        "training s": "61 ± 1",
        "peak RAM MB": "900 ± 0",
    }
    row = found["toys/shelf"]["(b) + coherent"]
    assert (row["mIoU"], row["incons."], row["Gaussians"]) == (
        "60.00 ± 7.07",
        "6.25 ± 0.00",
        "2100 ± 0",
    )


def test_a_single_run_has_no_deviation(results: Path) -> None:
    row = tables(RUNS[1:2])[0]["toys/shelf"]["(a) flat"]
    assert (row["PSNR"], row["mIoU"], row["FPS"], row["training s"]) == (
        *("21.00", "60.00", "31.0", "62"),
    )


def test_several_scenes_have_a_table_of_all_and_one_each(results: Path) -> None:
    found, _ = tables()
    assert list(found) == ["all scenes", "toys/shelf", "toys/box"]
    # seed 0: mIoU 0.5 and 0.7, mean 0.6; seed 1: 0.6 and 0.8, mean 0.7; deviation 0.1 / sqrt(2)
    cells = [table["(a) flat"]["mIoU"] for table in found.values()]
    assert cells == ["65.00 ± 7.07", "55.00 ± 7.07", "75.00 ± 7.07"]
    # one scene alone is not a second time all scenes
    assert list(tables(RUNS[2:])[0]) == ["toys/box"]


def test_rows_stand_in_the_order_of_the_options(results: Path) -> None:
    for settings in (SETTINGS, dict(reversed(SETTINGS.items()))):
        table = tables(SHELF, settings)[0]["toys/shelf"]
        assert list(table) == [TEACHER, BEST, *settings.values()]
        assert table["(a) flat"]["mIoU"] == "55.00 ± 7.07"


def test_a_teacher_has_one_row_for_all_that_learn_from_it(results: Path) -> None:
    table = tables(SHELF)[0]["toys/shelf"]
    taught = table["teacher `clip`, 2-D"]
    known = {"mIoU", "mAcc", "train mIoU"}  # those that the results hold
    assert all(taught[name] == "25.00 ± 0.00" for name in known)
    assert not any(cell for name, cell in taught.items() if name not in known)
    assert [name for name in table if "clip" in name] == [TEACHER, BEST]


def test_the_best_vote_of_its_regions_stands_below_a_teacher(results: Path) -> None:
    for run, best in zip(SHELF, (0.75, 0.85), strict=True):
        edit_metrics(run, "flat", best_vote_miou=best)
        edit_metrics(run, "coherent", best_vote_miou=best)
    row = tables(SHELF)[0]["toys/shelf"][BEST]
    assert row.pop("mIoU") == "80.00 ± 7.07" and not any(row.values())


def test_every_teacher_has_its_own_row(results: Path) -> None:
    for run in SHELF:
        edit_card(run, "coherent", "inputs", lessons="of the teacher truth")
        path = run.train_dir("coherent") / "run.json"
        edit(path, config={**read_json(path)["config"], "options": {"teacher": "truth"}})
        edit_metrics(run, "coherent", teacher_miou=0.9)
    found, notes = tables(SHELF)
    table = found["toys/shelf"]
    assert list(table)[:4:2] == ["teacher `clip`, 2-D", "teacher `truth`, 2-D"]
    assert table["teacher `clip`, 2-D"]["mIoU"] == "25.00 ± 0.00"
    assert table["teacher `truth`, 2-D"]["mIoU"] == "90.00 ± 0.00"
    assert "Teachers: `clip`, `truth`." in notes[0]


def test_a_metric_that_a_run_lacks_is_an_empty_cell_and_no_mean_of_the_others(
    results: Path,
) -> None:
    edit_metrics(RUNS[1], "flat", inconsistency=None, teacher_miou=None)
    edit_card(RUNS[0], "coherent", "numbers", peak_ram_mb=None)
    found, _ = tables()
    for title, cell in (("all scenes", ""), ("toys/shelf", ""), ("toys/box", "12.50 ± 0.00")):
        assert found[title]["(a) flat"]["incons."] == cell
    assert found["toys/shelf"]["(a) flat"]["mIoU"] == "55.00 ± 7.07"
    assert found["toys/shelf"]["(b) + coherent"]["incons."] == "6.25 ± 0.00"
    assert found["toys/shelf"]["(b) + coherent"]["peak RAM MB"] == ""


def test_the_facts_that_numbers_need_stand_below(results: Path) -> None:
    _, notes = tables()
    assert len(notes) == 2
    protocols = "class_maps/pooled@1, clipgs/image_mean@1, rgb/held_out@2"
    assert notes[0].startswith(f"Held-out views; protocols {protocols}. ")
    assert "in percent; mean ± standard deviation over seeds" in notes[0]
    assert "Teachers: `clip`." in notes[0]
    assert notes[1].startswith("16x12 pixels, 150 steps, seeds 0, 1. ")
    assert "on Abacus 2000, 2 threads, median" in notes[1]


def test_facts_that_differ_between_runs_are_all_named(results: Path) -> None:
    edit(RUNS[2].setting_dir("flat") / "scores.json", size_px=[64, 48])
    path = RUNS[3].train_dir("flat") / "run.json"
    edit(path, config={**read_json(path)["config"], "geometry": {"steps": 90}, "seed": 7})
    machine = {"gpu": "NVIDIA L4", "cpu": "Abacus 2000"}
    edit(Path("results/speed.json"), machine=machine)
    _, notes = tables()
    assert notes[1].startswith("16x12, 64x48 pixels, 90, 150 steps, seeds 0, 1, 7. ")
    assert "on NVIDIA L4, median" in notes[1]


def test_equal_results_give_equal_bytes(results: Path) -> None:
    tables()
    first = Path("ablation.md").read_bytes()
    tables()
    assert Path("ablation.md").read_bytes() == first
