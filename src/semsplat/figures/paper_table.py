"""A table: what a paper printed and ours where the suite has the data, or ours alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import field_validator

from semsplat.errors import did_you_mean
from semsplat.figures import SETTING_FILES
from semsplat.figures.published import load_table, table_names
from semsplat.figures.published.models import Table
from semsplat.figures.referee.cells import table_cells
from semsplat.figures.referee.layout import conditions, write_table
from semsplat.figures.referee.trainings import Results
from semsplat.keys import TrainingKey
from semsplat.params.base import Strict

SCOPE = "trainings"
EXTENSION = "md"
NEEDS = SETTING_FILES
ASKED_BY = {"points": "click", "clip_regions": "text", "grounding_dino": "box"}


class Options(Strict):
    """What the table shows."""

    table: str
    """a definition in src/semsplat/figures/published"""

    @field_validator("table")
    @classmethod
    def _is_defined(cls, name: str) -> str:
        if name not in (known := table_names()):
            raise ValueError(f"no table '{name}'{did_you_mean(name, known)}")
        return name


def draw(trainings: list[TrainingKey], options: Options, out: Path) -> None:
    """Write the table as Markdown, LaTeX and CSV."""
    table, results = load_table(options.table), Results(trainings)
    said = results.author_lines() if table.paper else facts(table, results)
    write_table(table, table_cells(options.table, results), said, out)


def facts(table: Table, results: Results) -> list[str]:
    """Return paragraphs on the trainings behind a table's numbers."""
    scores = [results.scores(training) for training in results.trainings]
    said = [conditions(results)]
    if scores and any(measure.source == "speed" for measure in table.measures.values()):
        said.append(f"Speed on {_measured_on(results.speed)}: {results.speed['protocol']}.")
    cards = [results.card(training) for training in results.trainings]
    teachers = {card["config"].get("options", {}).get("teacher") for card in cards} - {None}
    said += results.author_lines()
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
