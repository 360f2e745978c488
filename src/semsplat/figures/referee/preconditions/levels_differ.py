"""The best level of segmentation differs between things, so that there is something to choose.

GaD learns a level of each thing (GAGS, section 3.2).  Where one level is the best for nearly all,
that level alone does as well.
"""

from __future__ import annotations

from semsplat.figures.referee.trainings import Results
from semsplat.keys import TrainingKey

SHARE = 0.1
"""One thing in ten; fewer hardly move a mean over things."""
ASKS = "things whose best level is not that of most, 10% or more"
SHOWN = "{:.0%}"
WORDS = "one level is the best for all but {value:.0%} of the things, not 10%"


def value(results: Results, training: TrainingKey) -> float | None:
    """Return the share of things whose best level is not the most frequent best one."""
    return results.things(training).get("best_level_differs")


def holds(value: float) -> bool:
    """Tell whether levels differ enough."""
    return value >= SHARE
