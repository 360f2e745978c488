"""Held-out scores of the geometry per scene: mean and standard deviation over seeds."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean
from typing import Any, Literal

from semsplat.figures import TRAINING_FILES
from semsplat.figures.referee.sheet import Grid, Sheet, write_sheet
from semsplat.figures.referee.trainings import Results, spread, spread_text
from semsplat.keys import TrainingKey
from semsplat.params.base import Count, Strict

SCOPE = "geometries"
EXTENSION = "md"
NEEDS = ("results/geometry/{dataset}/{scene}/{seed}/run.json", TRAINING_FILES[1])
FACTS = ("views", "pixels", "Gaussians", "steps", "seeds", "device")


class Options(Strict):
    """What the table shows."""

    digits: dict[Literal["psnr", "ssim", "lpips"], Count]
    """metric: decimals; also the order of the columns"""


def draw(trainings: list[TrainingKey], options: Options, out: Path) -> None:
    """Write the table with everything a number needs: protocol, size, steps, seeds, device."""
    results = Results(trainings)
    records = [
        _record(place, metric, results)
        for place in dict.fromkeys(training.place for training in trainings)
        for metric in options.digits
    ]
    rows: dict[str, list[str]] = {}
    for record in records:
        cell = _text(record, options.digits[record["column"]])
        rows.setdefault(record["row"], [record["row"]]).append(cell)
    lines = [[*cells, *_facts(place, results)] for place, cells in rows.items()]
    grid = Grid("Held-out views", ["scene", *options.digits, *FACTS], lines)
    write_sheet(Sheet([grid], _notes(results)), records, out)


def _record(place: str, metric: str, results: Results) -> dict[str, Any]:
    """Return a line of the CSV; no mean where any seed has no number."""
    members = [training for training in results.trainings if training.place == place]
    scores = [results.scores(training) for training in members]
    values = [each["metrics"].get(metric) for each in scores]
    whole = None not in values
    means = spread((t.seed, v) for t, v in zip(members, values, strict=True)) if whole else None
    absent = {each["absent"].get(metric, "") for each in scores} - {""}
    return {
        "row": place,
        "column": metric,
        "protocol": ", ".join(sorted({each["protocol"] for each in scores})),
        "mean": means and means.mean,
        "sd": means and means.sd,
        "n_seeds": len(members),
        "reason": "" if whole else "; ".join(sorted(absent)) or f"some seeds have no {metric}",
        "trainings": " ".join(map(str, members)) if whole else "",
    }


def _text(record: dict[str, Any], digits: int) -> str:
    """Return "mean ± sd", or a dash where there is no number."""
    return "-" if record["mean"] is None else spread_text(record["mean"], record["sd"], digits)


def _facts(place: str, results: Results) -> list[str]:
    """Return what the numbers of a scene were measured with."""
    members = [training for training in results.trainings if training.place == place]
    scores, card = results.scores(members[0]), results.card(members[0])
    machine = card["machine"]
    return [
        str(scores["n_views"]),
        "x".join(map(str, scores["size_px"])),
        str(round(fmean(results.card(t)["numbers"]["n_gaussians"] for t in members))),
        str(card["config"]["geometry"]["steps"]),
        str(len(members)),
        machine["gpu"] or f"CPU, {machine['threads']} threads",
    ]


def _notes(results: Results) -> list[str]:
    scores = [results.scores(training) for training in results.trainings]
    protocols = sorted({each["protocol"] for each in scores})
    reasons = sorted({item for each in scores for item in each["absent"].items()})
    said = f"Protocol {', '.join(protocols)}; mean ± standard deviation over seeds."
    return [said, *(f"No {metric}: {reason}." for metric, reason in reasons)]
