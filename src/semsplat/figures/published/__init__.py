"""The papers' tables: what they printed (``<table>.csv``) and how we fill them (``<table>.yaml``).

A definition maps the printed rows to settings and the printed columns to measures on scenes.  From
it follow the trainings that a suite needs, our table beside theirs and the effects that claims
state; `measures.yaml` has every measure once, `claims.yaml` names the claims and the rules of their
verdicts.  Tables of our own are definitions without a CSV, whose ``paper`` is null.  What a
definition leaves out is as in the whole definition that it is ``like``.
"""

from __future__ import annotations

import csv
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from semsplat.errors import SemsplatError, did_you_mean
from semsplat.figures.published.claim_models import (
    Claims,
    Examination,
    Examinations,
    Finding,
    Findings,
    Written,
)
from semsplat.figures.published.measure_models import Measure, Measures
from semsplat.figures.published.models import Table
from semsplat.io import parse_yaml, sha256_file, sha256_text
from semsplat.plugins import tables

FOLDER = Path(__file__).parent
NOT_TABLES = ("measures", "claims", "findings", "examinations")

Printed = dict[str, dict[str, float | None]]
"""row: column: value, None where the paper prints none."""


def table_names(folder: Path = FOLDER) -> list[str]:
    """Return the names of all tables that have a definition."""
    own = (p.stem for p in folder.glob("*.yaml") if p.stem not in NOT_TABLES)
    return sorted({*own, *(path.stem for path in tables())})


def paper_names(folder: Path = FOLDER) -> list[str]:
    """Return the names of the papers' tables."""
    return [name for name in table_names(folder) if load_table(name, folder).paper]


@cache
def load_table(name: str, folder: Path = FOLDER) -> Table:
    """Return a definition; a `SemsplatError` names what is wrong with it."""
    path = _definition(name, folder)
    context = {"measures": load_measures(folder), "rows": lambda other: _rows(other, folder)}
    table: Table = _validated(Table, path, _said(path, folder), context)
    _check_printed(table, _read_printed(path.with_suffix(".csv"), table.key), path)
    return table


@cache
def load_measures(folder: Path = FOLDER) -> dict[str, Measure]:
    """Return all measures; a `SemsplatError` names what is wrong with one."""
    path = folder / "measures.yaml"
    measures: Measures = _validated(Measures, path, {"measures": _parsed(path)})
    return measures.measures


@cache
def load_claims(folder: Path = FOLDER) -> Claims:
    """Return the claims; a `SemsplatError` names what is wrong with one."""
    path = folder / "claims.yaml"
    written: Written = _validated(Written, path, _parsed(path))
    flat = written.flat(load_measures(folder))
    for name, count in Counter(name for name, _ in flat).items():
        if count > 1:
            raise SemsplatError(f"{path}: {name}: two claims have this name")
    claims: Claims = _validated(Claims, path, {"rules": written.rules, "claims": dict(flat)})
    for name, claim in claims.claims.items():
        if claim.table not in (tables := paper_names(folder)):
            fix = did_you_mean(claim.table, tables)
            raise SemsplatError(f"{path}: {name}: no published table '{claim.table}'{fix}")
        table = load_table(claim.table, folder)
        for kind, used, known in (
            ("row", claim.better, list(table.rows)),
            ("row", claim.worse, list(table.rows)),
            *(("row", row, list(table.rows)) for row in claim.needs.values()),
            ("measure", claim.measure, list(table.measures)),
            *((("ladder", claim.ladder, ladder_names(folder)),) if claim.ladder else ()),
            *(("column", column, list(table.columns)) for column in claim.columns or ()),
        ):
            if used not in known:
                fix = did_you_mean(used, known)
                raise SemsplatError(f"{path}: {name}: no {kind} '{used}' in {claim.table}{fix}")
    return claims


@cache
def load_findings(folder: Path = FOLDER) -> dict[str, list[Finding]]:
    """Return the questions by paper; a `SemsplatError` names what is wrong with one."""
    path = folder / "findings.yaml"
    written: Findings = _validated(Findings, path, {"papers": _parsed(path)})
    claims = load_claims(folder).claims
    for finding in (finding for several in written.papers.values() for finding in several):
        said, ladders = finding.ladder, ladder_names(folder)
        asked = [("claim", finding.claim, list(claims))] if finding.claim else []
        asked.append(("ladder", said.table, ladders))
        if said.table in ladders:
            table = load_table(said.table, folder)
            assert table.ladder
            asked.append(("effect", said.effect, list(table.ladder.effects)))
            asked.append(("measure", said.measure, list(table.measures)))
        for kind, used, known in asked:
            if used not in known:
                fix = did_you_mean(used, known)
                raise SemsplatError(f"{path}: {finding.asks} no {kind} '{used}'{fix}")
    return written.papers


