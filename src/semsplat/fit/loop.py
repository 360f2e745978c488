"""The training loop of Gaussians, the same for every method."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor

from semsplat.fit.finite import Watch, check_start
from semsplat.fit.steps import Fit, Numbers, run_steps
from semsplat.fit.trainee import Trainee
from semsplat.fit.views import View

Number = float | Callable[[], Tensor]
"""What a step has to say, or what makes it where somebody asks."""
Outcome = tuple[dict[str, Tensor], dict[str, Any], dict[str, Number]]
Objective = Callable[[int, View], Outcome]
"""Step and view in; named losses to add up, the rasteriser's meta, and numbers to log out."""
Views = Callable[[range], Iterable[View]]
"""Steps in; the view of each out."""


def fit(plan: Fit, trainee: Trainee, objective: Objective, views: Views) -> float:
    """Train to the end and return the seconds spent, over all resumes.

    Args:
        plan: length, identity and scratch folder.
        trainee: what is trained; changed in place.
        objective: see `Objective`.
        views: yields the view of every step of a range.
    """

    def steps(todo: range) -> Iterator[Numbers]:
        check_start(trainee)
        watch = Watch()
        for step, view in zip(todo, views(todo), strict=True):
            outcome = _train_step(trainee, objective, step, view, watch)
            yield partial(_numbers, step, outcome, trainee, watch)

    return run_steps(plan, trainee, steps)


def warm_up(trainee: Trainee, objective: Objective, view: View) -> float:
    """Run one step's computation without taking the step; return the seconds.

    The first call compiles kernels (or loads them from the cache), which is no training time.
    """
    start = time.monotonic()
    losses, _, _ = objective(0, view)
    torch.stack(list(losses.values())).sum().backward()
    trainee.clear()
    return time.monotonic() - start


def _train_step(
    trainee: Trainee, objective: Objective, step: int, view: View, watch: Watch
) -> Outcome:
    """Take one optimisation step."""
    trainee.set_rates(step)
    losses, info, numbers = objective(step, view)
    if trainee.density:
        trainee.density.before_backward(trainee.gaussians, trainee.optimizers, step, info)
    loss = torch.stack(list(losses.values())).sum()
    loss.backward()
    watch.note(step, loss)
    trainee.step()
    if trainee.density:
        trainee.density.after_step(trainee.gaussians, trainee.optimizers, step, info)
    return losses, info, numbers


def _numbers(step: int, outcome: Outcome, trainee: Trainee, watch: Watch) -> dict[str, float]:
    """Return the losses of this step's view, the objective's numbers, and the model's size.

    Raises a one-line `SemsplatError` where something is no longer finite.
    """
    losses, _, numbers = outcome
    watch.check(step, trainee, losses)
    values = _on_host({f"loss_{k}": v for k, v in losses.items()})
    said = {k: one() if callable(one) else one for k, one in numbers.items()}
    values |= {"loss": sum(values.values()), **_on_host(said)}
    return {"n_gaussians": len(trainee.gaussians["means"]), **values}


def _on_host(numbers: Mapping[str, Tensor | float]) -> dict[str, float]:
    """Return numbers, those on a GPU fetched together: each fetch waits for it."""
    there = {k: v.detach() for k, v in numbers.items() if isinstance(v, Tensor)}
    fetched = torch.stack(list(there.values())).tolist() if there else []
    return {k: float(v) for k, v in numbers.items() if k not in there} | dict(
        zip(there, fetched, strict=True)
    )
