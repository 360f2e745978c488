"""Cells on a page: what stands in a grid of its own, heads, titles, texts and footnotes."""

from __future__ import annotations

import pytest

from semsplat.figures.published import load_table
from semsplat.figures.published.models import Table
from semsplat.figures.referee.cells import Cell
from semsplat.figures.referee.layout import blocks, notes, our_text, printed_text, reasons_of

BARE = Cell("b", "(b)", "x", "mIoU", "real data", "lerf/ramen", "miou", "p@1", digits=1)
ROOM, DEN = "procedural/room", "procedural/den"
OURS = BARE._replace(column="x@procedural", scenes=f"{ROOM} {DEN}", mean=1.0)


@pytest.fixture
def table() -> Table:
    return load_table("clipgs_table3")


def test_printed_columns_the_mean_and_each_scene_have_a_grid_each(table: Table) -> None:
    room, den = (OURS._replace(column=f"x@{s}", scenes=s) for s in (ROOM, DEN))
    found = blocks(table, [BARE, OURS, room, den])
    assert [block.title for block in found] == [
        f"CLIP-GS, Table 3: {table.title}",
        "Ours, mean of procedural/room, procedural/den (procedural)",
        "Ours on procedural/room (procedural)",
        "Ours on procedural/den (procedural)",
    ]
    assert [block.rows for block in found] == [[[BARE]], [[OURS]], [[room]], [[den]]]


def test_heads_name_scenes_of_printed_columns_and_protocols_of_ours(table: Table) -> None:
    mean = BARE._replace(column="y", scenes="lerf/ramen lerf/teatime")
    other = OURS._replace(row="c", protocol="q@2")
    printed, ours = blocks(table, [BARE, mean, OURS, other])
    assert printed.heads == ["mIoU<br>lerf/ramen", "mIoU<br>lerf, 2 scenes"]
    assert ours.heads == ["mIoU<br>`p@1`<br>`q@2`"]


def test_the_only_scene_of_a_data_set_is_not_a_second_time_its_mean(table: Table) -> None:
    mean = OURS._replace(scenes=ROOM)
    assert [b.rows for b in blocks(table, [mean, mean._replace(column=f"x@{ROOM}")])[1:]] == [
        [[mean]]
    ]


def test_rows_and_measures_of_ours_without_any_number_are_left_out(table: Table) -> None:
    other, row = OURS._replace(column="y@procedural", mean=None), OURS._replace(row="c", mean=None)
    both = row._replace(column="y@procedural")
    assert blocks(table, [OURS, other, row, both])[1].rows == [[OURS]]
    number = both._replace(mean=2.0)  # its row and measure stand, with gaps
    assert blocks(table, [OURS, other, row, number])[1].rows == [[OURS, other], [row, number]]
    assert len(blocks(table, [BARE, row])) == 1


def test_our_number_stands_with_its_difference_or_a_mark_of_its_reason() -> None:
    reasons = ["no data", "not trained"]
    assert our_text(BARE._replace(reason="not trained"), reasons) == "[2]"
    assert our_text(BARE._replace(mean=51.04), []) == "ours 51.0"
    beside = BARE._replace(mean=51.04, sd=0.26, published=20.0, difference=31.04)
    assert our_text(beside, []) == "ours 51.0 ± 0.3 (+31.0)"
    assert our_text(beside._replace(sd=None, difference=-2.0), []) == "ours 51.0 (-2.0)"
    assert our_text(OURS, []) == "1.0"
    assert (printed_text(beside), printed_text(BARE)) == ("20", "")


def test_reasons_are_footnotes_in_the_order_of_cells_each_once(table: Table) -> None:
    cells = [BARE._replace(reason=why) for why in ("b", "", "a", "b")]
    assert reasons_of(cells) == ["b", "a"]
    found = notes(table, [*cells, OURS._replace(n_seeds=3), OURS._replace(n_seeds=1)])
    assert found[0].startswith("Printed numbers as published; ours: mean ± standard deviation")
    assert " over scenes, 3 seeds. Printed and procedural" in found[0]
    assert [note for note in found if note.startswith("[")] == ["[1] b.", "[2] a."]
    assert " 1 seed. " in notes(table, [OURS._replace(n_seeds=1)])[0]
    assert " 0 seeds. " in notes(table, [])[0]
