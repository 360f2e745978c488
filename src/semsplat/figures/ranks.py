"""How ranks change with the protocol: a line per system, from measure to measure of a board.

Published, one method has 9.7, 51.4, 52.8 and 57.6 on the same pictures by four of them.
"""

from __future__ import annotations

from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from semsplat.figures import SETTING_FILES
from semsplat.figures.published import load_measures
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
FURTHER_IN = 1.3
"""inches of a panel's titles"""


class Options(Boards):
    """Who is compared, by what, and how large."""

    width_in: Positive
    """inches"""


def draw(trainings: list[TrainingKey], options: Options, out: Path) -> None:
    """Draw a panel per board and data set; those with one measure have nothing to compare."""
    results = Results(trainings)
    found = groupby(standings(results, options), lambda one: (one.board, one.dataset))
    panels = [
        (
            FURTHER_IN + ROW_IN * len({one.setting for one in some}),
            partial(_panel, title=f"{board}: {dataset}", some=some, options=options),
        )
        for (board, dataset), several in found
        if _compares(some := list(several))
    ]
    nothing = "fewer than two systems have two measures in common"
    sources = [results.card(training)["run_key"] for training in results.trainings]
    save_stacked(out, panels, options.width_in, nothing, sources)


def _compares(some: list[Standing]) -> bool:
    """Tell whether there are several measures."""
    return len({one.measure for one in some}) > 1


def _panel(axis: Any, title: str, some: list[Standing], options: Options) -> None:
    """Draw one board: best at the top, names where lines begin and end."""
    measures = list(dict.fromkeys(one.measure for one in some))
    known = load_measures()
    for number, setting in enumerate(dict.fromkeys(one.setting for one in some)):
        own = {one.measure: one.rank for one in some if one.setting == setting}
        places = [measures.index(measure) for measure in own]
        label, marker = options.systems[setting], MARKERS[number % len(MARKERS)]
        axis.plot(places, list(own.values()), marker=marker, markersize=5, label=label)
    labels = [f"{known[m].title}\n{known[m].protocol}" for m in measures]
    axis.set_xticks(range(len(measures)), labels, rotation=20, ha="right", fontsize=6)
    axis.set_yticks(range(1, 1 + max(one.rank for one in some)))
    axis.margins(x=0.03, y=0.08)
    axis.invert_yaxis()
    axis.set_ylabel("rank")
    axis.set_title(title)
    axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=7)
