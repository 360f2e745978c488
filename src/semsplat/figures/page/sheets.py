"""What the page shows of tables, of costs and of cards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from semsplat.figures.page.anchors import anchor
from semsplat.figures.published import load_measures, load_table
from semsplat.figures.published.numbers import columns_of, data_names, rows_of
from semsplat.figures.referee.cells import Cell, parse_cell
from semsplat.figures.referee.chain import chain
from semsplat.figures.referee.layout import blocks, notes, our_text, printed_text, reasons_of
from semsplat.figures.referee.sheet import read_records
from semsplat.io import read_json
from semsplat.keys import TrainingKey

CARD_FACTS = ("run_key", "git", "code", "config", "privileges", "inputs", "outputs", "numbers")
"""What the page shows of a card beside its machine: all but times of day, paths and the host."""


def table_of(folder: Path, name: str) -> dict[str, Any]:
    """Return a table as blocks of texts and links; rows know whether any number is ours."""
    table = load_table(name)
    cells = [parse_cell(record) for record in read_records(folder / f"{name}.csv")]
    reasons = reasons_of(cells)

    def shown(cell: Cell) -> dict[str, Any]:
        link = anchor(cell.trainings) if cell.mean is not None else None
        return {
            "printed": printed_text(cell),
            "ours": our_text(cell, reasons),
            "link": link,
            "reason": cell.reason,
            "order": cell.published if cell.mean is None else cell.mean,
        }

    laid = [
        {
            "title": block.title,
            "heads": [head.replace("`", "").split("<br>") for head in block.heads],
            "rows": [
                {
                    "label": row[0].label.replace("`", ""),
                    "cells": [shown(cell) for cell in row],
                    "run": any(cell.mean is not None for cell in row),
                }
                for row in block.rows
            ],
        }
        for block in blocks(table, cells)
    ]
    return {"name": name, "paper": table.paper, "blocks": laid, "notes": notes(table, cells)}


def costs(folder: Path) -> list[dict[str, Any]]:
    """Return the lines of costs.csv."""
    lines = read_records(folder / "costs.csv")
    return [
        {
            "training": line.pop("training"),
            "numbers": {n: f"{float(v):.1f}" if v else "" for n, v in line.items()},
        }
        for line in lines
    ]


def boards(folder: Path) -> list[dict[str, Any]]:
    """Return the boards of leaderboard.csv: heads, and rows of numbers with ranks and links."""
    known = load_measures()
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for line in read_records(folder / "leaderboard.csv"):
        place = line["board"], line["dataset"]
        board = found.setdefault(place, {"heads": {}, "rows": {}})
        measure = known[line["measure"]]
        board["heads"][line["measure"]] = measure.title, line["protocol"]
        board["rows"].setdefault(line["label"], {})[line["measure"]] = {
            "text": f"{float(line['mean']):.{measure.digits}f}",
            "rank": int(line["rank"]),
            "link": anchor(line["trainings"]),
        }
    return [
        {
            "title": f"{title}: {dataset}",
            "heads": list(board["heads"].values()),
            "rows": [
                {"label": label, "cells": [cells.get(name) for name in board["heads"]]}
                for label, cells in board["rows"].items()
            ],
        }
        for (title, dataset), board in found.items()
    ]


def printed() -> list[dict[str, Any]]:
    """Return what papers print by several protocols, a table for each data."""
    tables = []
    for data in data_names():
        columns = columns_of(data)
        rows = {s: {c: cells.get(c, "") for c in columns} for s, cells in rows_of(data).items()}
        tables.append({"data": data, "columns": columns, "rows": rows})
    return tables


def cards(trainings: Sequence[TrainingKey]) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Return setting: scene: the cards of its trainings."""
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for training in sorted(trainings, key=lambda t: (t.setting, t)):
        places = found.setdefault(training.setting, {})
        places.setdefault(training.place, []).append(_card(training))
    return found


def _card(training: TrainingKey) -> dict[str, Any]:
    """Return what the page shows of one training: its card, its scores, what it was made from."""
    links = chain(training.folder)
    scores = read_json(training.scores_path)
    return {
        "name": str(training),
        "seed": training.seed,
        "card": {name: links[0].card[name] for name in CARD_FACTS}
        | {"machine": {k: v for k, v in links[0].card["machine"].items() if k != "host"}},
        "metrics": scores["metrics"],
        "sources": [
            {"kind": k.kind, "folder": str(k.folder), "key": k.card["run_key"]} for k in links[1:]
        ],
        "commit": links[0].card["git"]["commit"],
        "dirty": links[0].card["git"]["dirty"],
    }
