"""The best vote over the regions is better than what SAC renders, so that votes can teach it.

3DCS teaches by one class per region.  Where even the best class of every region has a lower mIoU
on the training views than what the training without it renders there, no vote can raise it.
"""

from __future__ import annotations

from semsplat.figures.referee.trainings import Results
from semsplat.keys import TrainingKey

ASKS = "points of mIoU of the best vote over regions above what SAC renders, more than 0"
SHOWN = "{:+.1f}"
WORDS = "the best vote over regions has {value:+.1f} points of mIoU against what SAC renders"


def value(results: Results, training: TrainingKey) -> float | None:
    """Return mIoU of the best vote less that of a training, both of training views, in points."""
    metrics = results.scores(training)["metrics"]
    both = [metrics.get(name) for name in ("best_vote_train_miou", "train_miou")]
    return None if None in both else 100 * float(both[0] - both[1])


def holds(value: float) -> bool:
    """Tell whether a vote could be better."""
    return value > 0
