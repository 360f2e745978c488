"""Open-vocabulary search, one row per setting: localisation and masks, as a Markdown table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from semsplat.figures import SETTING_FILES, SettingFigure

if TYPE_CHECKING:
    from semsplat.figures.style import FigureRun
    from semsplat.figures.tables import Column, Rows

SCOPE = "suite"
EXTENSION = "md"
NEEDS = SETTING_FILES
METRICS = {
    "localisation": "localisation",
    "mIoU": "query_miou",
    "localisation, scaled": "localisation_scaled",
    "mIoU, frozen": "query_miou_frozen",
    "objects: localisation": "object_localisation_scaled",
    "objects: mIoU": "object_query_miou_frozen",
    "parts: localisation": "part_localisation_scaled",
    "parts: mIoU": "part_query_miou_frozen",
    "trained on: localisation": "train_localisation",
    "trained on: mIoU": "train_query_miou",
    "trained on: localisation, scaled": "train_localisation_scaled",
    "trained on: mIoU, frozen": "train_query_miou_frozen",
}
SPEED = {"render ms": "render_ms", "predict ms": "predict_ms"}  # GAGS's Table 3 in seconds


class Options(SettingFigure):
    """What the table shows."""


def draw(runs: list[FigureRun], options: Options, out: Path) -> None:
    """Write the table of all scenes, one table per scene, and what the numbers need."""
    from semsplat.figures.tables import write_tables

    write_tables(runs, options.settings, _columns(), _notes, out)


def _columns() -> list[Column]:
    """Return the columns, the metrics' with their protocols."""
    from semsplat.evaluate.score_queries import protocol_of
    from semsplat.figures.tables import costs, metric, speed_of

    columns = [metric(f"{t}<br>`{protocol_of(name)}`", name) for t, name in METRICS.items()]
    columns += [speed_of(title, name) for title, name in SPEED.items()]
    return columns + costs()


def _notes(rows: Rows, speed: Any) -> list[str]:
    """Return what a reader needs to know about the numbers."""
    from semsplat.figures.tables import conditions, measured_on

    scores = [result[0] for several in rows.values() for result in several]
    missing = sum(len(score["missing"]) for score in scores)
    reasons = {reason for score in scores for reason in score["absent"].values()}
    return [
        "Percent; mean ± standard deviation over seeds, of means over scenes. A pair is a prompt in"
        " an annotated view that shows it; a score is the plain mean over pairs. Views are held"
        " out, except under “trained on”, which is how the published numbers are made."
        f" Pairs: {'; '.join(_pairs(scores))}.",
        f"{missing} pairs of all runs have no prediction and count as 0. {conditions(rows)}"
        " Render and predict: one prompt asked of one view, its text encoded before, on"
        f" {measured_on(speed)}, median of a run. Training seconds are of one thread where there is"
        " no GPU, beside another training.",
        *(f"Left out: {reason}." for reason in sorted(reasons)),
    ]


def _pairs(scores: list[Any]) -> list[str]:
    """Return of every scene how many pairs its scores are means of."""
    found = {}
    for score in scores:
        counts = [
            sum(int(row.get(key, 0)) for row in score["prompts"].values())
            for key in ("views", "train_views")
        ]
        place = f"{score['dataset']}/{score['scene']}"
        found[place] = f"{place} {counts[0]} held out, {counts[1]} trained on"
    return list(found.values())
