"""The suite in one look: a measure of each method's rows, and how many claims came out how."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

from pydantic import field_validator

from semsplat.errors import did_you_mean
from semsplat.figures import SETTING_FILES, THINGS_FILE, claims
from semsplat.figures.published import load_table, table_names
from semsplat.figures.published.claim_models import Version
from semsplat.figures.referee.cells import Cell, table_cells
from semsplat.figures.referee.layout import conditions, our_text
from semsplat.figures.referee.sheet import Grid, Sheet, write_sheet
from semsplat.figures.referee.trainings import Results
from semsplat.keys import TrainingKey
from semsplat.params.base import Strict

SCOPE = "trainings"
EXTENSION = "md"
NEEDS = (*SETTING_FILES, THINGS_FILE)
modules = claims.modules


class Options(Strict):
    """What is shown."""

    measures: dict[str, str]
    """published table: the measure of its rows on procedural scenes"""
    rules: Version
    """which judge the claims that are counted"""

    @field_validator("measures")
    @classmethod
    def _are_defined(cls, measures: dict[str, str]) -> dict[str, str]:
        for table, measure in measures.items():
            if table not in (tables := table_names()):
                raise ValueError(f"no table '{table}'{did_you_mean(table, tables)}")
            if measure not in (known := list(load_table(table).measures)):
                raise ValueError(
                    f"{table} has no measure '{measure}'{did_you_mean(measure, known)}"
                )
        return measures


def draw(trainings: list[TrainingKey], options: Options, out: Path) -> None:
    """Write the rows and the count of verdicts as Markdown, LaTeX and CSV."""
    from semsplat.figures.referee.verdicts import counts_grid, judge_all

    results = Results(trainings)
    shown = (_cells(name, measure, results) for name, measure in options.measures.items())
    cells = list(chain.from_iterable(shown))
    judged = judge_all(results, options.rules)
    verdicts = counts_grid("Verdicts on the papers' claims", judged)
    grids = [_rows(cells), verdicts]
    write_sheet(Sheet(grids, [conditions(results)]), [c._asdict() for c in cells], out)


def _cells(name: str, measure: str, results: Results) -> list[Cell]:
    """Return a measure's means over the procedural scenes, of the rows that were trained."""
    column = f"{measure}@{load_table(name).stand_in}"
    paper = load_table(name).paper
    cells = [cell for cell in table_cells(name, results) if cell.column == column]
    # Two printed rows can be one setting: the first speaks for both.
    once = {cell.trainings: cell for cell in reversed(cells) if cell.mean is not None}
    return [c._replace(label=f"{paper}: {c.label}") for c in reversed(once.values())]


def _rows(cells: list[Cell]) -> Grid:
    rows = [[cell.label, cell.title, f"`{cell.protocol}`", our_text(cell, [])] for cell in cells]
    return Grid("Held-out views of procedural scenes", ["", "measure", "protocol", "ours"], rows)
