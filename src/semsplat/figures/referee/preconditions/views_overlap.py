"""Views see the same surfaces, so that their class maps can agree or not."""

from __future__ import annotations

from semsplat.figures.referee.trainings import Results
from semsplat.keys import TrainingKey

LEAST = 5
PROTOCOL = "class_maps/inconsistency@"
ASKS = "pairs of views that see the same surfaces, 5 or more"
SHOWN = "{:.0f}"
WORDS = "{value:.0f} pairs of views see the same surfaces, not 5"


def value(results: Results, training: TrainingKey) -> float | None:
    """Return how many pairs of views were compared."""
    counts = results.scores(training).get("counts", {})
    found = [said["pairs"] for name, said in counts.items() if name.startswith(PROTOCOL)]
    return max(found, default=None)


def holds(value: float) -> bool:
    """Tell whether there are enough pairs."""
    return value >= LEAST
