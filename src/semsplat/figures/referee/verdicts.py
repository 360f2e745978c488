"""Verdicts on claims: paired effects over scenes and seeds, a bootstrap interval, a word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain
from statistics import fmean
from typing import Literal, NamedTuple

import numpy as np
from scipy.stats import bootstrap

from semsplat.figures.published import load_claims, load_printed, load_table, printed_value
from semsplat.figures.published.claim_models import Claim, Rules
from semsplat.figures.published.models import PROCEDURAL, REAL, Measure, Table
from semsplat.figures.referee.sheet import Grid
from semsplat.figures.referee.trainings import Results, no_number
from semsplat.keys import TrainingKey

REPRODUCED, INCONCLUSIVE = "reproduced", "inconclusive"
CONTRADICTED, NOT_RUN = "contradicted", "not run"
WORDS = (REPRODUCED, CONTRADICTED, INCONCLUSIVE, NOT_RUN)
Effects = dict[str, list[float]]
"""scene: the effect of every seed."""


class Verdict(NamedTuple):
    """What came out of one claim on one kind of scenes."""

    evidence: str
    word: str
    reason: str
    effect: float | None
    low: float | None
    high: float | None
    n_scenes: int
    n_pairs: int
    trainings: tuple[TrainingKey, ...]


def effect(better: float, worse: float, scale: str, direction: str) -> float:
    """Return how much ``better`` is better than ``worse``, as difference or as ratio."""
    if direction == "lower":
        better, worse = worse, better
    return better / worse if scale == "ratio" else better - worse


def columns_of(claim: Claim, table: Table) -> list[str]:
    """Return the printed columns that a claim is about."""
    return claim.columns or [n for n, c in table.columns.items() if c.measure == claim.measure]


def judge_all(results: Results) -> list[tuple[str, Claim, Verdict]]:
    """Return every claim's name, itself and its verdicts, in the order of the file."""
    claims = load_claims()
    return [
        (name, claim, verdict)
        for name, claim in claims.claims.items()
        for verdict in judge(claim, load_table(claim.table), results, claims.rules)
    ]


def counts_grid(title: str, judged: Sequence[tuple[str, Claim, Verdict]]) -> Grid:
    """Return how many claims of each paper came out how."""
    pairs = [(str(load_table(claim.table).paper), verdict.word) for _, claim, verdict in judged]
    found, papers = Counter(pairs), dict.fromkeys(paper for paper, _ in pairs)
    rows = [[paper, *(str(found[paper, word]) for word in WORDS)] for paper in papers]
    return Grid(title, ["paper", *WORDS], rows)


def printed_effect(claim: Claim, table: Table) -> float | None:
    """Return the effect that the paper prints: the mean over its columns; None if it has none."""
    measure = table.measures[claim.measure]
    if claim.printed is not None:
        return effect(*claim.printed, claim.scale, measure.better)
    printed = load_printed(claim.table)
    pairs = [
        [printed_value(table, printed, row, name) for row in (claim.better, claim.worse)]
        for name in columns_of(claim, table)
    ]
    effects = [
        effect(better, worse, claim.scale, measure.better)
        for better, worse in pairs
        if better is not None and worse is not None
    ]
    return fmean(effects) if effects else None


def judge(claim: Claim, table: Table, results: Results, rules: Rules) -> list[Verdict]:
    """Return a verdict per level of evidence that the trainings offer; one "not run" without any.

    No verdict mixes procedural scenes and real ones.
    """
    names = columns_of(claim, table)
    # A measure without a printed column is judged on the scenes of all of them.
    real = [scene for name in names or table.columns for scene in table.columns[name].scenes]
    levels = {PROCEDURAL: results.scenes(table.stand_in), REAL: list(dict.fromkeys(real))}
    verdicts = [
        _judge(level, scenes, claim, table, results, rules) for level, scenes in levels.items()
    ]
    run = [verdict for verdict in verdicts if verdict.word != NOT_RUN]
    return run or verdicts[:1]


