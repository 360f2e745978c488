"""A scene is learned from as few views as the paper's sparse ones, 27 of each."""

from __future__ import annotations

from semsplat.figures.referee.trainings import Results
from semsplat.keys import TrainingKey

MOST = 27
ASKS = "training views, 27 or fewer"
SHOWN = "{:.0f}"
WORDS = "{value:.0f} training views, more than 27"


def value(results: Results, training: TrainingKey) -> float | None:
    """Return how many views a training learned from."""
    number: float | None = results.card(training)["numbers"].get("n_train_views")
    return number


def holds(value: float) -> bool:
    """Tell whether they are few."""
    return value <= MOST
