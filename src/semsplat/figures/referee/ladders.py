"""Ladders: an effect against what it may depend on, from the suite's trainings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, pairwise
from statistics import fmean, stdev
from typing import NamedTuple

from semsplat.figures.published.measure_models import Measure
from semsplat.figures.published.models import Table
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

    @property
    def sign(self) -> int:
        """1 or -1 where the mean is larger than its deviation over scenes and seeds, else 0."""
        if self.mean is None or abs(self.mean) <= (self.sd or 0):
            return 0
        return 1 if self.mean > 0 else -1

    @property
    def text(self) -> str:
        """Return the mean with its sign; empty where nothing was trained."""
        return "" if self.mean is None else f"{self.mean:+.{self.measure.digits}f}"


def turns_of(rungs: Sequence[Rung]) -> list[tuple[Rung, Rung]]:
    """Return the rungs between which an effect changes its direction, of those that are numbers.

    Rungs without a direction, see `Rung.sign`, are passed over.
    """
    clear = [rung for rung in rungs if rung.sign and rung.is_number]
    return [(one, two) for one, two in pairwise(clear) if one.sign != two.sign]


def reading(rungs: Sequence[Rung]) -> str:
    """Return in words how one effect changes along its rungs; empty for fewer than two trained."""
    trained = [rung for rung in rungs if rung.values]
    if len(trained) < 2:
        return ""
    values = ", ".join(f"{rung.rung}: {rung.text}" for rung in trained)
    turns = [f"between {one.rung} and {two.rung}" for one, two in turns_of(trained)]
    return f"{values}; it {_changes(turns) if turns else _stays(trained)}"


def _changes(turns: list[str]) -> str:
    return f"changes its direction {' and '.join(turns)}"


def _stays(rungs: list[Rung]) -> str:
    """Say on which rungs an effect is what."""
    words = {1: "a gain", -1: "a loss", 0: "within its spread"}
    groups = {sign: [rung.rung for rung in rungs if rung.sign == sign] for sign in words}
    said = [(words[sign], where) for sign, where in groups.items() if where]
    if len(said) == 1:
        return f"is {said[0][0]} on every rung"
    return "is " + ", ".join(f"{word} at {' and '.join(where)}" for word, where in said)


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
                measures = [table.measure_on(name, scenes, table.rows[row]) for row in rows]
                effects, _ = paired(sides, results, measures, "difference")
                yield Rung(effect, rung, measures[0], list(chain.from_iterable(effects.values())))