def _judge(
    level: str, scenes: list[str], claim: Claim, table: Table, results: Results, rules: Rules
) -> Verdict:
    rows = [table.rows[name] for name in (claim.better, claim.worse)]
    missing = [row.absent for row in rows if row.absent]
    if missing:
        return _not_run(level, "; ".join(dict.fromkeys(missing)))
    if rows[0].setting == rows[1].setting:
        return _not_run(level, "both rows are one setting")
    sides = [results.of(row.setting, scenes) for row in rows]
    measure = table.measure_on(claim.measure, scenes)
    effects, trainings = paired(sides, results, measure, claim.scale)
    if not effects:
        scored = {pair_key(t) for t in sides[0]} & {pair_key(t) for t in sides[1]}
        return _not_run(level, no_number(measure) if scored else "not trained in this suite")
    return _decided(level, effects, claim.at_least, rules, trainings)


def pair_key(training: TrainingKey) -> tuple[str, int]:
    """Return what both sides of a pair share: scene and seed."""
    return training.place, training.seed


def paired(
    sides: Sequence[list[TrainingKey]], results: Results, measure: Measure, scale: str
) -> tuple[Effects, tuple[TrainingKey, ...]]:
    """Return the effect of every scene and seed that both sides have, and their trainings."""
    better, worse = ({pair_key(t): t for t in side} for side in sides)
    effects: Effects = {}
    used: list[TrainingKey] = []
    for key in sorted(better.keys() & worse.keys()):
        values = [results.value(side[key], measure) for side in (better, worse)]
        if values[0] is None or values[1] is None:
            continue
        gain = effect(values[0], values[1], scale, measure.better)
        effects.setdefault(key[0], []).append(gain)
        used += [better[key], worse[key]]
    return effects, tuple(used)


def _decided(
    level: str, effects: Effects, at_least: float, rules: Rules, trainings: tuple[TrainingKey, ...]
) -> Verdict:
    every = list(chain.from_iterable(effects.values()))
    low, high = interval(every, rules)
    word, reason = decide(effects, (low, high), at_least, rules)
    return Verdict(
        level, word, reason, fmean(every), low, high, len(effects), len(every), trainings
    )


def interval(effects: Sequence[float], rules: Rules) -> tuple[float | None, float | None]:
    """Return the percentile bootstrap interval of the mean effect; nothing for a single pair."""
    if len(effects) < 2:
        return None, None
    bounds = bootstrap(
        (np.asarray(effects),),
        np.mean,
        confidence_level=rules.confidence,
        n_resamples=rules.resamples,
        method="percentile",
        rng=np.random.default_rng(rules.seed),
    ).confidence_interval
    return float(bounds.low), float(bounds.high)


def decide(
    effects: Mapping[str, Sequence[float]],
    bounds: tuple[float | None, float | None],
    at_least: float,
    rules: Rules,
) -> tuple[Literal["reproduced", "contradicted", "inconclusive"], str]:
    """Return the verdict and why it is not a clear one.

    Reproduced: the whole interval and every scene's mean lie above what the claim needs;
    contradicted: all of them lie below.
    """
    n_pairs, (low, high) = sum(map(len, effects.values())), bounds
    if len(effects) < rules.min_scenes or n_pairs < rules.min_pairs or low is None or high is None:
        needed = f"{rules.min_pairs} pairs and {rules.min_scenes} scenes"
        return "inconclusive", f"too few: a verdict needs {needed}"
    means = [fmean(values) for values in effects.values()]
    if low > at_least and min(means) > at_least:
        return "reproduced", ""
    if high < at_least and max(means) < at_least:
        return "contradicted", ""
    return "inconclusive", (
        "scenes disagree" if low > at_least or high < at_least else "within the noise"
    )


def _not_run(level: str, reason: str) -> Verdict:
    return Verdict(level, NOT_RUN, reason, None, None, None, 0, 0, ())
