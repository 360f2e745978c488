"""The training loop, the same for every method; it can be killed at any time and resumed."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from semsplat.fit.state import load_state, save_state
from semsplat.fit.trainee import Trainee
from semsplat.fit.views import View
from semsplat.log import progress
from semsplat.params.geometry import Training

Outcome = tuple[dict[str, Tensor], dict[str, Any], dict[str, Tensor | float]]
Objective = Callable[[int, View], Outcome]
"""Step and view in; named losses to add up, the rasteriser's meta, and numbers to log out."""


@dataclass(frozen=True)
class Fit:
    """One fit: how long, what it is called, and where its resumable state lies."""

    steps: int
    run_key: str
    scratch: Path
    training: Training

    @property
    def state_path(self) -> Path:
        """The saved state."""
        return self.scratch / "state.pt"

    @property
    def log_path(self) -> Path:
        """The metrics so far, one JSON per line."""
        return self.scratch / "metrics.jsonl"


def fit(
    plan: Fit, trainee: Trainee, objective: Objective, views: Callable[[range], Iterable[View]]
) -> float:
    """Train to the end and return the seconds spent, over all resumes.

    Args:
        plan: length, identity and scratch folder.
        trainee: what is trained; changed in place.
        objective: see `Objective`.
        views: yields the view of every step of a range.
    """
    first, before = _resume(plan, trainee)
    todo = range(first, plan.steps)
    clock = _Clock(before)
    saved = clock.seconds()
    with plan.log_path.open("a") as log, _stop_signals() as stop:
        steps = zip(todo, views(todo), strict=True)
        for step, view in progress(steps, "train", total=plan.steps, initial=first):
            outcome = _train_step(trainee, objective, step, view)
            if step % plan.training.log_every == 0 or step == plan.steps - 1:
                log.write(_log_line(step, clock.seconds(), outcome, trainee))
                log.flush()
            if stop or clock.seconds() - saved > plan.training.save_every_s:
                saved = clock.seconds()
                save_state(plan.state_path, plan.run_key, step + 1, saved, trainee.state_dict())
            if stop:
                raise SystemExit(128 + stop[0])
    save_state(plan.state_path, plan.run_key, plan.steps, clock.seconds(), trainee.state_dict())
    return clock.seconds()


def warm_up(trainee: Trainee, objective: Objective, view: View) -> float:
    """Run one step's computation without taking the step; return the seconds.

    The first call compiles kernels (or loads them from the cache), which is no training time.
    """
    start = time.monotonic()
    losses, _, _ = objective(0, view)
    torch.stack(list(losses.values())).sum().backward()
    for optimizer in trainee.optimizers.values():
        optimizer.zero_grad(set_to_none=True)
    return time.monotonic() - start


def _train_step(trainee: Trainee, objective: Objective, step: int, view: View) -> Outcome:
    """Take one optimisation step."""
    trainee.set_rates(step)
    losses, info, numbers = objective(step, view)
    if trainee.density:
        trainee.density.before_backward(trainee.gaussians, trainee.optimizers, step, info)
    torch.stack(list(losses.values())).sum().backward()
    trainee.step()
    if trainee.density:
        trainee.density.after_step(trainee.gaussians, trainee.optimizers, step, info)
    return losses, info, numbers


def _log_line(step: int, seconds: float, outcome: Outcome, trainee: Trainee) -> str:
    """Return one line of ``metrics.jsonl``: losses of this step's view, and the model's size."""
    losses, _, numbers = outcome
    values = {f"loss_{k}": v.item() for k, v in losses.items()}
    values |= {"loss": sum(values.values()), **{k: float(v) for k, v in numbers.items()}}
    line = {
        "step": step,
        "seconds": round(seconds, 3),
        "n_gaussians": len(trainee.gaussians["means"]),
    }
    return json.dumps({**line, **{k: round(v, 6) for k, v in values.items()}}) + "\n"


class _Clock:
    """Seconds of training, those before the last kill included."""

    def __init__(self, before: float) -> None:
        self.start = time.monotonic() - before

    def seconds(self) -> float:
        return time.monotonic() - self.start


def _resume(plan: Fit, trainee: Trainee) -> tuple[int, float]:
    """Load the saved state, if there is one of this run; return its step and seconds.

    Lines logged after the state was saved are dropped: those steps will run again.
    """
    plan.scratch.mkdir(parents=True, exist_ok=True)
    state = load_state(plan.state_path, plan.run_key)
    if state is None:
        plan.log_path.write_text("")
        return 0, 0.0
    trainee.load_state_dict(state["content"])
    torch.set_rng_state(state["rng"])
    kept = [
        line for line in _whole_lines(plan.log_path) if json.loads(line)["step"] < state["step"]
    ]
    plan.log_path.write_text("".join(kept))
    print(f"resuming at step {state['step']} of {plan.steps}", flush=True)
    return state["step"], state["seconds"]


def _whole_lines(path: Path) -> list[str]:
    """Return the complete lines of a log; a kill can leave half a line at its end."""
    return [line for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]


@contextmanager
def _stop_signals() -> Iterator[list[int]]:
    """Yield a list that receives SIGINT or SIGTERM, so that the loop can save before it ends."""
    received: list[int] = []

    def note(number: int, _: Any) -> None:
        received.append(number)

    before = {s: signal.signal(s, note) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
