"""More things than a handful are asked for, so that a mean over them is not about one or two."""

from __future__ import annotations

from semsplat.figures.referee.trainings import Results
from semsplat.keys import TrainingKey

LEAST = 5
ASKS = "things that are asked for, 5 or more"
SHOWN = "{:.0f}"
WORDS = "{value:.0f} things are asked for, not 5"


def value(results: Results, training: TrainingKey) -> float | None:
    """Return how many prompts a training answered."""
    prompts = results.scores(training).get("prompts")
    return len(prompts) if prompts else None


def holds(value: float) -> bool:
    """Tell whether there are enough things."""
    return value >= LEAST
