"""Semantics that stay out of the geometry, taught along the record of a fit of that geometry.

They learn what they would beside the colours, to the last bit: values of Gaussians blend to the
same whether colours are blended with them or not.  What is saved is all that only colours need.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn import Parameter, ParameterDict
from torch.optim import Optimizer

from semsplat.fit.loop import Number, Objective, Outcome
from semsplat.fit.trainee import Trainee
from semsplat.fit.views import View
from semsplat.geometry.record import Record, Step
from semsplat.params.methods import Joint
from semsplat.provenance import peak_ram_mb
from semsplat.splat.gaussians import splat_values
from semsplat.train.attached import SEMANTICS
from semsplat.train.methods import Shown, Terms, as_held

FOLLOWED = "/followed"
"""Marks the saved state of such a training, which has nothing of the geometry."""


class Follower:
    """Stands in the place of density control and gives each step the Gaussians it had."""

    def __init__(self, record: Record, gaussians: ParameterDict) -> None:
        """Give ``gaussians``, which hold the semantics, what the first step found."""
        self.record, self.gaussians = record, gaussians
        self.give(0)

    def give(self, step: int) -> None:
        """Let the Gaussians be what they were at the start of a step."""
        found = self.record.step(step)
        self.step, self.said = step, found
        for name, array in found.gaussians.items():
            self.gaussians[name] = Parameter(torch.from_numpy(array).contiguous(), False)

    def before_backward(self, *_: Any) -> None:
        """Nothing: no gradient is asked for."""

    def after_step(
        self, gaussians: ParameterDict, optimizers: dict[str, Optimizer], step: int, info: Any
    ) -> None:
        """Give what the next step found, and every Gaussian the semantics of where it is from."""
        if self.said.refined:
            origin, kept = map(torch.from_numpy, self.said.refined)
            carry(gaussians, optimizers[SEMANTICS], origin.long(), kept)
        self.give(step + 1)

    def state_dict(self) -> dict[str, int]:
        """Return the step that comes next."""
        return {"step": self.step}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Continue with that step."""
        self.give(state["step"])


def carry(gaussians: ParameterDict, optimizer: Optimizer, origin: Tensor, kept: Tensor) -> None:
    """Give every Gaussian the semantics of the one it is from, as gsplat's strategy does.

    Args:
        gaussians: changed in place, as the optimiser is.
        optimizer: of the semantics; its sums are 0 for Gaussians that are new.
        origin: int64 [N], of each its row before.
        kept: bool [N], whether it is the Gaussian that was there.
    """
    before = gaussians[SEMANTICS]
    after = Parameter(before.detach()[origin])
    state = optimizer.state.pop(before)
    for name, value in state.items():
        if name != "step":
            state[name] = torch.where(kept[:, None], value[origin], 0.0)
    optimizer.state[after] = state
    optimizer.param_groups[0]["params"] = [after]
    gaussians[SEMANTICS] = after


def start_following(trainee: Trainee, record: Record) -> Trainee:
    """Return a trainee of the semantics alone, of one as `start_joint` makes it."""
    gaussians = ParameterDict({SEMANTICS: trainee.gaussians[SEMANTICS]})
    optimizers = {SEMANTICS: trainee.optimizers[SEMANTICS]}
    return Trainee(gaussians, optimizers, Follower(record, gaussians), {}, trainee.decoder)


def following_objective(
    trainee: Trainee, terms: Terms, options: Joint, shown: Shown = as_held
) -> Objective:
    """Return what `joint_objective` does, its colours' losses read from the record."""
    follower = trainee.density
    assert isinstance(follower, Follower)

    def objective(step: int, view: View) -> Outcome:
        gaussians, blended = trainee.gaussians, None
        held = gaussians[SEMANTICS]
        held.grad = torch.zeros_like(held)  # beside colours it has one at every step: Adam goes on
        if options.blends(step):
            image, *_ = splat_values(gaussians, shown(held), *view.alone)
            # As it lies beside colours: products of another layout differ in bits.
            blended = F.pad(image[0], (3, 0))[..., 3:]
        return _losses(follower.said) | terms(step, view, blended), {}, _numbers(follower.said)

    return objective


def cost_followed(record: Record, train_s: float) -> dict[str, Any]:
    """Return what a card says of seconds and memory where a record was followed.

    ``train_s`` is what both fits took, the one along the record and, ``recorded_s``, the record's;
    memory that of the larger.
    """
    cost = record.summary
    both, ram = round(cost["train_s"] + train_s, 2), max(cost["peak_ram_mb"], peak_ram_mb())
    return {"train_s": both, "recorded_s": cost["train_s"], "peak_ram_mb": ram}


def _losses(said: Step) -> dict[str, Tensor]:
    """Return a step's losses of colours, with gradients for nobody, as a sum has to have one."""
    return {name: torch.tensor(loss, requires_grad=True) for name, loss in said.losses.items()}


def _numbers(said: Step) -> dict[str, Number]:
    return {name: float(value) for name, value in said.numbers.items()}
