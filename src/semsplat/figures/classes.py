"""IoU of every class per setting, beside what was taught: where a method gains and loses."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from pydantic import Field

from semsplat.params.base import Strict

if TYPE_CHECKING:
    from semsplat.figures.style import FigureRun

SCOPE = "suite"
EXTENSION = "md"
NEEDS = ("results/evaluate/{dataset}/{scene}/{setting}/{seed}/scores.json",)
ALSO = {
    "share of pixels": "share",
    "teacher, 2-D": "teacher_iou",
    "best vote of its regions, 2-D": "best_vote_iou",
}
"""Rows about the lessons, and what they are called in the scores."""


class Options(Strict):
    """What the table shows."""

    settings: dict[str, str] = Field(min_length=1)
    """setting: what its row is called, all of one teacher"""
    datasets: list[str]
    """of the suite's scenes, those of these data sets; empty for all"""


def draw(runs: list[FigureRun], options: Options, out: Path) -> None:
    """Write one table per scene, classes from the most to the least frequent."""
    from semsplat.io import atomic_path

    parts = []
    for place in dict.fromkeys((run.dataset, run.scene) for run in runs):
        members = [run for run in runs if (run.dataset, run.scene) == place]
        parts.append(f"### {'/'.join(place)}\n\n{_table(members, options)}")
    note = (
        "IoU in percent over all pixels of the held-out views, as class_maps/pooled@1 counts them;"
        " means over seeds. Best vote: every region takes its most frequent true class."
    )
    with atomic_path(out) as partial:
        partial.write_text("\n\n".join([*parts, note]) + "\n")


def _table(runs: list[FigureRun], options: Options) -> str:
    """Return the table of one scene."""
    from semsplat.io import read_json

    found = {
        label: [read_json(run.setting_dir(name) / "scores.json")["classes"] for run in runs]
        for name, label in options.settings.items()
    }
    first = next(iter(found.values()))
    if not first[0]:
        return "No held-out view has a label map."
    names = sorted(first[0]["share"], key=lambda name: -first[0]["share"][name])
    rows = {label: (first, key) for label, key in ALSO.items()}
    rows |= {label: (results, "iou") for label, results in found.items()}
    lines = [f"| | {' | '.join(names)} |", "|---|" + "---:|" * len(names)]
    lines += [f"| {label} | {_cells(*row, names)} |" for label, row in rows.items()]
    return "\n".join(lines)


def _cells(results: list[Any], key: str, names: list[str]) -> str:
    return " | ".join(f"{100 * fmean(r[key][name] for r in results):.1f}" for name in names)
