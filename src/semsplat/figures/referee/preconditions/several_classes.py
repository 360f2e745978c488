"""The views show more classes than a handful, so that telling them apart is a task.

Three numbers keep four classes apart whatever they learn: four points can be equally far from each
other.  The papers' scenes have 20 classes and more.
"""

from __future__ import annotations

from semsplat.figures.referee.trainings import Results
from semsplat.keys import TrainingKey

LEAST = 5
ASKS = "classes in the views, 5 or more"
SHOWN = "{:.0f}"
WORDS = "the views show {value:.0f} classes, not 5"


def value(results: Results, training: TrainingKey) -> float | None:
    """Return of how many classes a training's maps were judged."""
    classes = results.scores(training).get("classes", {}).get("iou")
    return len(classes) if classes else None


def holds(value: float) -> bool:
    """Tell whether there are enough classes."""
    return value >= LEAST
