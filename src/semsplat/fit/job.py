"""One fit from files to files: what reconstructions and trainings do alike."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from semsplat.data.scene import Scene
from semsplat.fit.inputs import Inputs
from semsplat.fit.loop import Objective, Views, fit, warm_up
from semsplat.fit.steps import Fit, remove_state
from semsplat.fit.trainee import Trainee
from semsplat.fit.views import Ahead, View, views_in_order
from semsplat.folders import claim
from semsplat.kernel_cache import compiled_once
from semsplat.params.geometry import Training
from semsplat.provenance import Card
from semsplat.splat.ply import write_ply

PLY, CURVES, CARD = "point_cloud.ply", "metrics.jsonl", "run.json"


@dataclass(frozen=True, eq=False)
class Task:
    """What is fitted to a scene's photographs, and how."""

    trainee: Trainee
    objective: Objective
    steps: int
    scale: Callable[[int], float]  # image scale at a step
    run_seed: int
    ahead: Ahead | None = None  # see `views_in_order`
    photographs: bool = True  # whether they are read

    def warm_up(self, view: View) -> float:
        """Compute a step without taking it, see `warm_up`; return the seconds."""
        return warm_up(self.trainee, self.objective, view)

    def take(self, plan: Fit, views: Views) -> float:
        """Take all steps, see `fit`; return the seconds."""
        return fit(plan, self.trainee, self.objective, views)


class Steps(Protocol):
    """What a job does, as a `Task` does."""

    @property
    def trainee(self) -> Trainee:
        """What is fitted."""

    @property
    def steps(self) -> int:
        """How many there are."""

    @property
    def scale(self) -> Callable[[int], float]:
        """The image scale at a step."""

    @property
    def run_seed(self) -> int:
        """Of the order of views."""

    @property
    def ahead(self) -> Ahead | None:
        """See `views_in_order`."""

    @property
    def photographs(self) -> bool:
        """Whether they are read."""

    def warm_up(self, view: View) -> float:
        """Let kernels be compiled, change nothing; return the seconds."""

    def take(self, plan: Fit, views: Views) -> float:
        """Take all steps that are still to be taken; return the seconds, over all resumes."""


@dataclass(frozen=True, eq=False)
class Job:
    """Where a fit computes and writes, and the card that says what it was made from."""

    card: Card
    out: Path
    scratch: Path
    training: Training
    inputs: Inputs  # on the device that computes
    further: tuple[str, ...] = ()  # files that are written between `fit` and `finish`
    way: str = ""  # to the result: what one way has saved is nothing for another

    def fit(self, task: Steps, scene: Scene) -> dict[str, Any]:
        """Fit, write the Gaussians and the curves, and return the numbers of the card."""
        claim(self.out, [PLY, CURVES, CARD, *self.further])
        plan = Fit(task.steps, self.card.key + self.way, self.scratch, self.training)
        views = partial(
            views_in_order,
            scene.train,
            seed=task.run_seed,
            scale=task.scale,
            inputs=self.inputs,
            ahead=task.ahead,
            photographs=task.photographs,
        )
        with compiled_once():
            compile_s = task.warm_up(next(iter(views(range(1)))))
        train_s = task.take(plan, views)
        write_ply(self.out / PLY, dict(task.trainee.gaussians))
        shutil.copyfile(plan.log_path, self.out / CURVES)
        return {
            "train_s": round(train_s, 2),
            "compile_s": round(compile_s, 2),
            "n_gaussians": len(task.trainee.gaussians["means"]),
            "n_train_views": len(scene.train),
            "device": self.inputs.device,
        }

    def finish(self, numbers: dict[str, Any]) -> None:
        """Write the card, last of all files, and remove the resumable state."""
        outputs = [self.out / name for name in (PLY, CURVES, *self.further)]
        self.card.write(self.out / CARD, outputs, **numbers)
        remove_state(self.scratch)
