"""How the cells of a published table stand on a page: printed columns first, then ours alone."""

from __future__ import annotations

from typing import NamedTuple

from semsplat.figures.published.models import PROCEDURAL, REAL, Table
from semsplat.figures.referee.cells import Cell
from semsplat.figures.referee.trainings import Results, spread_text


class Block(NamedTuple):
    """One grid of cells of one level of evidence."""

    title: str
    heads: list[str]
    """of the columns; <br> breaks a line"""
    rows: list[list[Cell]]


def blocks(table: Table, cells: list[Cell]) -> list[Block]:
    """Return the printed columns with ours, then ours on procedural scenes: their mean, and each.

    On procedural scenes rows and measures without any number are left out.
    """
    first = f"{table.paper}, Table {table.number}: {table.title}"
    found = [_block(first, [cell for cell in cells if cell.evidence == REAL])]
    ours = [cell for cell in cells if cell.evidence == PROCEDURAL]
    by_group: dict[str, list[Cell]] = {}
    for cell in ours:
        by_group.setdefault(cell.column.split("@")[1], []).append(cell)
    for group, members in by_group.items():
        columns = {cell.column for cell in members if cell.mean is not None}
        rows = {cell.row for cell in members if cell.mean is not None}
        shown = [cell for cell in members if cell.column in columns and cell.row in rows]
        if shown and not ("/" in group and len(by_group) == 2):  # the only scene is the mean
            found.append(_block(_title(shown[0].scenes.split()), shown))
    return found


def _block(title: str, cells: list[Cell]) -> Block:
    by_row: dict[str, list[Cell]] = {}
    for cell in cells:
        by_row.setdefault(cell.row, []).append(cell)
    rows = list(by_row.values())
    return Block(title, [_head(cell) for cell in rows[0]], rows)


def _title(scenes: list[str]) -> str:
    if len(scenes) == 1:
        return f"Ours on {scenes[0]} (procedural)"
    return f"Ours, mean of {', '.join(scenes)} (procedural)"


def _head(cell: Cell) -> str:
    if cell.evidence == PROCEDURAL:
        return f"{cell.title}<br>`{cell.protocol}`" if cell.protocol else cell.title
    scenes = cell.scenes.split()
    place = scenes[0] if len(scenes) == 1 else f"{scenes[0].split('/')[0]}, {len(scenes)} scenes"
    return f"{cell.title}<br>{place}"


def reasons_of(cells: list[Cell]) -> list[str]:
    """Return why cells are empty, each reason once; its place in the list is its footnote."""
    return list(dict.fromkeys(cell.reason for cell in cells if cell.reason))


def printed_text(cell: Cell) -> str:
    """Return what the paper prints in a cell."""
    return "" if cell.published is None else f"{cell.published:g}"


def our_text(cell: Cell, reasons: list[str]) -> str:
    """Return our number, on real data with what it differs by, or a mark of the reason."""
    if cell.mean is None:
        return f"[{reasons.index(cell.reason) + 1}]"
    text = spread_text(cell.mean, cell.sd, cell.digits)
    if cell.evidence == PROCEDURAL:
        return text
    gap = "" if cell.difference is None else f" ({cell.difference:+.{cell.digits}f})"
    return f"ours {text}{gap}"


def notes(table: Table, cells: list[Cell]) -> list[str]:
    """Return what a reader needs to know about the numbers."""
    n_seeds = max(cell.n_seeds for cell in cells)
    reasons = enumerate(reasons_of(cells), start=1)
    return [
        "Printed numbers as published; ours: mean ± standard deviation over seeds of the mean over"
        f" scenes, {n_seeds} seed{'s' * (n_seeds != 1)}. Printed and procedural numbers are of"
        " different scenes: compare rows, not tables.",
        *(f"{m.title}: {m.note}" for m in table.measures.values() if m.note),
        *(f"[{index}] {reason}." for index, reason in reasons),
        *(f"On the paper: {note}" for note in table.footnotes),
    ]


def conditions(results: Results) -> str:
    """Return scenes, seeds, steps, sizes and machines of all trainings; nothing without any."""
    trainings, cards = results.trainings, [results.card(t) for t in results.trainings]
    sizes = {tuple(results.scores(training)["size_px"]) for training in trainings}
    facts = {
        "scenes": sorted({training.place for training in trainings}),
        "seeds": sorted({str(training.seed) for training in trainings}),
        "steps of geometry": sorted({str(c["config"]["geometry"]["steps"]) for c in cards}),
        "pixels": sorted(f"{width}x{height}" for width, height in sizes),
        "on": sorted({c["machine"]["gpu"] or c["machine"]["cpu"] for c in cards}),
    }
    said = "; ".join(f"{name}: {', '.join(found)}" for name, found in facts.items() if found)
    return f"{len(trainings)} trainings; {said}." if trainings else "No trainings."
