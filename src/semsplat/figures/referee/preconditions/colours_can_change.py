"""Semantics move the geometry, so that learning them can cost colours.

Where they leave it alone, colours are bit for bit what they are without: that they do not suffer
is how the method was read, and no finding.
"""

from __future__ import annotations

from semsplat.figures.referee.trainings import Results
from semsplat.keys import TrainingKey

ASKS = "semantics that move the geometry, 1 for yes"
SHOWN = "{:.0f}"
WORDS = "semantics leave the geometry alone by our reading, so that colours are the same bits"


def value(results: Results, training: TrainingKey) -> float | None:
    """Return 1 where a training's semantics move the geometry, else 0."""
    moves = results.card(training)["config"].get("options", {}).get("moves_geometry")
    return None if moves is None else float(moves)


def holds(value: float) -> bool:
    """Tell whether they do."""
    return value > 0
