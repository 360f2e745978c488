"""All systems of a suite beside each other: every protocol with ranks, and what each costs."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

from pydantic import field_validator

from semsplat.errors import did_you_mean
from semsplat.figures import SETTING_FILES
from semsplat.figures.published import load_measures
from semsplat.figures.referee.layout import conditions
from semsplat.figures.referee.sheet import Grid, Sheet, write_sheet
from semsplat.figures.referee.standings import Boards, Standing, spread_of, standings
from semsplat.figures.referee.trainings import Results, spread_text
from semsplat.keys import TrainingKey

SCOPE = "trainings"
EXTENSION = "md"
NEEDS = SETTING_FILES
NOTE = (
    "In brackets the rank by that number among the systems here, by one rule of budget. What is"
    " learned on frozen Gaussians has one geometry; joint trainings and radiance fields learn their"
    " own. Costs are means over the same trainings."
)


class Options(Boards):
    """Who is compared, by what, and what it costs them."""

    costs: list[str]
    """measures of measures.yaml that are no scores, shown beside every board"""

    @field_validator("costs")
    @classmethod
    def _cost(cls, names: list[str]) -> list[str]:
        known = [name for name, one in load_measures().items() if one.protocol is None]
        for name in names:
            if name not in known:
                raise ValueError(f"no cost '{name}'{did_you_mean(name, known)}")
        return names


def draw(trainings: list[TrainingKey], options: Options, out: Path) -> None:
    """Write a table per board and data set as Markdown and LaTeX, and every standing as CSV."""
    results = Results(trainings)
    found = standings(results, options)
    boards = groupby(found, lambda standing: (standing.board, standing.dataset))
    grids = [_grid(*place, list(some), results, options) for place, some in boards]
    records = [_record(one) for one in found]
    write_sheet(Sheet(grids, [NOTE, conditions(results)]), records, out)


def _grid(
    board: str, dataset: str, some: list[Standing], results: Results, options: Options
) -> Grid:
    """Return one board: settings in the order of its first measure."""
    measures, costs = dict.fromkeys(one.measure for one in some), options.costs
    known = load_measures()
    heads = [f"{known[m].title}<br>`{known[m].protocol}`" for m in measures]
    rows = []
    for setting in dict.fromkeys(one.setting for one in some):
        by_measure = {one.measure: one for one in some if one.setting == setting}
        cells = [_cell(by_measure.get(measure)) for measure in measures]
        first = next(iter(by_measure.values()))
        spent = [_cost(results, first.trainings, name) for name in costs]
        rows.append([first.label, *cells, *spent])
    title = f"{board}: {dataset}"
    return Grid(title, ["system", *heads, *(known[name].title for name in costs)], rows)


def _cell(standing: Standing | None) -> str:
    """Return a number with its rank; nothing where there is none."""
    if standing is None:
        return ""
    digits = load_measures()[standing.measure].digits
    return f"{spread_text(standing.spread.mean, standing.spread.sd, digits)} ({standing.rank})"


def _cost(results: Results, keys: tuple[TrainingKey, ...], name: str) -> str:
    """Return the mean of a cost over trainings; nothing where any has none."""
    measure = load_measures()[name]
    found = spread_of(results, keys, measure)
    return "" if found is None else f"{found.mean:.{measure.digits}f}"


def _record(standing: Standing) -> dict[str, Any]:
    """Return a line of the CSV."""
    return {
        "board": standing.board,
        "dataset": standing.dataset,
        "setting": standing.setting,
        "measure": standing.measure,
        "protocol": load_measures()[standing.measure].protocol,
        "mean": standing.spread.mean,
        "sd": standing.spread.sd,
        "rank": standing.rank,
        "trainings": " ".join(map(str, standing.trainings)),
        "label": standing.label,
    }
