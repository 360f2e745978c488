"""The cells of a published table: what was printed, what we measured, or why there is nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from semsplat.figures.published import PROCEDURAL, REAL, load_printed, load_table, printed_value
from semsplat.figures.published.models import Column, Measure, Row, Table
from semsplat.figures.referee.trainings import Results, Training, spread


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
    mean: float | None  # over scenes, then over seeds; in the unit of the printed number
    sd: float | None  # over seeds
    n_seeds: int
    published: float | None
    difference: float | None
    reason: str  # why there is no mean
    trainings: str  # dataset/scene/setting/seed, separated by spaces


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
    columns of the data set that stands in have ours.  No cell mixes the two.
    """
    table, printed = load_table(name), load_printed(name)
    places = results.scenes(table.stand_in)
    groups = [(f"{{}}@{table.stand_in}", places), *((f"{{}}@{p}", [p]) for p in places)]
    cells = []
    for key, row in table.rows.items():
        for column, entry in table.columns.items():
            cell = _measured(table, key, row, entry, results)
            value = printed_value(table, printed, key, column)
            cells.append(_beside(cell._replace(column=column), value))
        for pattern, scenes in groups:
            for measure in table.measures:
                entry = Column(measure=measure, scenes=scenes or [f"{table.stand_in}/-"])
                cell = _measured(table, key, row, entry, results)
                column = pattern.format(measure)
                cells.append(cell._replace(column=column, evidence=PROCEDURAL))
    return cells


def _measured(table: Table, key: str, row: Row, column: Column, results: Results) -> Cell:
    """Return a cell with our number, or the reason why there is none."""
    measure = table.measures[column.measure]
    trainings = results.of(row.setting, column.scenes)
    values = [results.value(training, measure) for training in trainings]
    reason = row.absent or _gap(column, trainings, results) or _blank(measure, values)
    cell = Cell(
        row=key,
        label=row.label,
        column="",
        title=measure.title,
        evidence=REAL,
        scenes=" ".join(column.scenes),
        measure=column.measure,
        protocol=measure.protocol or "",
        digits=measure.digits,
        mean=None,
        sd=None,
        n_seeds=0,
        published=None,
        difference=None,
        reason=reason,
        trainings="",
    )
    if reason:
        return cell
    pairs = [(t.seed, v) for t, v in zip(trainings, values, strict=True) if v is not None]
    return cell._replace(
        **spread(pairs)._asdict(), trainings=" ".join(str(training) for training in trainings)
    )


def _gap(column: Column, trainings: list[Training], results: Results) -> str:
    """Return why a column's scenes have no trainings; empty where all have."""
    trained = {training.place for training in trainings}
    missing = [scene for scene in column.scenes if scene not in trained]
    if not missing:
        return ""
    here = {training.place for training in results.trainings}
    absent = sorted({scene.split("/")[0] for scene in missing if scene not in here})
    return f"no data: {', '.join(absent)}" if absent else "not trained in this suite"


def _blank(measure: Measure, values: list[float | None]) -> str:
    return f"no {measure.name} in {measure.source}" if None in values else ""


def _beside(cell: Cell, published: float | None) -> Cell:
    """Return a cell with the printed number and what ours differs from it."""
    known = cell.mean is not None and published is not None
    return cell._replace(
        published=published,
        difference=cell.mean - published if known else None,  # type: ignore[operator]
    )
