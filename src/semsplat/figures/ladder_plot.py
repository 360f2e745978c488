"""A ladder as a plot: an effect against what it may depend on, every scene and seed a dot."""

from __future__ import annotations

from itertools import groupby
from math import nan
from pathlib import Path
from typing import Any

from semsplat.figures import TRAINING_FILES
from semsplat.figures.ladder import Options as LadderOptions
from semsplat.figures.published import load_table
from semsplat.figures.published.models import Table
from semsplat.figures.referee.ladders import Rung, rungs_of
from semsplat.figures.referee.trainings import Results
from semsplat.figures.style import save_figure, styled
from semsplat.keys import GeometryKey, TrainingKey
from semsplat.params.base import Positive

SCOPE = "suite"
EXTENSION = "svg"
NEEDS = TRAINING_FILES
SHOWN = 2
"""measures, the first of the ladder's"""


class Options(LadderOptions):
    """Which ladder, and how large."""

    width_in: Positive
    """inches"""


def draw(runs: list[GeometryKey], options: Options, out: Path) -> None:
    """Draw a panel per measure: the mean of every rung as a line, its scenes and seeds as dots."""
    import matplotlib.pyplot as plt

    table = load_table(options.table)
    asked = [TrainingKey(*run[:2], name, run.seed) for run in runs for name in table.settings]
    results = Results(training for training in asked if training.card_path.is_file())
    rungs = list(rungs_of(table, results))
    with styled():
        size = (options.width_in, 0.42 * options.width_in)
        figure, axes = plt.subplots(1, SHOWN, figsize=size)
        for axis, name in zip(axes, list(table.measures)[:SHOWN], strict=True):
            _panel(axis, table, [rung for rung in rungs if rung.measure.name == name])
        named = axes[0].get_legend_handles_labels()  # above: among the dots it would hide some
        figure.legend(*named, loc="outside upper left", ncols=2, frameon=False)
        sources = [results.card(training)["run_key"] for training in results.trainings]
        save_figure(figure, out, sources)


def _panel(axis: Any, table: Table, rungs: list[Rung]) -> None:
    """Draw one measure; effects stand a little apart, so that no dot hides another.

    A line joins the rungs that are numbers: what is named lies nowhere between them.
    """
    assert table.ladder
    places = list(dict.fromkeys(rung.rung for rung in rungs))
    effects = groupby(rungs, lambda rung: rung.effect)
    for number, (effect, some) in enumerate(effects):
        shown = [rung for rung in some if rung.values]
        x = [places.index(rung.rung) + 0.06 * number for rung in shown]
        colour = f"C{number}"
        line = [rung.mean if rung.is_number else nan for rung in shown]
        axis.plot(x, line, color=colour, lw=1, label=effect)
        for place, rung in zip(x, shown, strict=True):
            axis.plot([place] * len(rung.values), rung.values, "o", color=colour, ms=2.5, alpha=0.6)
    axis.axhline(0, color="black", lw=0.6)
    axis.set_xticks(range(len(places)), places)
    axis.set(xlabel=table.ladder.axis, ylabel=f"effect on {rungs[0].measure.title}")
