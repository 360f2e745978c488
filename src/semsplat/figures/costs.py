"""What every setting costs, preprocessing included: time, memory, bytes per Gaussian."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean

from semsplat.figures import SETTING_FILES
from semsplat.figures.referee.declared import author_of
from semsplat.figures.referee.sheet import Grid, Sheet, write_sheet
from semsplat.figures.referee.trainings import Results
from semsplat.keys import TrainingKey
from semsplat.params.base import Strict

SCOPE = "trainings"
EXTENSION = "md"
NEEDS = SETTING_FILES
COLUMNS = {
    "preprocess_s": ("features and lessons s", 0),
    "geometry_s": ("geometry s", 0),
    "language_s": ("training s", 0),
    "total_s": ("total s", 0),
    "peak_ram_mb": ("peak RAM MB", 0),
    "peak_gpu_mb": ("peak GPU MB", 0),
    "bytes_per_gaussian": ("semantic bytes per Gaussian", 1),
}


class Options(Strict):
    """Nothing: every training of the suite is shown."""


def draw(trainings: list[TrainingKey], options: Options, out: Path) -> None:
    """Write the means of every setting as Markdown and LaTeX, and every training as CSV."""
    results = Results(trainings)
    settings = sorted({training.setting for training in trainings})
    head = ["setting", "trainings", *(title for title, _ in COLUMNS.values())]
    grid = Grid("Costs", head, [_row(setting, results) for setting in settings])
    records = [
        {"training": str(training), **results.costs(training)} for training in results.trainings
    ]
    write_sheet(Sheet([grid], _notes(results)), records, out)


def _row(setting: str, results: Results) -> list[str]:
    """Return one setting's means over scenes and seeds; nothing where any training has none."""
    members = [training for training in results.trainings if training.setting == setting]
    cells = [setting, str(len(members))]
    for name, (_, digits) in COLUMNS.items():
        values = [results.costs(training)[name] for training in members]
        known = [value for value in values if value is not None]
        cells.append(f"{fmean(known):.{digits}f}" if len(known) == len(values) else "")
    return cells


def _notes(results: Results) -> list[str]:
    cards = [results.card(training) for training in results.trainings]
    machines = [card["machine"] for card in cards if author_of(card) is None]
    devices = sorted({m["gpu"] or f"{m['cpu']}, {m['threads']} threads" for m in machines})
    served = sum(results.costs(training)["served"] or 0 for training in results.trainings) > 0
    notes = [
        "Means over scenes and seeds of wall time from start to end of each process without its"
        " imports, beside another job on the same machine. Features (masks, vectors) and geometry"
        " are computed once for several settings and counted in full for each; a joint training"
        " learns its geometry itself, and what stands under geometry is the one that its tracks or"
        " its prompts needed. Memory is the largest of all processes."
        f" On {'; '.join(devices) or 'none: nothing was trained'}."
    ]
    notes += results.author_lines()
    if served:
        notes.append(
            "What features took from the cache of another extraction counts as if they had made it."
        )
    if any("recorded_s" in card["numbers"] for card in cards):
        notes.append(
            "A training that followed recorded steps of the geometry counts the seconds of both."
        )
    return notes
