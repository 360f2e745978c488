"""What papers print of many systems by several protocols (``numbers.csv``): no table of any paper.

A line is one number, in percent, with the paper that prints it and the protocol of ours that is
closest; what it is called there stands in ``column``.  Of several papers' numbers a system's own
comes first, else the first line; ranks are by that.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from semsplat.errors import SemsplatError, did_you_mean
from semsplat.evaluate.protocols import protocols
from semsplat.figures.published import FOLDER

COLUMNS = ("data", "system", "column", "protocol", "value", "paper")
HEAD = """# Published numbers

Generated from `src/semsplat/figures/published/numbers.csv` by `make docs`; do not edit.

What papers print of one system on the same data, by several protocols. In each cell the system's
own paper comes first, and in brackets its rank by that among the systems in the column; further
numbers are of the papers that are named. A protocol is the one of [ours](protocols.md) that is
closest to what the papers say; in whatever else differs they do not tell. A rank says less than it
seems where few systems are in a column. None of these numbers is ours: where our own systems stand
by the same protocols is told by the leaderboards and the figure `ranks` of a suite's page.
"""


class Number(NamedTuple):
    """One printed number."""

    data: str
    system: str
    column: str
    protocol: str
    text: str  # percent, as it is printed
    paper: str

    @property
    def value(self) -> float:
        """The number; more is better."""
        return float(self.text)


class Standing(NamedTuple):
    """What a system has in a column."""

    system: str
    column: str
    numbers: tuple[Number, ...]  # the first is ranked
    rank: int  # 1 is best; equal numbers share one


@cache
def load_numbers(folder: Path = FOLDER) -> tuple[Number, ...]:
    """Return all numbers; a `SemsplatError` names what is wrong with one."""
    path = folder / "numbers.csv"
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise SemsplatError(f"{path}: its columns must be {', '.join(COLUMNS)}")
        return tuple(_number(row, f"{path}: line {reader.line_num}") for row in reader)


def _number(row: dict[str, str], where: str) -> Number:
    if row["protocol"] not in (known := list(protocols())):
        fix = did_you_mean(row["protocol"], known)
        raise SemsplatError(f"{where}: no protocol '{row['protocol']}'{fix}")
    if not all(row[name] for name in COLUMNS):
        raise SemsplatError(f"{where}: an empty cell; every number has a paper")
    number = Number(*(row[name] for name in COLUMNS))
    try:
        float(number.text)
    except ValueError:
        raise SemsplatError(f"{where}: '{number.text}' is no number") from None
    return number


def data_names(folder: Path = FOLDER) -> list[str]:
    """Return what the numbers are of, in the order of the file."""
    return list(dict.fromkeys(number.data for number in load_numbers(folder)))


def columns_of(data: str, folder: Path = FOLDER) -> dict[str, str]:
    """Return {column: protocol} of some data, in the order of the file."""
    return {n.column: n.protocol for n in load_numbers(folder) if n.data == data}


def standings_of(data: str, least: int = 1, folder: Path = FOLDER) -> list[Standing]:
    """Return the standings on some data of the systems that are in ``least`` columns or more.

    Column by column, best first; ranks are among these systems.
    """
    found: dict[tuple[str, str], list[Number]] = {}
    for number in load_numbers(folder):
        if number.data == data:
            found.setdefault((number.column, number.system), []).append(number)
    in_columns = [system for _, system in found]
    kept = {k: _own_first(v) for k, v in found.items() if in_columns.count(k[1]) >= least}
    return [standing for column in columns_of(data, folder) for standing in _ranked(column, kept)]


def _own_first(numbers: list[Number]) -> tuple[Number, ...]:
    return tuple(sorted(numbers, key=lambda number: number.paper != number.system))


def _ranked(column: str, found: dict[tuple[str, str], tuple[Number, ...]]) -> list[Standing]:
    """Return the standings of one column."""
    values = {system: some[0].value for (c, system), some in found.items() if c == column}
    ranks = ranks_of(values)
    ordered = sorted(values, key=lambda system: ranks[system])
    return [Standing(s, column, found[column, s], ranks[s]) for s in ordered]


def ranks_of(values: Mapping[str, float]) -> dict[str, int]:
    """Return the ranks of numbers of which more is better: 1 is best; equal numbers share one."""
    return {s: 1 + sum(other > value for other in values.values()) for s, value in values.items()}


def cell(standing: Standing) -> str:
    """Return numbers, the papers of those that are not the system's own, and the rank."""
    first, *further = standing.numbers
    texts = [f"{_said(first)} ({standing.rank})", *map(_said, further)]
    return ", ".join(texts)


def _said(number: Number) -> str:
    by = "" if number.paper == number.system else f" in {number.paper}"
    return f"{number.text}{by}"


def rows_of(data: str, folder: Path = FOLDER) -> dict[str, dict[str, str]]:
    """Return {system: {column: cell}}, by the number of columns that a system is in."""
    rows: dict[str, dict[str, str]] = {}
    for standing in standings_of(data, folder=folder):
        rows.setdefault(standing.system, {})[standing.column] = cell(standing)
    return dict(sorted(rows.items(), key=lambda row: -len(row[1])))


def markdown() -> str:
    """Return the page of the documentation."""
    return "\n".join([HEAD, *map(_section, data_names())])


def _section(data: str) -> str:
    columns = columns_of(data)
    heads = ["system", *(f"{column}<br>`{protocol}`" for column, protocol in columns.items())]
    lines = [heads, ["---", *["---:"] * len(columns)]]
    lines += [[s, *(cells.get(c, "") for c in columns)] for s, cells in rows_of(data).items()]
    return "\n".join([f"## {data}", "", *(f"| {' | '.join(line)} |" for line in lines), ""])
