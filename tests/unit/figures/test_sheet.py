"""A sheet of tables, to the letter: Markdown, LaTeX for booktabs, and records as CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from semsplat.figures.referee.sheet import Grid, Sheet, read_records, write_sheet

RECORDS: list[dict[str, Any]] = [{"row": "ours", "sd": None}, {"row": "a,b", "sd": 0.5}]
COSTS = Grid("Costs & 5 %", ["", "mIoU<br>held_out"], [["**ours**", "7 ± 1"], ["theirs", "<2^2"]])
SPEED = Grid("Speed", ["", "FPS", "{ms}"], [["`a`~b\\c", "$1", "#2 > 1"]])


@pytest.fixture
def page(tmp_path: Path) -> Path:
    write_sheet(Sheet([COSTS, SPEED], ["[1] none.", "50 %."]), RECORDS, tmp_path / "page.md")
    return tmp_path / "page.md"


def test_markdown_is_what_the_cells_say(page: Path) -> None:
    assert page.read_text() == (
        "### Costs & 5 %\n\n"
        "|  | mIoU<br>held_out |\n|---|---:|\n| **ours** | 7 ± 1 |\n| theirs | <2^2 |\n\n"
        "### Speed\n\n"
        "|  | FPS | {ms} |\n|---|---:|---:|\n| `a`~b\\c | $1 | #2 > 1 |\n\n"
        "[1] none.\n\n50 %.\n"
    )


def test_latex_has_a_column_for_each_and_escapes_what_means_something(page: Path) -> None:
    assert page.with_suffix(".tex").read_text() == (
        "\\subsection*{Costs \\& 5 \\%}\n\\begin{tabular}{lr}\n\\toprule\n"
        " & mIoU, held\\_out \\\\\n\\midrule\n"
        "ours & 7 $\\pm$ 1 \\\\\ntheirs & $<$2\\textasciicircum{}2 \\\\\n"
        "\\bottomrule\n\\end{tabular}\n\n"
        "\\subsection*{Speed}\n\\begin{tabular}{lrr}\n\\toprule\n"
        " & FPS & \\{ms\\} \\\\\n\\midrule\n"
        "a\\textasciitilde{}b\\textbackslash{}c & \\$1 & \\#2 $>$ 1 \\\\\n"
        "\\bottomrule\n\\end{tabular}\n\n"
        "[1] none.\n\n50 \\%.\n"
    )


def test_records_come_back_with_nothing_for_none(page: Path) -> None:
    assert page.with_suffix(".csv").read_text() == 'row,sd\nours,\n"a,b",0.5\n'
    assert read_records(page.with_suffix(".csv")) == [
        {"row": "ours", "sd": ""},
        {"row": "a,b", "sd": "0.5"},
    ]
