"""Where systems stand among each other: by every measure of a board, data set by data set."""

from __future__ import annotations

from typing import NamedTuple

from pydantic import Field, field_validator

from semsplat.errors import did_you_mean
from semsplat.figures.published import load_measures
from semsplat.figures.published.measure_models import Measure
from semsplat.figures.published.numbers import ranks_of
from semsplat.figures.referee.trainings import Results, Spread, spread
from semsplat.keys import TrainingKey
from semsplat.params.base import Strict

PROCEDURAL = "procedural"
"""How the names of data sets that are drawn begin; on others measures have their real keys."""


class Boards(Strict):
    """Who is compared, and by what."""

    systems: dict[str, str] = Field(min_length=1)
    """setting: what it is called; of them stand those that the suite trains for other figures"""
    boards: dict[str, list[str]] = Field(min_length=1)
    """what systems are asked for: the measures of that, names of measures.yaml; the first orders"""

    @field_validator("boards")
    @classmethod
    def _are_measured(cls, boards: dict[str, list[str]]) -> dict[str, list[str]]:
        known = list(load_measures())
        for title, names in boards.items():
            if not names:
                raise ValueError(f"board '{title}' has no measure")
            for name in names:
                if name not in known:
                    raise ValueError(f"no measure '{name}'{did_you_mean(name, known)}")
        return boards


class Standing(NamedTuple):
    """What one setting has of one measure on one data set."""

    board: str
    dataset: str
    setting: str
    label: str
    measure: str
    spread: Spread
    rank: int  # 1 is best; equal numbers share one
    trainings: tuple[TrainingKey, ...]


def standings(results: Results, told: Boards) -> list[Standing]:
    """Return the standings of all boards, by data set, measure and rank.

    A setting stands where all its trainings on a data set have the number; where fewer than two
    have it there is no board of that measure.
    """
    datasets = dict.fromkeys(training.dataset for training in results.trainings)
    return [
        standing
        for board, names in told.boards.items()
        for dataset in datasets
        for name in names
        for standing in _ranked(results, told.systems, board, dataset, name)
    ]


def _ranked(
    results: Results, systems: dict[str, str], board: str, dataset: str, name: str
) -> list[Standing]:
    """Return the standings by one measure, best first."""
    measure = measure_on(name, dataset)
    found = {setting: _spread(results, setting, dataset, measure) for setting in systems}
    means = {s: one.mean for s, (one, _) in found.items() if one is not None}
    if len(means) < 2:
        return []
    sign = 1 if measure.better == "higher" else -1
    ranks = ranks_of({setting: sign * mean for setting, mean in means.items()})
    labels = {setting: results.label_of(setting, systems[setting]) for setting in means}
    ordered = sorted(means, key=lambda setting: ranks[setting])
    return [
        Standing(board, dataset, s, labels[s], name, one, ranks[s], keys)
        for s in ordered
        for one, keys in [found[s]]
        if one is not None
    ]


def measure_on(name: str, dataset: str) -> Measure:
    """Return a measure as it is called on a data set."""
    measure = load_measures()[name]
    if measure.on_real is None or dataset.startswith(PROCEDURAL):
        return measure
    return measure.model_copy(update={"name": measure.on_real})


def _spread(
    results: Results, setting: str, dataset: str, measure: Measure
) -> tuple[Spread | None, tuple[TrainingKey, ...]]:
    """Return a setting's spread on a data set, and its trainings there."""
    keys = tuple(t for t in results.trainings if (t.setting, t.dataset) == (setting, dataset))
    return spread_of(results, keys, measure), keys


def spread_of(results: Results, keys: tuple[TrainingKey, ...], measure: Measure) -> Spread | None:
    """Return the mean over scenes and seeds of trainings, None where any has no number."""
    values = [(key.seed, results.value(key, measure)) for key in keys]
    known = [(seed, value) for seed, value in values if value is not None]
    return spread(known) if known and len(known) == len(values) else None
