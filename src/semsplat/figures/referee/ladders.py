"""Ladders: an effect against what it may depend on, from the suite's trainings."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from statistics import fmean, stdev
from typing import NamedTuple

from semsplat.figures.published.models import Measure, Table
from semsplat.figures.referee.effects import paired
from semsplat.figures.referee.trainings import Results


class Rung(NamedTuple):
    """One effect on one rung by one measure."""

    effect: str
    rung: str
    measure: Measure
    values: list[float]  # of every scene and seed that both rows have; differences, better first

    @property
    def is_number(self) -> bool:
        """Whether the rung is a number, so that others lie between it and the next."""
        return self.rung.replace(",", "").replace(".", "", 1).isdecimal()

    @property
    def mean(self) -> float | None:
        """The mean over scenes and seeds, None where nothing was trained."""
        return fmean(self.values) if self.values else None

    @property
    def sd(self) -> float | None:
        """The standard deviation over scenes and seeds, None for fewer than two."""
        return stdev(self.values) if len(self.values) > 1 else None


def rungs_of(table: Table, results: Results) -> Iterator[Rung]:
    """Yield the rungs of a ladder: by effect, by rung, by measure, as its file has them."""
    assert table.ladder
    every = [*table.evidence]
    for effect, rungs in table.ladder.effects.items():
        for rung, rows in rungs.items():
            own = [table.ladder.on[rung]] if rung in table.ladder.on else every
            scenes = [scene for dataset in own for scene in results.scenes(dataset)]
            sides = [results.of(table.rows[row].setting, scenes) for row in rows]
            for name in table.measures:
                measure = table.measure_on(name, scenes)
                effects, _ = paired(sides, results, measure, "difference")
                yield Rung(effect, rung, measure, list(chain.from_iterable(effects.values())))
