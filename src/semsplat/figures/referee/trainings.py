"""The trainings of a suite and their numbers, read once from where the workflow writes them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cache, cached_property
from math import inf
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, NamedTuple

from semsplat.errors import SemsplatError
from semsplat.figures.published.measure_models import Measure
from semsplat.figures.referee.chain import Link, chain
from semsplat.figures.referee.declared import author_line, author_of, declared_costs
from semsplat.io import read_json
from semsplat.keys import TrainingKey
from semsplat.paths import feature_scores_dir


class Results:
    """The numbers of some trainings."""

    def __init__(self, trainings: Iterable[TrainingKey]) -> None:
        """Take the trainings; files are read when a number is asked for."""
        self.trainings = sorted(trainings)
        self.card = cache(lambda training: read_json(training.card_path))
        self.scores = cache(lambda training: read_json(training.scores_path))
        self.costs = cache(lambda training: costs(training.folder))
        self.things = cache(_things)

    @cached_property
    def speed(self) -> Any:
        """What was measured of speed."""
        return read_json(Path("results/speed.json"))

    def author_lines(self) -> list[str]:
        """Return a line for each setting whose predictions were made elsewhere."""
        cards: dict[str, list[Any]] = defaultdict(list)
        for training in self.trainings:
            if author_of(card := self.card(training)) is not None:
                cards[training.setting].append(card)
        return [author_line(setting, several) for setting, several in cards.items()]

    def why_no_clock(self, measure: Measure, min_turns: int, max_busy: float) -> str:
        """Return why a time cannot be compared with others; empty where it can, or is no time.

        Where a GPU measured without saying how busy it was, nobody knows.
        """
        if not measure.is_time:
            return ""
        turns = self.speed.get("turns", ()) if measure.source == "speed" else ()
        if len(turns) < min_turns:
            return "not measured in turns on an idle device"
        busy = max(inf if turn["others_busy"] is None else turn["others_busy"] for turn in turns)
        share = "nobody knows how much" if busy == inf else f"others used {busy:.0%} of it"
        return "" if busy <= max_busy else f"not measured on an idle device: {share}"

    def of(self, setting: str, scenes: Iterable[str]) -> list[TrainingKey]:
        """Return a setting's trainings on some scenes."""
        places = set(scenes)
        return [t for t in self.trainings if t.setting == setting and t.place in places]

    def label_of(self, setting: str, label: str) -> str:
        """Return a setting's label, and what its trainings did without by their cards."""
        own = [t for t in self.trainings if t.setting == setting]
        lacking = {what for t in own if (what := self.card(t)["numbers"].get("lacks"))}
        return ", ".join([label, *(f"without {what}" for what in sorted(lacking))])

    def scenes(self, dataset: str | None) -> list[str]:
        """Return the scenes of a data set that anything was trained on."""
        return sorted({t.place for t in self.trainings if t.dataset == dataset})

    def value(self, training: TrainingKey, measure: Measure) -> float | None:
        """Return a training's number times the measure's factor, None where it has none.

        Raises:
            SemsplatError: it was scored under another protocol.
        """
        match measure.source:
            case "scores":
                number = self._score(training, measure)
            case "classes":
                key, _, name = measure.name.partition(":")
                number = self.scores(training).get("classes", {}).get(key, {}).get(name)
            case "speed":
                number = self.speed["runs"].get(str(training), {}).get(measure.name)
            case "card":
                number = self.card(training)["numbers"].get(measure.name)
            case "costs":
                number = self.costs(training).get(measure.name)
        return None if number is None else number * measure.factor

    def _score(self, training: TrainingKey, measure: Measure) -> float | None:
        scores = self.scores(training)
        value: float | None = scores["metrics"].get(measure.name)
        protocol = scores.get("protocols", {}).get(measure.name, scores["protocol"])
        if value is not None and protocol != measure.protocol:
            raise SemsplatError(
                f"{training.scores_path}: {measure.name} is of {protocol}, the table shows"
                f" {measure.protocol}; score again or correct the table"
            )
        return value


