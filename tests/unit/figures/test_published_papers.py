"""Every cell of the carried tables is what the papers' texts say, where these lie beside us."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from semsplat.figures.published import FOLDER, load_claims, load_table

PAPERS = Path(__file__).parents[3] / ".." / "shared" / "papers"
pytestmark = pytest.mark.skipif(
    not PAPERS.is_dir(),
    reason="no ../shared/papers beside the repository: transcription of the tables not tested",
)

# Two scans of CLIP-GS: the first is legible throughout; the second has no Table 3, reads 176 as '76
# and 2.5 with a degree sign.
CLIPGS, CLIPGS_AGAIN = "clip_gs.md", "clip_gs_second_copy.md"
GAGS, CGC = "gags.txt", "contrastive_gaussian_clustering.txt"
COMPARED = [r"LERF \[27\]", r"3DOVS \[25\]", r"Feature 3DGS \[26\]", "\tOurs\t"]
LEGAUSSIAN, GROUPING, OTHERS = "^LEGaussian", "^GS-Grouping", ["^GOI", "^Langsplat", "^GAGS"]
OBJECTS = [r"^LERF\s\[", "^Gaussian Grouping", "^LangSplat", "^Ours"]
LOSSES = ["^No 3D", "^No Similarity", "^No Dissimilarity", "^Complete"]
ARMS = ["a", "b", "c", "d", "b1", "b2", "b3", "c1", "c2", "c3", "c4", "e"]
SCENES = ["^Room", "^Counter", "^Garden", "^Bonsai", "^Overall"]


class Source(NamedTuple):
    """Where a paper's text has a table."""

    table: str
    file: str
    head: str  # the line above it, a pattern
    rows: list[str]  # patterns, in the order of the CSV
    words: int  # columns of the CSV that are not numbers
    which: int = 0  # of several heads that are alike
    illegible: tuple[str, ...] = ()


SOURCES = [
    Source("clipgs_table1", CLIPGS, "^Table 1:", COMPARED, 2),
    Source("clipgs_table1", CLIPGS_AGAIN, "^Table 1:", COMPARED, 2, 0, ("fps",)),
    Source("clipgs_table2", CLIPGS, "^Table 2:", COMPARED, 2),
    Source("clipgs_table2", CLIPGS_AGAIN, "^Table 2:", COMPARED, 2),
    Source("clipgs_table3", CLIPGS, "^Table 3:", [rf"^\({arm}\)" for arm in ARMS], 2),
    Source("gags_table1", GAGS, r"^Method \| LERF", [GROUPING, LEGAUSSIAN, *OTHERS], 1),
    Source("gags_table2", GAGS, r"^Method \| LERF", [LEGAUSSIAN, GROUPING, *OTHERS], 1, 1),
    Source("gags_table3", GAGS, r"^Prep\. \|", [GROUPING, *OTHERS], 1),
    Source("gags_table4", GAGS, r"^ID \|", [rf"^{number} \|" for number in range(1, 8)], 3),
    Source("gags_table5", GAGS, r"^N2F2 \[2\] \|", SCENES, 1),
    Source("gags_table6", GAGS, r"^RAD \|", [rf"^(✓ \| ){{{n}}}\d" for n in range(4)], 4),
    Source("cgc_table1", CGC, "^Table 1:", OBJECTS, 1),
    Source("cgc_table2", CGC, "^Table 2:", OBJECTS, 1),
    Source("cgc_table3", CGC, "^Table 3:", LOSSES, 1),
]


def lines_of(source: Source) -> list[str]:
    """Return the lines below the head of a table."""
    lines = (PAPERS / source.file).read_text().splitlines()
    heads = [index for index, line in enumerate(lines) if re.search(source.head, line)]
    return lines[heads[source.which] + 1 :]


def transcribed(source: Source) -> list[dict[str, str]]:
    """Return the rows of the CSV."""
    with (FOLDER / f"{source.table}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def row_of(source: Source, pattern: str) -> str:
    """Return the first line below the head that a pattern finds."""
    return next(line for line in lines_of(source) if re.search(pattern, line))


def same(cell: str, printed: str) -> bool:
    """Tell whether a cell is what is printed; "-" is an empty one, 97.3 and 97.30 are the same."""
    if cell == "" or cell.startswith("~"):
        return printed == (cell or "-")
    return float(cell) == float(printed)


@pytest.mark.parametrize("source", SOURCES, ids=lambda s: f"{s.table}-{s.file}")
def test_every_cell_is_as_printed(source: Source) -> None:
    rows = transcribed(source)
    assert len(rows) == len(source.rows)
    for row, pattern in zip(rows, source.rows, strict=True):
        columns = list(row)[source.words :]
        line = row_of(source, pattern)
        tokens = re.split(r"[\t| ]+", line.strip(" |\t"))[-len(columns) :]
        legible = [
            (c, t) for c, t in zip(columns, tokens, strict=True) if c not in source.illegible
        ]
        assert [c for c, t in legible if not same(row[c], t)] == []


@pytest.mark.parametrize("name", ["gags_table4", "gags_table6"])
def test_the_parts_of_gags_are_ticked_as_printed(name: str) -> None:
    source = next(source for source in SOURCES if source.table == name)
    for row, pattern in zip(transcribed(source), source.rows, strict=True):
        assert row_of(source, pattern).count("✓") == list(row.values()).count("yes")


def test_numbers_printed_in_the_text_are_there() -> None:
    claim = load_claims().claims["clipgs_pdr_gaussians"]
    assert claim.printed == (1.43e6, 1.72e6)
    assert "from 1.72M to 1.43M in Room0" in (PAPERS / CLIPGS).read_text()
    assert load_table(claim.table).measures[claim.measure].factor == 1
