"""A page of tables as Markdown and as LaTeX, and its records as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from semsplat.errors import readable
from semsplat.io import atomic_path

TEX = {c: f"\\{c}" for c in "&%$#_{}"} | {"~": "\\textasciitilde{}", "^": "\\textasciicircum{}"}
TEX |= {"\\": "\\textbackslash{}", "±": "$\\pm$", "`": "", "<": "$<$", ">": "$>$"}


class Grid(NamedTuple):
    """One table: a title, a head and rows of text; the first column names the rows."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


class Sheet(NamedTuple):
    """What one file shows."""

    grids: Sequence[Grid]
    notes: Sequence[str]


def write_sheet(sheet: Sheet, records: Sequence[Mapping[str, Any]], out: Path) -> None:
    """Write ``out`` (Markdown) and beside it the same as ``.tex`` and the records as ``.csv``."""
    texts = {
        ".csv": as_csv(records),
        ".tex": "\n\n".join([*map(_tex_grid, sheet.grids), *map(_tex, sheet.notes)]),
        ".md": "\n\n".join([*map(_markdown_grid, sheet.grids), *sheet.notes]),
    }
    for suffix, text in texts.items():
        with atomic_path(out.with_suffix(suffix)) as partial:
            partial.write_text(text.strip() + "\n")


def as_csv(records: Sequence[Mapping[str, Any]]) -> str:
    """Return the records as CSV; None is an empty cell."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(records[0]) if records else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


def read_records(path: Path) -> list[dict[str, str]]:
    """Return the lines of a CSV."""
    with (
        readable(path, "a table's records", "draw the figure again"),
        path.open(newline="", encoding="utf-8") as file,
    ):
        return list(csv.DictReader(file))


def _markdown_grid(grid: Grid) -> str:
    lines = [_line(grid.head), "|---|" + "---:|" * (len(grid.head) - 1)]
    return "\n".join([f"### {grid.title}", "", *lines, *map(_line, grid.rows)])


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _tex_grid(grid: Grid) -> str:
    """Return a tabular for the package booktabs."""
    lines = [" & ".join(map(_tex, cells)) + " \\\\" for cells in (grid.head, *grid.rows)]
    return "\n".join(
        [
            f"\\subsection*{{{_tex(grid.title)}}}",
            f"\\begin{{tabular}}{{l{'r' * (len(grid.head) - 1)}}}",
            "\\toprule",
            lines[0],
            "\\midrule",
            *lines[1:],
            "\\bottomrule",
            "\\end{tabular}",
        ]
    )


def _tex(text: str) -> str:
    """Return text for LaTeX."""
    return "".join(TEX.get(char, char) for char in text.replace("<br>", ", ").replace("**", ""))
