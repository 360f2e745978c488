"""A ladder as a table: how an effect changes with what it may depend on."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

from pydantic import field_validator

from semsplat.figures import SETTING_FILES
from semsplat.figures.paper_table import Options as TableOptions
from semsplat.figures.published import load_table
from semsplat.figures.referee.ladders import Rung, reading, rungs_of
from semsplat.figures.referee.layout import conditions
from semsplat.figures.referee.sheet import Grid, Sheet, write_sheet
from semsplat.figures.referee.trainings import Results
from semsplat.keys import TrainingKey

SCOPE = "trainings"
EXTENSION = "md"
NEEDS = SETTING_FILES


class Options(TableOptions):
    """Which ladder."""

    @field_validator("table")
    @classmethod
    def _has_rungs(cls, name: str) -> str:
        if not load_table(name).ladder:
            raise ValueError(f"table '{name}' has no ladder")
        return name


def draw(trainings: list[TrainingKey], options: Options, out: Path) -> None:
    """Write the ladder as Markdown, LaTeX and CSV: an effect per rung and measure."""
    table, results = load_table(options.table), Results(trainings)
    assert table.ladder
    rungs = list(rungs_of(table, results))
    head = ["effect", table.ladder.axis, *(m.title for m in table.measures.values()), "pairs"]
    rows = [_row(list(some)) for _, some in groupby(rungs, lambda r: (r.effect, r.rung))]
    note = "Mean difference over scenes and seeds ± its standard deviation over them."
    notes = [note, *_readings(rungs), *table.footnotes, conditions(results)]
    grid = Grid(table.title, head, rows)
    write_sheet(Sheet([grid], notes), [_record(rung) for rung in rungs], out)


def _readings(rungs: list[Rung]) -> list[str]:
    """Return in words how every effect changes along its rungs.

    By the first measure, and by those others whose directions are not the same.
    """
    first, several = rungs[0].measure.title, dict[str, dict[str, list[Rung]]]()
    for rung in rungs:
        by_measure = several.setdefault(rung.effect, {})
        by_measure.setdefault(rung.measure.title, []).append(rung)
    chosen = [
        (effect, title, some)
        for effect, by_measure in several.items()
        for title, some in by_measure.items()
        if title == first or _tells_otherwise(some, by_measure[first])
    ]
    return [f"{e}, {title}: {words}." for e, title, some in chosen if (words := reading(some))]


def _tells_otherwise(rungs: list[Rung], others: list[Rung]) -> bool:
    """Tell whether an effect has directions by one measure that it has not by another."""
    signs = [rung.sign for rung in rungs]
    return any(signs) and signs != [rung.sign for rung in others]


def _row(rungs: list[Rung]) -> list[str]:
    """Return a line: one rung of one effect, by all measures."""
    first = rungs[0]
    return [first.effect, first.rung, *map(_text, rungs), str(len(first.values))]


def _text(rung: Rung) -> str:
    """Return the mean with its sign, and the deviation; empty where nothing was trained."""
    if rung.mean is None:
        return ""
    digits = rung.measure.digits
    spread = "" if rung.sd is None else f" ± {rung.sd:.{digits}f}"
    return f"{rung.mean:+.{digits}f}{spread}"


def _record(rung: Rung) -> dict[str, Any]:
    """Return one line of the CSV."""
    return {
        "effect": rung.effect,
        "rung": rung.rung,
        "measure": rung.measure.name,
        "mean": rung.mean,
        "sd": rung.sd,
        "pairs": len(rung.values),
    }
