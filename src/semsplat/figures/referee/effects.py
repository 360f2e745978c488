"""Effects: what one row of a table is better by than another, printed and ours."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from semsplat.figures.published import load_printed, printed_value
from semsplat.figures.published.claim_models import Claim
from semsplat.figures.published.measure_models import Measure
from semsplat.figures.published.models import PROCEDURAL, REAL, Table
from semsplat.figures.referee.trainings import Results, no_number
from semsplat.figures.referee.words import Effects, Found
from semsplat.keys import TrainingKey


def effect(better: float, worse: float, scale: str, direction: str) -> float:
    """Return how much ``better`` is better than ``worse``, as difference or as ratio."""
    if direction == "lower":
        better, worse = worse, better
    return better / worse if scale == "ratio" else better - worse


def columns_of(claim: Claim, table: Table) -> list[str]:
    """Return the printed columns that a claim is about: means, where it names none itself."""
    own = claim.columns or table.means(claim.measure)
    return own or [n for n, c in table.columns.items() if c.measure == claim.measure]


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


def found_of(claim: Claim, table: Table, results: Results) -> list[Found]:
    """Return what there is of a claim, per level of evidence that the trainings offer.

    Nothing mixes procedural scenes and real ones; without any effect one entry says why.  For
    single scenes that a claim names no others stand in.
    """
    names = columns_of(claim, table)
    # A measure without a printed column is judged on the scenes of all of them.
    real = [scene for name in names or table.columns for scene in table.columns[name].scenes]
    levels = {} if claim.columns else {PROCEDURAL: results.scenes(table.stand_in)}
    levels[REAL] = list(dict.fromkeys(real))
    found = [_found(level, scenes, claim, table, results) for level, scenes in levels.items()]
    return [some for some in found if some.effects] or found[:1]


def _found(level: str, scenes: list[str], claim: Claim, table: Table, results: Results) -> Found:
    rows = [table.rows[name] for name in (claim.better, claim.worse)]
    if rows[0].setting == rows[1].setting:
        return Found(level, {}, (), "both rows are one setting")
    sides = [results.of(row.setting, scenes) for row in rows]
    measures = [table.measure_on(claim.measure, scenes, row) for row in rows]
    effects, trainings = paired(sides, results, measures, claim.scale)
    if effects:
        return Found(level, effects, trainings)
    scored = {pair_key(t) for t in sides[0]} & {pair_key(t) for t in sides[1]}
    lacking = [
        measure
        for measure, side in zip(measures, sides, strict=True)
        if all(results.value(training, measure) is None for training in side)
    ]
    reason = no_number((lacking or measures)[0])
    return Found(level, {}, (), reason if scored else "not trained in this suite")


def pair_key(training: TrainingKey) -> tuple[str, int]:
    """Return what both sides of a pair share: scene and seed."""
    return training.place, training.seed


def paired(
    sides: Sequence[list[TrainingKey]], results: Results, measures: Sequence[Measure], scale: str
) -> tuple[Effects, tuple[TrainingKey, ...]]:
    """Return the effect of every scene and seed that both sides have, and their trainings.

    Each side has its own measure; better is what the first says is better.
    """
    better, worse = ({pair_key(t): t for t in side} for side in sides)
    effects: Effects = {}
    used: list[TrainingKey] = []
    for key in sorted(better.keys() & worse.keys()):
        pairs = zip((better, worse), measures, strict=True)
        values = [results.value(side[key], measure) for side, measure in pairs]
        if values[0] is None or values[1] is None:
            continue
        gain = effect(values[0], values[1], scale, measures[0].better)
        effects.setdefault(key[0], []).append(gain)
        used += [better[key], worse[key]]
    return effects, tuple(used)
