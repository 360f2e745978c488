"""Printed numbers of many systems: read, ranked, and laid out."""

from __future__ import annotations

from pathlib import Path

import pytest

from semsplat.errors import SemsplatError
from semsplat.evaluate.protocols import protocols
from semsplat.figures.page.sheets import printed
from semsplat.figures.published.numbers import (
    cell,
    columns_of,
    data_names,
    load_numbers,
    markdown,
    rows_of,
    standings_of,
)

HEAD = "data,system,column,protocol,value,paper"
LINES = """\
shelf,A,drawn,lerf_ovs/segmentation@1,50.70,B
shelf,A,drawn,lerf_ovs/segmentation@1,51.4,A
shelf,B,drawn,lerf_ovs/segmentation@1,40,B
shelf,C,drawn,lerf_ovs/segmentation@1,40.0,B
shelf,D,drawn,lerf_ovs/segmentation@1,60,D
shelf,A,chosen,lerf_ovs/select3d@1,9.66,C
shelf,B,chosen,lerf_ovs/select3d@1,12,C
table,A,drawn,lerf_ovs/segmentation@1,1,A
"""


def write(folder: Path, lines: str = LINES, head: str = HEAD) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "numbers.csv").write_text(f"{head}\n{lines}")
    return folder


def test_ranks_are_by_a_systems_own_number_and_among_those_in_enough_columns(
    tmp_path: Path,
) -> None:
    folder = write(tmp_path)
    everyone = [(s.column, s.system, s.rank) for s in standings_of("shelf", folder=folder)]
    assert everyone == [
        *(("drawn", "D", 1), ("drawn", "A", 2), ("drawn", "B", 3), ("drawn", "C", 3)),
        *(("chosen", "B", 1), ("chosen", "A", 2)),
    ]
    common = [(s.column, s.system, s.rank) for s in standings_of("shelf", 2, folder)]
    assert common == [("drawn", "A", 1), ("drawn", "B", 2), ("chosen", "B", 1), ("chosen", "A", 2)]


def test_cells_name_the_papers_of_numbers_that_are_not_a_systems_own(tmp_path: Path) -> None:
    folder = write(tmp_path)
    found = {(s.column, s.system): cell(s) for s in standings_of("shelf", folder=folder)}
    assert found["drawn", "A"] == "51.4 (2), 50.70 in B"
    assert found["chosen", "A"] == "9.66 in C (2)" and found["drawn", "D"] == "60 (1)"
    assert list(rows_of("shelf", folder)) == ["A", "B", "D", "C"]  # by columns, then by rank
    assert data_names(folder) == ["shelf", "table"]
    assert columns_of("table", folder) == {"drawn": "lerf_ovs/segmentation@1"}


@pytest.mark.parametrize(
    ("lines", "head", "said"),
    [
        ("shelf,A,drawn,lerf_ovs/segmentation@2,1,A\n", HEAD, "did you mean 'lerf_ovs/segmen"),
        ("shelf,A,drawn,lerf_ovs/segmentation@1,about 1,A\n", HEAD, "line 2: 'about 1'"),
        ("shelf,A,drawn,lerf_ovs/segmentation@1,1,\n", HEAD, "every number has a paper"),
        (LINES, HEAD.replace("paper", "source"), "its columns must be"),
    ],
)
def test_what_is_no_number_is_one_line(tmp_path: Path, lines: str, head: str, said: str) -> None:
    with pytest.raises(SemsplatError, match=said):
        load_numbers(write(tmp_path, lines, head))


def test_langsplat_is_first_and_almost_last_on_the_same_photographs() -> None:
    """OpenGaussian's table, LangSplat's own, and GAGS's: the numbers that people ask about."""
    known = {(n.system, n.column, n.paper): n.value for n in load_numbers()}
    assert known["LangSplat", "mIoU, rendered", "LangSplat"] == 51.4
    assert known["LangSplat", "mIoU, rendered", "GAGS"] == 50.7
    assert known["LangSplat", "mIoU, selected in 3-D", "OpenGaussian"] == 9.66
    ranks = {
        s.column: s.rank for s in standings_of("LERF's photographs") if s.system == "LangSplat"
    }
    assert ranks["localisation, rendered"] == 1 and ranks["mIoU, selected in 3-D"] == 7


def test_numbers_are_percent_by_protocols_of_ours_and_each_stands_once() -> None:
    numbers = load_numbers()
    assert all(0 <= n.value <= 100 and n.protocol in protocols() for n in numbers)
    assert len({(n.data, n.system, n.column, n.paper) for n in numbers}) == len(numbers)
    for data in data_names():
        of = {(n.column, n.protocol) for n in numbers if n.data == data}
        assert len(of) == len(columns_of(data))  # a column is of one protocol


def test_the_page_and_the_documentation_show_the_same_cells() -> None:
    text = markdown()
    for table in printed():
        assert f"## {table['data']}\n" in text
        for system, cells in table["rows"].items():
            line = " | ".join([system, *(cells[column] for column in table["columns"])])
            assert f"| {line} |" in text
    assert "| 51.4 (6), 50.70 in GAGS |" in text
