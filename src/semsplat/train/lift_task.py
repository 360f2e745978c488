"""Lifting as a job: passes over the training views, resumed where it was stopped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import torch
from torch.nn import Parameter, ParameterDict

from semsplat.fit.adjoint import adjoint
from semsplat.fit.loop import Views
from semsplat.fit.steps import Fit, Numbers, run_steps
from semsplat.fit.trainee import Decoder, Trainee
from semsplat.fit.views import Ahead, View
from semsplat.splat.ply import read_ply
from semsplat.train.attached import SEMANTICS
from semsplat.train.methods import Attachment, Lift


@dataclass(frozen=True, eq=False)
class LiftTask:
    """What is lifted, onto whom, and from how many views."""

    trainee: Trainee
    lift: Lift
    n_views: int
    run_seed: int
    ahead: Ahead | None
    photographs: bool = False

    @property
    def steps(self) -> int:
        """Every training view once per pass: `frame_at` has each once in so many steps."""
        return self.lift.passes * self.n_views

    @staticmethod
    def scale(_: int) -> float:
        """Return the image scale of a step: regions are lifted at the size they were found in."""
        return 1.0

    def warm_up(self, view: View) -> float:
        """Lift a picture of nothing, so that the kernels are there; return the seconds."""
        start = monotonic()
        gaussians = self.trainee.gaussians
        nothing = gaussians["means"].new_zeros(view.height, view.width, 1)
        adjoint(gaussians, view, nothing)
        return monotonic() - start

    def take(self, plan: Fit, views: Views) -> float:
        """Add all views in all passes, give the Gaussians what they hold; return the seconds."""

        def steps(todo: range) -> Iterator[Numbers]:
            for step, view in zip(todo, views(todo), strict=True):
                self.lift.add(view)
                if (step + 1) % self.n_views == 0:
                    self.lift.close()
                yield self._numbers

        seconds = run_steps(plan, self.lift, steps)
        start = monotonic()
        self.trainee.gaussians[SEMANTICS] = Parameter(self.lift.held(), requires_grad=False)
        return seconds + monotonic() - start

    def _numbers(self) -> dict[str, float]:
        return {"n_gaussians": len(self.trainee.gaussians["means"]), **self.lift.numbers()}


def start_lifted(geometry_dir: Path, attachment: Attachment, device: str) -> Trainee:
    """Return the Gaussians in a geometry run's folder and the decoder; nothing of them learns."""
    tensors = read_ply(geometry_dir / "point_cloud.ply")
    gaussians = {k: Parameter(v.to(device), requires_grad=False) for k, v in tensors.items()}
    decoder = Decoder(attachment.decoder.to(torch.device(device)), None)
    return Trainee(ParameterDict(gaussians), {}, None, {}, decoder)
