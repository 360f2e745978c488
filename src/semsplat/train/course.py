"""What a training fits, for how long, and on views of which size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from semsplat.fit.loop import Objective
from semsplat.fit.trainee import Trainee
from semsplat.train.methods import Terms


@dataclass(frozen=True, eq=False)
class Course:
    """One of the two ways to train: see `joint` and `frozen`."""

    trainee: Trainee
    objective: Callable[[Terms], Objective]  # from the method's terms
    steps: int
    scale: Callable[[int], float]  # image scale at a step
