"""Quality against seconds: which systems no other one beats in both."""

from __future__ import annotations

from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from semsplat.figures import SETTING_FILES
from semsplat.figures.published import load_measures
from semsplat.figures.referee.standings import Boards, Standing, spread_of, standings
from semsplat.figures.referee.trainings import Results
from semsplat.figures.style import save_stacked
from semsplat.keys import TrainingKey
from semsplat.params.base import Positive

SCOPE = "comparison"
EXTENSION = "svg"
NEEDS = SETTING_FILES
ASPECT = 0.55


class Options(Boards):
    """Who is compared, by the first measure of each board, and how large."""

    width_in: Positive
    """inches"""


def draw(trainings: list[TrainingKey], options: Options, out: Path) -> None:
    """Draw a panel per board and data set: seconds of everything, and the first measure."""
    results = Results(trainings)
    seconds = load_measures()["total_s"].model_copy(update={"factor": 1.0})  # tables show minutes
    first = [s for s in standings(results, options) if s.measure == options.boards[s.board][0]]
    height, panels = ASPECT * options.width_in, []
    for (board, dataset), some in groupby(first, lambda one: (one.board, one.dataset)):
        spent = [(one, spread_of(results, one.trainings, seconds)) for one in some]
        # Who made predictions elsewhere need not say how long that took.
        timed = {one: took.mean for one, took in spent if took is not None}
        if timed:
            title = f"{board}: {dataset}"
            panels.append((height, partial(_panel, title=title, timed=timed)))
    nothing = "fewer than two systems have a measure in common"
    sources = [results.card(training)["run_key"] for training in results.trainings]
    save_stacked(out, panels, options.width_in, nothing, sources)


def frontier(places: list[tuple[float, float]], higher: bool) -> list[int]:
    """Return which of (seconds, quality) no other beats in both, by seconds.

    Args:
        places: of systems.
        higher: whether larger numbers are better.
    """
    best: list[int] = []
    sign = 1 if higher else -1
    for index in sorted(range(len(places)), key=lambda i: (places[i][0], -sign * places[i][1])):
        if not best or sign * places[index][1] > sign * places[best[-1]][1]:
            best.append(index)
    return best


def _panel(axis: Any, title: str, timed: dict[Standing, float]) -> None:
    """Draw one board's systems by their seconds, and the line of those that are not beaten."""
    measure = load_measures()[next(iter(timed)).measure]
    places = [(seconds, one.spread.mean) for one, seconds in timed.items()]
    kept = frontier(places, measure.better == "higher")
    axis.plot(*zip(*(places[i] for i in kept), strict=True), drawstyle="steps-post", color="0.6")
    labels = [one.label for one in timed]
    for turn, index in enumerate(sorted(range(len(places)), key=places.__getitem__)):
        colour = "C0" if index in kept else "0.55"
        axis.plot(*places[index], marker="o", color=colour, linestyle="none")
        offset = (5, -9 if turn % 2 else 4)  # neighbours' names stand below and above
        axis.annotate(labels[index], places[index], offset, textcoords="offset points", fontsize=7)
    axis.margins(x=0.3, y=0.12)
    axis.set_xlabel("seconds of everything, preprocessing included")
    axis.set_ylabel(f"{measure.title} ({measure.protocol})", fontsize=7)
    axis.set_title(title)
