"""Objects by click and by text, one row per setting: masks and boundaries, as a Markdown table."""

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
GROUNDERS = {"points": "click", "clip_regions": "text", "grounding_dino": "box"}
BOX = " Box: that of SAM's mask of the box in which Grounding DINO sees the prompt there."
METRICS = {
    "mIoU": "mask_miou",
    "mBIoU": "mask_mbiou",
    "mIoU, mean of prompts": "class_miou",
    "mBIoU, mean of prompts": "class_mbiou",
    "mIoU, other views": "beyond_mask_miou",
    "mIoU of Gaussians": "gaussians_mask_miou",
    "mIoU, argmax": "argmax_miou",
}
SPEED = {"mask ms": "mask_ms"}


class Options(SettingFigure):
    """What the table shows."""


def draw(runs: list[FigureRun], options: Options, out: Path) -> None:
    """Write the table of all scenes, one table per scene, and what the numbers need."""
    from semsplat.figures.tables import write_tables

    write_tables(runs, options.settings, _columns(), _notes, out)


def _columns() -> list[Column]:
    """Return the columns, the metrics' with their protocols."""
    from semsplat.evaluate.score_selections import protocol_of
    from semsplat.figures.tables import costs, metric, speed_of

    columns = [
        metric(f"{word}: {title}<br>`{protocol_of(name)}`", f"{grounder}_{name}")
        for grounder, word in GROUNDERS.items()
        for title, name in METRICS.items()
    ]
    columns += [speed_of(title, name) for title, name in SPEED.items()]
    return columns + costs()


def _notes(rows: Rows, speed: Any) -> list[str]:
    """Return what the numbers were measured with, and why columns are missing."""
    from semsplat.figures.tables import conditions, measured_on

    results = [result for several in rows.values() for result in several]
    reasons = {reason for scores, _, _ in results for reason in scores["absent"].values()}
    boxes = BOX if any("grounding_dino" in scores["grounders"] for scores, _, _ in results) else ""
    return [
        "Scores in %; held-out views. Click: the most interior pixel of the object's true mask in"
        " the first of them that shows it. Text: that of the region which CLIP finds most relevant"
        f" there.{boxes} {', '.join(sorted(set(_pairs(results))))}. {conditions(rows)}",
        "A mask: blending of features and comparison with one query, no reading or writing, on"
        f" {measured_on(speed)}, median of a run. Training seconds are of one thread where there is"
        " no GPU, beside another training.",
        *(f"Left out: {reason}." for reason in sorted(reasons)),
    ]


def _pairs(results: list[Any]) -> list[str]:
    """Return of every scene how many pairs its scores are means of, and how many are missing."""
    return [
        f"{scores['dataset']}/{scores['scene']} {counts['pairs']} pairs of a view and a prompt by"
        f" {GROUNDERS[grounder]}, {counts['missing']} without a prediction"
        for scores, _, _ in results
        for grounder, counts in scores["grounders"].items()
    ]
