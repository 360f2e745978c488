"""The papers' tables: what they printed (``<table>.csv``) and how we fill them (``<table>.yaml``).

A definition maps the printed rows to settings and the printed columns to measures on scenes.  From
it follow the trainings that a suite needs, our table beside theirs and the effects that claims
state; `claims.yaml` names the claims and the rules of their verdicts.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from semsplat.errors import SemsplatError, did_you_mean
from semsplat.io import sha256_file, sha256_text
from semsplat.params.base import Count, Strict

FOLDER = Path(__file__).parent
PROCEDURAL, REAL = "procedural", "real data"
"""Levels of evidence, which no number mixes."""


class Measure(Strict):
    """One number of a training, and how it is printed."""

    title: str
    """head of its columns"""
    source: Literal["scores", "speed", "card", "costs"]
    """the file that holds it: scores.json, results/speed.json, run.json or the benchmarks"""
    name: str
    """its key in that file"""
    protocol: str | None
    """the protocol of a score; nothing else has one"""
    better: Literal["higher", "lower"]
    """which way is better"""
    factor: float = 1.0
    """multiplies it: 100 for percent"""
    digits: int = Field(default=2, ge=0)
    """decimals"""
    note: str | None = None
    """what a reader must know before comparing it with the printed number"""

    @model_validator(mode="after")
    def _scores_have_protocols(self) -> Measure:
        if (self.source == "scores") != (self.protocol is not None):
            raise ValueError("scores name their protocol, other numbers have none")
        return self


class Row(Strict):
    """One printed row."""

    label: str
    """what it is called"""
    setting: str | None = None
    """the setting that computes it"""
    absent: str | None = None
    """why none does"""

    @model_validator(mode="after")
    def _setting_or_reason(self) -> Row:
        if (self.setting is None) == (self.absent is None):
            raise ValueError("a row has a setting or says why it is absent")
        return self


class Column(Strict):
    """One printed column."""

    measure: str
    """what it shows"""
    scenes: list[str] = Field(min_length=1)
    """dataset/scene; the mean over them"""
    rows: dict[str, str] | None = None
    """printed row: its column in the file, where the file has rows and columns the other way"""


class Table(Strict):
    """One table of a paper."""

    paper: Literal["CLIP-GS", "GAGS", "CGC"]
    """which one"""
    number: Count
    """its number there"""
    title: str
    """what it shows"""
    key: str
    """the column of the CSV that names its rows"""
    stand_in: str
    """the procedural data set on which suites without real data fill it"""
    rows: dict[str, Row] = Field(min_length=1)
    """in the order of the paper, by what the CSV calls them"""
    measures: dict[str, Measure] = Field(min_length=1)
    """by name; the first are printed, others are ours alone: twins and costs"""
    columns: dict[str, Column]
    """of the CSV"""
    footnotes: list[str]
    """the paper's own inconsistencies, and what we read otherwise"""

    @model_validator(mode="after")
    def _measures_exist(self) -> Table:
        for name, column in self.columns.items():
            if column.measure not in self.measures:
                raise ValueError(f"column {name}: no measure '{column.measure}'")
        return self

    @property
    def settings(self) -> list[str]:
        """The settings of all rows, each once."""
        return list(dict.fromkeys(row.setting for row in self.rows.values() if row.setting))

    @property
    def datasets(self) -> list[str]:
        """The data sets of all columns, and the procedural one that stands in for them."""
        real = [scene.split("/")[0] for c in self.columns.values() for scene in c.scenes]
        return list(dict.fromkeys([self.stand_in, *real]))


class Claim(Strict):
    """One comparison that a paper states."""

    table: str
    """the table whose rows and measure it is about"""
    source: str
    """where the paper says so"""
    statement: str
    """what it says, in our words"""
    better: str
    """the row that the paper prefers"""
    worse: str
    """the row that it is compared with"""
    measure: str
    """what is compared"""
    scale: Literal["difference", "ratio"] = "difference"
    """how: better minus worse, or better over worse; where lower is better, the other way round"""
    at_least: float = 0.0
    """the effect that the claim needs: 0 or 1 for a direction, less where nothing may be lost"""
    printed: tuple[float, float] | None = None
    """better and worse as printed in the text, where no table has them"""
    columns: list[str] | None = None
    """the printed columns that it is about, where not all of the measure"""


