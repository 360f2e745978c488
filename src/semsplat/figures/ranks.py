"""How ranks change with the protocol: a line per system, from measure to measure.

First as published, then by our own trainings, board by board.  Published, LangSplat has from 9.66
to 57.6 percent on the same photographs.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import field_validator

from semsplat.errors import did_you_mean
from semsplat.figures import SETTING_FILES
from semsplat.figures.published import load_measures
from semsplat.figures.published.numbers import columns_of, data_names, standings_of
from semsplat.figures.referee.standings import Boards, Standing, standings
from semsplat.figures.referee.trainings import Results
from semsplat.figures.style import save_stacked
from semsplat.keys import TrainingKey
from semsplat.params.base import Positive

SCOPE = "comparison"
EXTENSION = "svg"
NEEDS = SETTING_FILES
ROW_IN = 0.24
"""inches of a rank"""
MARKERS = "osD^vPX*"
BESIDE: dict[str, Any] = {
    "xytext": (5, 3),
    "textcoords": "offset points",
    "fontsize": 5.5,
    "bbox": {"facecolor": "white", "alpha": 0.6, "linewidth": 0, "pad": 0.3},
}
"""Where and how a number stands at a mark: lines may pass below it."""
FURTHER_IN = 1.3
"""inches of a panel's titles"""


class Options(Boards):
    """Who is compared, by what, and how large."""

    width_in: Positive
    """inches"""
    published: list[str]
    """data of numbers.csv whose printed numbers are drawn first"""

    @field_validator("published")
    @classmethod
    def _are_printed(cls, names: list[str]) -> list[str]:
        for name in names:
            if name not in (known := data_names()):
                raise ValueError(f"nothing is printed of '{name}'{did_you_mean(name, known)}")
        return names


class Line(NamedTuple):
    """One system, by what is written below the axis."""

    label: str
    heights: dict[str, float]  # 1 is the top
    notes: dict[str, str]  # what is written there


class Panel(NamedTuple):
    """What is drawn of some systems."""

    title: str
    heads: list[str]  # below the axis
    ticks: dict[float, str]  # at its side
    lines: list[Line]


def draw(trainings: list[TrainingKey], options: Options, out: Path) -> None:
    """Draw a panel per board and data set; those with one measure have nothing to compare."""
    results = Results(trainings)
    panels = [_printed(data) for data in options.published]
    found = groupby(standings(results, options), lambda one: (one.board, one.dataset))
    for (board, dataset), several in found:
        if _compares(some := list(several)):
            panels.append(_own(f"{board}: {dataset}", some))
    nothing = "fewer than two systems have two measures in common"
    sources = [results.card(training)["run_key"] for training in results.trainings]
    drawn = [(FURTHER_IN + ROW_IN * len(one.lines), partial(_draw, panel=one)) for one in panels]
    save_stacked(out, drawn, options.width_in, nothing, sources)


def _printed(data: str) -> Panel:
    """Return the panel of the systems that are printed by several protocols.

    Not everyone is in every column: the first of a column is at the top, its last at the bottom.
    """
    heads = {column: f"{column}\n{protocol}" for column, protocol in columns_of(data).items()}
    some = standings_of(data, least=2)
    size = Counter(one.column for one in some)
    bottom = max(size.values())
    lines: dict[str, Line] = {}
    for one in some:
        line = lines.setdefault(one.system, Line(one.system, {}, {}))
        head, behind = heads[one.column], size[one.column] - 1
        line.heights[head] = 1 + (one.rank - 1) * (bottom - 1) / max(behind, 1)
        line.notes[head] = f"{one.numbers[0].text} ({one.rank} of {size[one.column]})"
    ticks = {1.0: "first", float(bottom): "last"}
    return Panel(f"published: {data}", list(heads.values()), ticks, list(lines.values()))


def _own(title: str, some: list[Standing]) -> Panel:
    """Return the panel of a board."""
    known = {one.measure: load_measures()[one.measure] for one in some}
    heads = {name: f"{measure.title}\n{measure.protocol}" for name, measure in known.items()}
    lines: dict[str, Line] = {}
    for one in some:
        line = lines.setdefault(one.setting, Line(one.label, {}, {}))
        line.heights[heads[one.measure]] = one.rank
        line.notes[heads[one.measure]] = f"{one.spread.mean:.1f}"
    ticks = {float(one.rank): str(one.rank) for one in some}
    return Panel(f"ours, {title}", list(heads.values()), ticks, list(lines.values()))


def _compares(some: list[Standing]) -> bool:
    """Tell whether there are several measures."""
    return len({one.measure for one in some}) > 1


def _draw(axis: Any, panel: Panel) -> None:
    """Draw a panel: best at the top, numbers beside marks."""
    for number, line in enumerate(panel.lines):
        shown = [(place, head) for place, head in enumerate(panel.heads) if head in line.heights]
        places, heights = zip(*((p, line.heights[head]) for p, head in shown), strict=True)
        marker = MARKERS[number % len(MARKERS)]
        axis.plot(places, heights, marker=marker, markersize=5, label=line.label)
        for place, head in shown:
            axis.annotate(line.notes[head], (place, line.heights[head]), **BESIDE)
    axis.set_xticks(range(len(panel.heads)), panel.heads, rotation=20, ha="right", fontsize=6)
    axis.set_yticks(list(panel.ticks), list(panel.ticks.values()))
    axis.margins(x=0.05, y=0.08)
    axis.invert_yaxis()
    axis.set_ylabel("rank")
    axis.set_title(panel.title)
    axis.legend(loc="center left", bbox_to_anchor=(1.14, 0.5), frameon=False, fontsize=7)
