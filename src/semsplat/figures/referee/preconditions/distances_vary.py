"""Things are seen from near and from far, so that prompts may follow the distance.

GaS asks more densely where a view of a thing is farther than others (GAGS, section 3.1).  Where
all views are about as far, it asks as evenly as what it is compared with.
"""

from __future__ import annotations

from semsplat.figures.referee.trainings import Results
from semsplat.keys import TrainingKey

FACTOR = 2.0
"""A thing half as far covers four times the pixels: a different segmentation of it."""
ASKS = "farthest over nearest view of the median thing, 2 or more"
SHOWN = "{:.1f}"
WORDS = "the median thing's farthest view is {value:.1f} times as far as its nearest, not 2"


def value(results: Results, training: TrainingKey) -> float | None:
    """Return, of the median thing, farthest distance over nearest."""
    return results.things(training).get("distance_ratio")


def holds(value: float) -> bool:
    """Tell whether distances vary enough."""
    return value >= FACTOR
