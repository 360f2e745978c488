"""A table of a paper: what it printed, and ours where the suite has the data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import field_validator

from semsplat.errors import did_you_mean
from semsplat.figures import SETTING_FILES
from semsplat.figures.published import load_table, table_names
from semsplat.params.base import Strict

if TYPE_CHECKING:
    from pathlib import Path

    from semsplat.figures.referee.cells import Cell
    from semsplat.figures.referee.layout import Block
    from semsplat.figures.referee.sheet import Grid
    from semsplat.figures.referee.trainings import Training

SCOPE = "trainings"
EXTENSION = "md"
NEEDS = SETTING_FILES


class Options(Strict):
    """What the table shows."""

    table: str
    """a definition in src/semsplat/figures/published"""

    @field_validator("table")
    @classmethod
    def _is_defined(cls, name: str) -> str:
        if name not in (known := table_names()):
            raise ValueError(f"no table '{name}'{did_you_mean(name, known)}")
        return name


def draw(trainings: list[Training], options: Options, out: Path) -> None:
    """Write the table as Markdown, LaTeX and CSV."""
    from semsplat.figures.referee.cells import table_cells
    from semsplat.figures.referee.layout import blocks, notes, reasons_of
    from semsplat.figures.referee.sheet import Sheet, write_sheet
    from semsplat.figures.referee.trainings import Results

    table = load_table(options.table)
    cells = table_cells(options.table, Results(trainings))
    grids = [_grid(block, reasons_of(cells)) for block in blocks(table, cells)]
    write_sheet(Sheet(grids, notes(table, cells)), [cell._asdict() for cell in cells], out)


def _grid(block: Block, reasons: list[str]) -> Grid:
    from semsplat.figures.referee.layout import our_text, printed_text
    from semsplat.figures.referee.sheet import Grid

    def text(cell: Cell) -> str:
        return f"{printed_text(cell)} {our_text(cell, reasons)}".strip()

    lines = [[cells[0].label, *map(text, cells)] for cells in block.rows]
    return Grid(block.title, ["", *block.heads], lines)
