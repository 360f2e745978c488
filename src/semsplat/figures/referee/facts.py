"""What numbers of our own were measured with: machine, teachers, pairs, and what was left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from semsplat.figures.published.models import Table
from semsplat.figures.referee.layout import conditions
from semsplat.figures.referee.trainings import Results

ASKED_BY = {"points": "click", "clip_regions": "text", "grounding_dino": "box"}


def facts(table: Table, results: Results) -> list[str]:
    """Return paragraphs on the trainings behind a table's numbers."""
    scores = [results.scores(training) for training in results.trainings]
    said = [conditions(results)]
    if scores and any(measure.source == "speed" for measure in table.measures.values()):
        said.append(f"Speed on {_measured_on(results.speed)}: {results.speed['protocol']}.")
    cards = [results.card(training) for training in results.trainings]
    teachers = {card["config"]["options"].get("teacher") for card in cards} - {None}
    if table.lessons and teachers:
        said.append(f"Teachers: {', '.join(f'`{name}`' for name in sorted(teachers))}.")
    pairs = dict.fromkeys(line for each in scores for line in _pairs(each))
    if pairs:
        said.append(f"Pairs of a view and a prompt: {'; '.join(pairs)}. {_missing(scores)}")
    return said + [f"Left out: {reason}." for reason in sorted(set(_left_out(table, scores)))]


def _measured_on(speed: Any) -> str:
    """Return the device, or the processor and its threads, on which speed was measured."""
    machine = speed["machine"]
    return machine["gpu"] or f"{machine['cpu']}, {speed['torch_threads']} threads"


def _pairs(scores: Any) -> Iterator[str]:
    """Yield of how many pairs a scene's scores are means."""
    place = f"{scores['dataset']}/{scores['scene']}"
    grounders = scores.get("grounders") or {}
    for grounder, counts in grounders.items():
        yield f"{place} {counts['pairs']} by {ASKED_BY[grounder]}"
    if not grounders and (prompts := scores.get("prompts")):
        held_out, trained_on = (
            sum(int(row.get(key, 0)) for row in prompts.values())
            for key in ("views", "train_views")
        )
        yield f"{place} {held_out} held out, {trained_on} trained on"


def _missing(scores: list[Any]) -> str:
    """Say how many predictions of all runs there are not."""
    missing = sum(len(each["missing"]) for each in scores)
    return f"{missing} pairs of all runs have no prediction and count as 0."


def _left_out(table: Table, scores: list[Any]) -> Iterator[str]:
    """Yield why measures have no numbers."""
    names = {measure.name for measure in table.measures.values()}
    for each in scores:
        yield from (reason for name, reason in each["absent"].items() if name in names)
