"""The cells of a published table: what was printed, what we measured, or why there is nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from semsplat.figures.published import load_printed, load_table, printed_value
from semsplat.figures.published.models import PROCEDURAL, REAL, Measure, Table
from semsplat.figures.referee.trainings import Results, Training, no_number, spread


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
    places = results.scenes(table.stand_in) or [f"{table.stand_in}/-"]
    groups = [(f"{{}}@{table.stand_in}", places)]
    groups += [(f"{{}}@{place}", [place]) for place in results.scenes(table.stand_in)]
    cells = []
    for key in table.rows:
        for column, entry in table.columns.items():
            cell = _measured(table, key, entry.measure, entry.scenes, results)
            value = printed_value(table, printed, key, column)
            cells.append(_beside(cell._replace(column=column), value))
        for pattern, scenes in groups:
            for measure in table.measures:
                cell = _measured(table, key, measure, scenes, results)
                column = pattern.format(measure)
                cells.append(cell._replace(column=column, evidence=PROCEDURAL))
    return cells


def _measured(table: Table, key: str, name: str, scenes: list[str], results: Results) -> Cell:
    """Return a row's cell with our number of a measure, or the reason why there is none."""
    row, measure = table.rows[key], table.measure_on(name, scenes)
    trainings = results.of(row.setting, scenes)
    values = [results.value(training, measure) for training in trainings]
    reason = row.absent or _gap(scenes, trainings, results) or _blank(measure, values)
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


def _gap(scenes: list[str], trainings: list[Training], results: Results) -> str:
    """Return why some scenes have no trainings; empty where all have."""
    trained = {training.place for training in trainings}
    missing = [scene for scene in scenes if scene not in trained]
    if not missing:
        return ""
    here = {training.place for training in results.trainings}
    absent = sorted({scene.split("/")[0] for scene in missing if scene not in here})
    return f"no data: {', '.join(absent)}" if absent else "not trained in this suite"


def _blank(measure: Measure, values: list[float | None]) -> str:
    return no_number(measure) if None in values else ""


def _beside(cell: Cell, published: float | None) -> Cell:
    """Return a cell with the printed number and what ours differs from it."""
    gap = None if cell.mean is None or published is None else cell.mean - published
    return cell._replace(published=published, difference=gap)
