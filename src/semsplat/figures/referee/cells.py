"""The cells of a table: what was printed, what we measured, or why there is nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from semsplat.figures.published import load_printed, load_table, printed_value
from semsplat.figures.published.measure_models import Measure
from semsplat.figures.published.models import REAL, Row, Table
from semsplat.figures.referee.trainings import Results, no_number, spread
from semsplat.keys import TrainingKey

LESSONS = {"teacher_": "teacher `{}`, 2-D", "best_vote_": "best vote of its regions, `{}`"}
"""Prefixes of scores about what was taught, and what their rows are called."""


class Cell(NamedTuple):
    """One cell, a line of the table's CSV."""

    row: str
    label: str
    column: str  # of the published CSV; or measure@dataset, measure@dataset/scene
    title: str
    evidence: str
    scenes: str  # dataset/scene, separated by spaces
    measure: str
    protocol: str
    digits: int
    mean: float | None = None  # over scenes, then over seeds; in the unit of the printed number
    sd: float | None = None  # over seeds
    n_seeds: int = 0
    published: float | None = None
    difference: float | None = None
    reason: str = ""  # why there is no mean
    trainings: str = ""  # dataset/scene/setting/seed, separated by spaces

    @property
    def alone(self) -> bool:
        """Whether nothing printed stands beside it."""
        return "@" in self.column

    @property
    def group(self) -> str:
        """The data set or the scene of a cell that stands alone."""
        return self.column.rpartition("@")[2]


class Group(NamedTuple):
    """Scenes over which cells are means: those of a data set, or one alone."""

    name: str
    scenes: list[str]
    evidence: str


WHOLE, REAL_NUMBERS = {"digits", "n_seeds"}, {"mean", "sd", "published", "difference"}


def parse_cell(record: Mapping[str, str]) -> Cell:
    """Return a cell from a line of the table's CSV."""
    values: dict[str, Any] = dict(record)
    values |= {name: int(record[name]) for name in WHOLE}
    values |= {name: float(record[name]) if record[name] else None for name in REAL_NUMBERS}
    return Cell(**values)


def table_cells(name: str, results: Results) -> list[Cell]:
    """Return all cells of a table, row by row: the printed columns, then ours alone.

    Columns of real scenes have what is printed and, where all their scenes were trained on, ours;
    columns of whole data sets have ours.  No cell mixes data sets.
    """
    table, printed = load_table(name), load_printed(name)
    shown, cells = groups(table, results), []
    for key, row in rows_of(table, results).items():
        for column, entry in table.columns.items():
            cell = _measured(table, key, row, entry.measure, entry.scenes, results)
            value = printed_value(table, printed, key, column)
            cells.append(_beside(cell._replace(column=column), value))
        cells += cells_of_row(table, key, row, shown, results)
    return cells


def rows_of(table: Table, results: Results) -> dict[str, Row]:
    """Return a table's rows, below what the trainings were taught: each teacher once."""
    rows = {
        key: row.model_copy(update={"label": results.label_of(row.setting, row.label)})
        for key, row in table.rows.items()
    }
    return (_lessons(table.settings, results) if table.lessons else {}) | rows


def groups(table: Table, results: Results) -> list[Group]:
    """Return the data sets that a table shows whole, each before its scenes."""
    shown = []
    for dataset, evidence in table.evidence.items():
        places = results.scenes(dataset)
        shown.append(Group(dataset, places or [f"{dataset}/-"], evidence))
        shown += [Group(place, [place], evidence) for place in places]
    return shown


def cells_of_row(
    table: Table, key: str, row: Row, shown: Iterable[Group], results: Results
) -> list[Cell]:
    """Return a row's cells that stand alone: every measure in every group."""
    return [
        _measured(table, key, row, name, group.scenes, results)._replace(
            column=f"{name}@{group.name}", evidence=group.evidence
        )
        for group in shown
        for name in table.measures
    ]


def _lessons(settings: list[str], results: Results) -> dict[str, Row]:
    """Return the rows of what some settings were taught."""
    rows: dict[str, Row] = {}
    for training in (t for name in settings for t in results.trainings if t.setting == name):
        teacher = results.card(training)["config"].get("options", {}).get("teacher")
        for prefix, label in LESSONS.items() if teacher else ():
            row = Row(label=label.format(teacher), setting=training.setting, prefix=prefix)
            rows.setdefault(f"{prefix}{teacher}", row)
    return rows


def _measured(
    table: Table, key: str, row: Row, name: str, scenes: list[str], results: Results
) -> Cell:
    """Return a row's cell with our number of a measure, or the reason why there is none."""
    measure = table.measure_on(name, scenes, row).before(row.prefix)
    trainings = results.of(row.setting, scenes)
    values = [results.value(training, measure) for training in trainings]
    reason = _gap(scenes, trainings, results) or _blank(row, measure, values)
    cell = Cell(
        row=key,
        label=row.label,
        column="",
        title=measure.title,
        evidence=REAL,
        scenes=" ".join(scenes),
        measure=name,
        protocol=measure.protocol or "",
        digits=measure.digits,
        reason=reason,
    )
    if reason:
        return cell
    pairs = [(t.seed, v) for t, v in zip(trainings, values, strict=True) if v is not None]
    return cell._replace(**spread(pairs)._asdict(), trainings=" ".join(map(str, trainings)))


def _gap(scenes: list[str], trainings: list[TrainingKey], results: Results) -> str:
    """Return why some scenes have no trainings; empty where all have."""
    trained = {training.place for training in trainings}
    missing = [scene for scene in scenes if scene not in trained]
    if not missing:
        return ""
    here = {training.place for training in results.trainings}
    absent = sorted({scene.split("/")[0] for scene in missing if scene not in here})
    return f"no data: {', '.join(absent)}" if absent else "not trained in this suite"


def _blank(row: Row, measure: Measure, values: list[float | None]) -> str:
    if None not in values:
        return ""
    return "not scored of what was taught" if row.prefix else no_number(measure)


def _beside(cell: Cell, published: float | None) -> Cell:
    """Return a cell with the printed number and what ours differs from it."""
    gap = None if cell.mean is None or published is None else cell.mean - published
    return cell._replace(published=published, difference=gap)