def _things(training: TrainingKey) -> Any:
    """Return what was measured of a scene's things under the features a training learned of."""
    for link in chain(training.folder):
        if link.kind == "features":
            folder = feature_scores_dir(*link.folder.parts[-4:])
            return read_json(folder / "scores.json")["things"]
    return {}


def no_number(measure: Measure) -> str:
    """Return why a training that was made has no number."""
    return f"no {measure.name} in {measure.source}"


class Spread(NamedTuple):
    """Mean over scenes, then over seeds."""

    mean: float
    sd: float | None  # over seeds; None for one
    n_seeds: int


def spread_text(mean: float, sd: float | None, digits: int) -> str:
    """Return "mean ± sd", "mean" where there is no deviation."""
    return f"{mean:.{digits}f}" + ("" if sd is None else f" ± {sd:.{digits}f}")


def spread(values: Iterable[tuple[int, float]]) -> Spread:
    """Return mean and standard deviation over seeds of the means over scenes.

    Args:
        values: seed and number of every training.
    """
    by_seed: dict[int, list[float]] = defaultdict(list)
    for seed, value in values:
        by_seed[seed].append(value)
    means = [fmean(numbers) for numbers in by_seed.values()]
    return Spread(fmean(means), stdev(means) if len(means) > 1 else None, len(means))


PHASES = {
    "features": "preprocess_s",
    "lessons": "preprocess_s",
    "geometry": "geometry_s",
    "train": "language_s",
}
"""Kind of result: what GAGS's Table 3 would call the time it took."""
SPENT_BEFORE = ("cache_saved_s", "recorded_s")
"""Numbers of a card: seconds that made what it was served from the cache, or the steps of geometry
that it followed."""


def costs(folder: Path) -> dict[str, float | None]:
    """Return the costs of one training.

    Seconds of wall time from start to end of each process without its imports: ``preprocess_s``
    (masks, vectors, labels, tracks, and what a method prepares of them for the scene),
    ``geometry_s`` (a finished geometry, where anything reads one), ``language_s`` (the training; of
    a joint one with its geometry) and ``total_s``; the largest ``peak_ram_mb`` and ``peak_gpu_mb``
    (None without a GPU) of them all; ``bytes_per_gaussian`` of semantics (None where there are no
    Gaussians); ``served``, the number of intermediate results that came from the cache and are
    counted with the seconds that they took to make.  Of predictions that were made elsewhere what
    their author says.
    """
    links = chain(folder)
    if author_of(links[0].card) is not None:
        return declared_costs(links[0].card)
    seconds = dict.fromkeys(PHASES.values(), 0.0)
    for link in links:
        elsewhere_s = sum(link.card["numbers"].get(name, 0) for name in SPENT_BEFORE)
        seconds[PHASES[link.kind]] += link.card["wall_s"] + elsewhere_s
    numbers = links[0].card["numbers"]
    seconds["preprocess_s"] += numbers["prepare_s"]
    seconds["language_s"] -= numbers["prepare_s"]
    return {
        **seconds,
        "total_s": sum(seconds.values()),
        "peak_ram_mb": _largest(links, "peak_ram_mb"),
        "peak_gpu_mb": _largest(links, "peak_gpu_mb"),
        "bytes_per_gaussian": _each(numbers["semantic_mb"], numbers["n_gaussians"]),
        "served": float(sum(link.card["numbers"].get("cache_served", 0) for link in links)),
    }


def _each(semantic_mb: float, n_gaussians: int) -> float | None:
    """Return the bytes of one Gaussian, where there are any; a card counts in 2^20 bytes."""
    return semantic_mb * 2**20 / n_gaussians if n_gaussians else None


def _largest(links: list[Link], name: str) -> float | None:
    """Return the largest of a number that some cards have."""
    values = [link.card["numbers"].get(name) for link in links]
    return max((value for value in values if value is not None), default=None)
