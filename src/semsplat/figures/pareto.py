"""Quality against seconds: which systems no other one beats in both."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

from semsplat.figures import SETTING_FILES
from semsplat.figures.published import load_measures
from semsplat.figures.referee.standings import Boards, Standing, standings
from semsplat.figures.referee.trainings import Results
from semsplat.figures.style import save_figure, styled
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
    import matplotlib.pyplot as plt

    results = Results(trainings)
    first = [s for s in standings(results, options) if s.measure == options.boards[s.board][0]]
    panels = [
        (f"{board}: {dataset}", list(some))
        for (board, dataset), some in groupby(first, lambda one: (one.board, one.dataset))
    ]
    count = max(len(panels), 1)
    with styled():
        size = options.width_in, ASPECT * options.width_in * count
        figure, axes = plt.subplots(count, 1, figsize=size, squeeze=False)
        for axis, (title, some) in zip(axes[:, 0], panels, strict=False):
            _panel(axis, title, some, results, options)
        if not panels:
            axes[0, 0].set_axis_off()
            axes[0, 0].set_title("fewer than two systems have a measure in common")
        save_figure(figure, out, [results.card(t)["run_key"] for t in results.trainings])


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


def _panel(axis: Any, title: str, some: list[Standing], results: Results, options: Options) -> None:
    """Draw one board's systems, and the line of those that are not beaten."""
    measure = load_measures()[some[0].measure]
    places = [(_seconds(results, one), one.spread.mean) for one in some]
    kept = frontier(places, measure.better == "higher")
    axis.plot(*zip(*(places[i] for i in kept), strict=True), drawstyle="steps-post", color="0.6")
    for index, (one, place) in enumerate(zip(some, places, strict=True)):
        beaten = index not in kept
        axis.plot(*place, marker="o", color="C0" if not beaten else "0.55", linestyle="none")
        axis.annotate(
            options.systems[one.setting],
            place,
            xytext=(5, 4),
            textcoords="offset points",
            fontsize=7,
        )
    axis.margins(x=0.3, y=0.12)
    axis.set_xlabel("seconds of everything, preprocessing included")
    axis.set_ylabel(f"{measure.title} ({measure.protocol})", fontsize=7)
    axis.set_title(title)


def _seconds(results: Results, one: Standing) -> float:
    """Return the mean of what a standing's trainings took in all."""
    seconds = [results.costs(training)["total_s"] or 0.0 for training in one.trainings]
    return sum(seconds) / len(seconds)
