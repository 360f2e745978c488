"""Steps that can be killed at any time and resumed: saved state, log, stop signals, progress.

Whatever is trained, Gaussians or a network, goes through `run_steps`.
"""

from __future__ import annotations

import json
import pickle
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from semsplat.errors import SemsplatError
from semsplat.io import atomic_path
from semsplat.log import progress
from semsplat.params.geometry import Training

Numbers = Callable[[], dict[str, float]]
"""What a step has to say; asked only when a line is logged, because asking can cost time."""


class Learner(Protocol):
    """Whatever is trained: all of its state can be taken out and put back."""

    def state_dict(self) -> dict[str, Any]:
        """Return tensors and plain numbers."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from what `state_dict` returned."""


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


def run_steps(plan: Fit, learner: Learner, steps: Callable[[range], Iterator[Numbers]]) -> float:
    """Take all steps that are still to be taken and return the seconds spent, over all resumes.

    Args:
        plan: length, identity and scratch folder.
        learner: what is trained.
        steps: takes the steps of a range and yields each step's `Numbers` after it.
    """
    first, before = _resume(plan, learner)
    todo = range(first, plan.steps)
    clock = _Clock(before)
    saved = clock.seconds()
    with plan.log_path.open("a") as log, _stop_signals() as stop:
        taken = zip(todo, steps(todo), strict=True)
        for step, numbers in progress(taken, "train", total=plan.steps, initial=first):
            if step % plan.training.log_every == 0 or step == plan.steps - 1:
                log.write(_log_line(step, clock.seconds(), numbers()))
                log.flush()
            if stop or clock.seconds() - saved > plan.training.save_every_s:
                saved = clock.seconds()
                save_state(plan.state_path, plan.run_key, step + 1, saved, learner.state_dict())
            if stop:
                raise SystemExit(128 + stop[0])
    save_state(plan.state_path, plan.run_key, plan.steps, clock.seconds(), learner.state_dict())
    return clock.seconds()


def _log_line(step: int, seconds: float, numbers: dict[str, float]) -> str:
    """Return one line of ``metrics.jsonl``."""
    line = {"step": step, "seconds": round(seconds, 3)}
    return json.dumps({**line, **{k: round(v, 6) for k, v in numbers.items()}}) + "\n"


class _Clock:
    """Seconds of training, those before the last kill included."""

    def __init__(self, before: float) -> None:
        self.start = time.monotonic() - before

    def seconds(self) -> float:
        return time.monotonic() - self.start


def _resume(plan: Fit, learner: Learner) -> tuple[int, float]:
    """Load the saved state, if there is one of this run; return its step and seconds.

    Lines logged after the state was saved are dropped: those steps will run again.
    """
    plan.scratch.mkdir(parents=True, exist_ok=True)
    state = load_state(plan.state_path, plan.run_key)
    if state is None:
        plan.log_path.write_text("")
        return 0, 0.0
    learner.load_state_dict(state["content"])
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


# What torch.load raises for a file that is no saved state, or only half of one.
UNREADABLE = (RuntimeError, EOFError, pickle.UnpicklingError, KeyError, ValueError, OSError)


def save_state(
    path: Path, run_key: str, step: int, seconds: float, content: dict[str, Any]
) -> None:
    """Write the state after ``step`` steps, atomically, with the CPU random state."""
    state = {
        "run_key": run_key,
        "step": step,
        "seconds": seconds,
        "rng": torch.get_rng_state(),
        "content": content,
    }
    with atomic_path(path) as partial:
        torch.save(state, partial)


def load_state(path: Path, run_key: str) -> dict[str, Any] | None:
    """Return the saved state of this very run, or None; a state of other parameters is ignored.

    Raises:
        SemsplatError: the file is there but unreadable.
    """
    if not path.exists():
        return None
    try:
        state: dict[str, Any] = torch.load(path, weights_only=True)
    except UNREADABLE as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SemsplatError(
            f"{path}: unreadable saved state ({reason}); delete it to start over"
        ) from None
    return state if state["run_key"] == run_key else None