class Rules(Strict):
    """How a verdict is reached; fixed before results."""

    confidence: float = Field(gt=0.5, lt=1)
    """of the interval"""
    resamples: Count
    """of the bootstrap"""
    seed: int
    """of the bootstrap"""
    min_scenes: Count
    """with fewer, inconclusive"""
    min_pairs: Count
    """pairs of one scene and one seed; with fewer, inconclusive"""


class Claims(Strict):
    """The whole file."""

    rules: Rules
    """for every claim"""
    claims: dict[str, Claim]
    """by name"""


Printed = dict[str, dict[str, float | None]]
"""row: column: value, None where the paper prints none."""


def table_names(folder: Path = FOLDER) -> list[str]:
    """Return the names of all tables that have a definition."""
    return sorted(path.stem for path in folder.glob("*_table*.yaml"))


@cache
def load_table(name: str, folder: Path = FOLDER) -> Table:
    """Return a definition; a `SemsplatError` names what is wrong with it."""
    if name not in (known := table_names(folder)):
        raise SemsplatError(f"no published table '{name}'{did_you_mean(name, known)}")
    table: Table = _validated(Table, folder / f"{name}.yaml")
    _check_printed(table, load_printed(name, folder), folder / f"{name}.yaml")
    return table


@cache
def load_claims(folder: Path = FOLDER) -> Claims:
    """Return the claims; a `SemsplatError` names what is wrong with one."""
    path = folder / "claims.yaml"
    claims: Claims = _validated(Claims, path)
    for name, claim in claims.claims.items():
        table = load_table(claim.table, folder)
        for kind, used, known in (
            ("row", claim.better, list(table.rows)),
            ("row", claim.worse, list(table.rows)),
            ("measure", claim.measure, list(table.measures)),
            *(("column", column, list(table.columns)) for column in claim.columns or ()),
        ):
            if used not in known:
                fix = did_you_mean(used, known)
                raise SemsplatError(f"{path}: {name}: no {kind} '{used}' in {claim.table}{fix}")
    return claims


@cache
def load_printed(name: str, folder: Path = FOLDER) -> Printed:
    """Return the printed numbers, by the definition's key column."""
    with (folder / f"{name}.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    key = yaml.safe_load((folder / f"{name}.yaml").read_text())["key"]
    return {row[key]: {k: _number(v) for k, v in row.items() if k != key} for row in rows}


def printed_value(table: Table, printed: Printed, row: str, column: str) -> float | None:
    """Return what the paper prints in one cell."""
    turned = table.columns[column].rows
    if turned is None:
        return printed[row][column]
    return printed[column][turned[row]] if row in turned else None


def digest_of(folder: Path) -> str:
    """Return a digest of a folder's files, which are no code and yet decide what is drawn."""
    paths = sorted(path for path in folder.iterdir() if path.is_file())
    return sha256_text("".join(sha256_file(path) for path in paths))[:16]


def _number(text: str) -> float | None:
    """Return a cell as a number; "~1" is about 1, words are none."""
    try:
        return float(text.removeprefix("~"))
    except ValueError:
        return None


def _validated(model: Any, path: Path) -> Any:
    """Return a file as a model; the first mistake is a `SemsplatError`."""
    try:
        return model.model_validate(yaml.safe_load(path.read_text()), strict=False)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise SemsplatError(f"{path}: {where}: {first['msg']}") from None


def _check_printed(table: Table, printed: Printed, path: Path) -> None:
    """Refuse rows and columns that the CSV does not have."""
    for column, entry in table.columns.items():
        if entry.rows is None:
            known = {name for row in printed.values() for name in row}
            missing = [column] if column not in known else []
            missing += [row for row in table.rows if row not in printed]
        else:
            missing = [column] if column not in printed else []
        if missing:
            raise SemsplatError(f"{path}: {', '.join(missing)}: not in the CSV beside it")
