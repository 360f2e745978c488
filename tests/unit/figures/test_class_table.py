"""IoU per class: cells worked out by hand."""

from __future__ import annotations

from pathlib import Path

from semsplat.figures.classes import Options, draw
from semsplat.io import read_json, write_json
from tests.unit.figures.conftest import RUNS, SETTINGS

SHELF = RUNS[:2]


def drawn(runs: list) -> list[str]:
    draw(runs, Options(settings=SETTINGS, datasets=[]), Path("classes.md"))
    return Path("classes.md").read_text().splitlines()


def test_classes_come_from_the_most_frequent_on_and_cells_are_means_over_seeds(
    results: Path,
) -> None:
    assert drawn(SHELF)[:8] == [
        "### toys/shelf",
        "",
        "| | lamp | wall |",
        "|---|---:|---:|",
        "| share of pixels | 75.0 | 25.0 |",
        "| teacher, 2-D | 40.0 | 50.0 |",
        "| best vote of its regions, 2-D | 40.0 | 50.0 |",
        "| (a) flat | 90.0 | 55.0 |",  # wall 0.5 and 0.6
    ]


def test_every_scene_has_a_table_and_one_without_truth_says_so(results: Path) -> None:
    for run in SHELF:
        for setting in SETTINGS:
            path = run.setting_dir(setting) / "scores.json"
            write_json(path, {**read_json(path), "classes": {}})
    lines = drawn(RUNS)
    assert lines[:3] == ["### toys/shelf", "", "No held-out view has a label map."]
    assert "### toys/box" in lines
