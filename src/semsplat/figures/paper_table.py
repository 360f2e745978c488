"""A table: what a paper printed and ours where the suite has the data, or ours alone."""

from __future__ import annotations

from pathlib import Path

from pydantic import field_validator

from semsplat.errors import did_you_mean
from semsplat.figures import SETTING_FILES
from semsplat.figures.published import load_table, table_names
from semsplat.figures.referee.cells import table_cells
from semsplat.figures.referee.facts import facts
from semsplat.figures.referee.layout import write_table
from semsplat.figures.referee.trainings import Results
from semsplat.keys import TrainingKey
from semsplat.params.base import Strict

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


def draw(trainings: list[TrainingKey], options: Options, out: Path) -> None:
    """Write the table as Markdown, LaTeX and CSV."""
    table, results = load_table(options.table), Results(trainings)
    said = [] if table.paper else facts(table, results)
    write_table(table, table_cells(options.table, results), said, out)