@cache
def load_examinations(folder: Path = FOLDER) -> dict[str, Examination]:
    """Return what was looked at by claim; a `SemsplatError` names what is wrong with one."""
    path, known = folder / "examinations.yaml", list(load_claims(folder).claims)
    written: Examinations = _validated(Examinations, path, {"examinations": _parsed(path)})
    found: dict[str, Examination] = {}
    for examination in written.examinations:
        for name in examination.claims:
            if name not in known:
                raise SemsplatError(f"{path}: no claim '{name}'{did_you_mean(name, known)}")
            if name in found:
                raise SemsplatError(f"{path}: {name}: is examined twice")
            found[name] = examination
    return found


def ladder_names(folder: Path = FOLDER) -> list[str]:
    """Return the names of tables that have rungs."""
    return [name for name in table_names(folder) if load_table(name, folder).ladder]


@cache
def load_printed(name: str, folder: Path = FOLDER) -> Printed:
    """Return the printed numbers, by the definition's key column."""
    return _read_printed(folder / f"{name}.csv", load_table(name, folder).key)


def printed_value(table: Table, printed: Printed, row: str, column: str) -> float | None:
    """Return what the paper prints in one cell."""
    turned = table.columns[column].rows
    if not table.rows[row].printed:
        return None
    if turned is None:
        return printed[row][column]
    return printed[column][turned[row]] if row in turned else None


def digest_of(folder: Path) -> str:
    """Return a digest of a folder's files and of plugins' tables: no code, and yet drawn from."""
    own = sorted(p for p in folder.iterdir() if p.is_file() and p.suffix != ".py")
    paths = [*own, *tables()]
    return sha256_text("".join(sha256_file(path) for path in paths))[:16]


def _definition(name: str, folder: Path) -> Path:
    """Return the file of a table, which must be there."""
    if name not in (known := table_names(folder)):
        raise SemsplatError(f"no table '{name}'{did_you_mean(name, known)}")
    own = folder / f"{name}.yaml"
    for path in tables():
        if path.stem == name:
            if own.is_file():
                raise SemsplatError(f"{path}: there is a table {name} already; rename it")
            return path
    return own


def _said(path: Path, folder: Path) -> Any:
    """Return what a table's file says, and what it leaves to the table that it is ``like``."""
    said = _parsed(path)
    if not isinstance(said, dict) or "like" not in said:
        return said
    other = _parsed(_definition(name := str(said.pop("like")), folder))
    if "like" in other:
        raise SemsplatError(f"{path}: like: {name} is like another itself; name that one")
    return other | said


def _rows(name: str, folder: Path) -> dict[str, Any]:
    """Return the rows that a table lists itself."""
    rows: dict[str, Any] = _said(_definition(name, folder), folder).get("rows", {})
    return rows


def _read_printed(path: Path, key: str | None) -> Printed:
    """Return a CSV's numbers by row and column; a table of ours has none."""
    if key is None:
        return {}
    try:
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
    except FileNotFoundError:
        raise SemsplatError(
            f"{path}: no such file; {path.stem}.yaml needs the printed numbers"
        ) from None
    return {row[key]: {k: _number(v) for k, v in row.items() if k != key} for row in rows}


def _number(text: str) -> float | None:
    """Return a cell as a number; "~1" is about 1, words are none."""
    try:
        return float(text.removeprefix("~"))
    except ValueError:
        return None


def _parsed(path: Path) -> Any:
    """Return what a YAML file says."""
    try:
        return parse_yaml(path.read_text())
    except yaml.YAMLError as error:
        where = str(error).splitlines()[-1].strip()
        raise SemsplatError(f"{path}: not valid YAML ({where})") from None


def _validated(model: Any, path: Path, value: Any, context: Any = None) -> Any:
    """Return what a file says as a model; the first mistake is a `SemsplatError`."""
    try:
        return model.model_validate(value, strict=False, context=context)
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
            missing += [k for k, row in table.rows.items() if row.printed and k not in printed]
        else:
            missing = [column] if column not in printed else []
        if missing:
            raise SemsplatError(f"{path}: {', '.join(missing)}: not in the CSV beside it")
