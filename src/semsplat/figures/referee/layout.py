"""How the cells of a table stand on a page: printed columns first, then ours alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from semsplat.figures.published.models import Table
from semsplat.figures.referee.cells import Cell
from semsplat.figures.referee.declared import author_of, device_of
from semsplat.figures.referee.sheet import Grid, Sheet, write_sheet
from semsplat.figures.referee.trainings import Results, spread_text

OTHER_SCENES = " Printed and procedural numbers are of different scenes: compare rows, not tables."


class Block(NamedTuple):
    """One grid of cells of one level of evidence."""

    title: str
    heads: list[str]
    """of the columns; <br> breaks a line"""
    rows: list[list[Cell]]


def write_table(table: Table, cells: list[Cell], facts: Sequence[str], out: Path) -> None:
    """Write cells as Markdown, LaTeX and CSV; ``facts`` stand below the notes."""
    grids = [_grid(block, reasons_of(cells)) for block in blocks(table, cells)]
    sheet = Sheet(grids, [*notes(table, cells), *facts])
    write_sheet(sheet, [cell._asdict() for cell in cells], out)


def _grid(block: Block, reasons: list[str]) -> Grid:
    def text(cell: Cell) -> str:
        return f"{printed_text(cell)} {our_text(cell, reasons)}".strip()

    lines = [[cells[0].label, *map(text, cells)] for cells in block.rows]
    return Grid(block.title, ["", *block.heads], lines)


def blocks(table: Table, cells: list[Cell]) -> list[Block]:
    """Return the printed columns with ours, then ours on whole data sets: their mean, and each.

    Of ours alone, rows and measures without any number are left out.
    """
    grids = []
    if table.paper:
        title = f"{table.paper}, Table {table.number}: {table.title}"
        grids.append(_block(title, [cell for cell in cells if not cell.alone]))
    by_group: dict[str, list[Cell]] = {}
    for cell in cells:
        if cell.alone:
            by_group.setdefault(cell.group, []).append(cell)
    said = set()
    for members in by_group.values():
        columns = {cell.column for cell in members if cell.mean is not None}
        rows = {cell.row for cell in members if cell.mean is not None}
        shown = [cell for cell in members if cell.column in columns and cell.row in rows]
        if shown and shown[0].scenes not in said:  # the only scene is the mean
            grids.append(_block(_title(table, shown[0].scenes.split()), shown))
            said.add(shown[0].scenes)
    return grids


def _block(title: str, cells: list[Cell]) -> Block:
    by_row: dict[str, list[Cell]] = {}
    for cell in cells:
        by_row.setdefault(cell.row, []).append(cell)
    rows = list(by_row.values())
    return Block(title, [_head(column) for column in zip(*rows, strict=True)], rows)


def _title(table: Table, scenes: list[str]) -> str:
    mean = f"mean of {', '.join(scenes)}"
    if not table.paper:
        return f"{table.title}: {scenes[0] if len(scenes) == 1 else mean}"
    return f"Ours{f' on {scenes[0]}' if len(scenes) == 1 else f', {mean}'} (procedural)"


def _head(column: Sequence[Cell]) -> str:
    cell = column[0]
    if cell.alone:
        protocols = dict.fromkeys(one.protocol for one in column if one.protocol)
        return "<br>".join([cell.title, *(f"`{name}`" for name in protocols)])
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
    """Return our number, beside a printed one with the difference, or a mark of the reason."""
    if cell.mean is None:
        return f"[{reasons.index(cell.reason) + 1}]"
    text = spread_text(cell.mean, cell.sd, cell.digits)
    if cell.alone:
        return text
    gap = "" if cell.difference is None else f" ({cell.difference:+.{cell.digits}f})"
    return f"ours {text}{gap}"


def notes(table: Table, cells: list[Cell]) -> list[str]:
    """Return what a reader needs to know about the numbers; of ours alone, of those that stand."""
    n_seeds = max((cell.n_seeds for cell in cells), default=0)
    shown = {cell.measure for cell in cells if table.paper or cell.mean is not None}
    said = [f"{m.title}: {m.note}" for n, m in table.measures.items() if m.note and n in shown]
    others = {r: row for r, row in table.rows.items() if r in {cell.row for cell in cells}}
    said += [
        f"{row.label}, {table.measures[name].title}: by `{measure.protocol or measure.name}`"
        + (f", {measure.note}" if measure.note else "")
        for row in others.values()
        for name, measure in row.instead.items()
        if name in shown
    ]
    reasons = enumerate(reasons_of(cells), start=1)
    ours = (
        "mean ± standard deviation over seeds of the mean over scenes,"
        f" {n_seeds} seed{'s' * (n_seeds != 1)}."
    )
    first, on_footnotes = f"{ours[0].upper()}{ours[1:]}", ""
    if table.paper:
        first = f"Printed numbers as published; ours: {ours}{OTHER_SCENES}"
        on_footnotes = "On the paper: "
    return [
        first,
        *said,
        *(f"[{index}] {reason}." for index, reason in reasons),
        *(f"{on_footnotes}{note}" for note in table.footnotes),
    ]


def conditions(results: Results) -> str:
    """Return scenes, seeds, steps, sizes and machines of all trainings; nothing without any."""
    trainings, cards = results.trainings, [results.card(t) for t in results.trainings]
    own = [card for card in cards if author_of(card) is None]
    sizes = {tuple(results.scores(training)["size_px"]) for training in trainings}
    facts = {
        "scenes": sorted({training.place for training in trainings}),
        "seeds": sorted({str(training.seed) for training in trainings}),
        "steps of geometry": sorted({str(c["config"]["geometry"]["steps"]) for c in own}),
        "pixels": sorted(f"{width}x{height}" for width, height in sizes),
        "on": sorted({device_of(card) for card in cards}),
    }
    said = "; ".join(f"{name}: {', '.join(values)}" for name, values in facts.items() if values)
    elsewhere = f", {n} predicted elsewhere" if (n := len(cards) - len(own)) else ""
    word = "training" if len(own) == 1 else "trainings"
    return f"{len(own)} {word}{elsewhere}; {said}." if trainings else "No trainings."
