"""Steps that can be killed at any time and resumed: saved state, log, stop signals, progress.

Whatever is trained, Gaussians or a network, goes through `run_steps`.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from semsplat.fit.finite import check_numbers
from semsplat.fit.state import (
    State,
    device_of,
    load_state,
    on_host,
    restore_random,
    state_of,
    write_state,
)
from semsplat.log import progress
from semsplat.params.geometry import Training

FILES = ("state.pt", "metrics.jsonl")
"""In the scratch folder: the saved state, and the metrics so far."""
SAVES_SHARE = 10
"""A state is saved again after so many times what saving it took, from the first copy until it is
on disk: one of many gigabytes would leave no time for steps, and its writing slows those beside it.
"""
Numbers = Callable[[], dict[str, float]]
"""What a step has to say; asked when a line is logged and before a state is saved, because asking
can cost time.  It raises where something is no longer finite, and then nothing is saved."""


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
        return self.scratch / FILES[0]

    @property
    def log_path(self) -> Path:
        """The metrics so far, one JSON per line."""
        return self.scratch / FILES[1]


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
    with (
        plan.log_path.open("a") as log,
        _stop_signals() as stop,
        ThreadPoolExecutor(1) as writer,  # whose block ends when it has written
    ):
        saver = _Saver(plan, learner, clock, writer)
        taken = zip(todo, steps(todo), strict=True)
        for step, numbers in progress(taken, "train", total=plan.steps, initial=first):
            logs = step % plan.training.log_every == 0 or step == plan.steps - 1
            saves = bool(stop) or saver.is_due()
            if logs or saves:
                said = numbers()
                check_numbers(step, said)
            if logs:
                log.write(_log_line(step, clock.seconds(), said))
                log.flush()
            if saves:
                saver.save(step + 1)
            if stop:
                saver.finish()
                raise SystemExit(128 + stop[0])
        saver.save(plan.steps)
        saver.finish()
    return clock.seconds()


def remove_state(scratch: Path) -> None:
    """Remove what `run_steps` left in a scratch folder, and the folder where it had no more."""
    for name in FILES:
        (scratch / name).unlink(missing_ok=True)
    if not any(scratch.iterdir()):
        scratch.rmdir()


def _log_line(step: int, seconds: float, numbers: dict[str, float]) -> str:
    """Return one line of ``metrics.jsonl``."""
    line = {"step": step, "seconds": round(seconds, 3)}
    rounded = {name: round(value, 6) for name, value in numbers.items()}
    return json.dumps({**line, **rounded}, allow_nan=False) + "\n"


class _Clock:
    """Seconds of training, those before the last kill included."""

    def __init__(self, before: float) -> None:
        self.start = time.monotonic() - before

    def seconds(self) -> float:
        return time.monotonic() - self.start


def _resume(plan: Fit, learner: Learner) -> tuple[int, float]:
    """Load the saved state, if there is one of this run; return its step and seconds.

    The log becomes what it was when the state was saved: later steps will run again.
    """
    plan.scratch.mkdir(parents=True, exist_ok=True)
    state = load_state(plan.state_path, plan.run_key, device_of(learner.state_dict()))
    if state is None:
        plan.log_path.write_text("")
        return 0, 0.0
    learner.load_state_dict(state["content"])
    restore_random(state)
    plan.log_path.write_text(state["log"])
    print(f"resuming at step {state['step']} of {plan.steps}", flush=True)
    return state["step"], state["seconds"]


class _Saver:
    """Saves states now and then, one after the other; steps go on while a GPU's is written."""

    def __init__(
        self, plan: Fit, learner: Learner, clock: _Clock, writer: ThreadPoolExecutor
    ) -> None:
        self.plan, self.learner, self.clock, self.writer = plan, learner, clock, writer
        self.pending: Future[None] | None = None
        self.due = clock.seconds() + plan.training.save_every_s

    def is_due(self) -> bool:
        """Tell whether it is time for a state; while one is written it is not."""
        writes = self.pending is not None and not self.pending.done()
        return not writes and self.clock.seconds() > self.due

    def save(self, step: int) -> None:
        """Save the state after ``step`` steps; raise what went wrong with the one before."""
        self.finish()
        start, log = self.clock.seconds(), self.plan.log_path.read_text()
        state = state_of(self.plan.run_key, step, start, log, self.learner.state_dict())
        if state["device"] != "cuda":
            self._write(state, start)
            return
        copy, wait = on_host(state)
        self.pending = self.writer.submit(self._write, copy, start, wait)

    def finish(self) -> None:
        """Wait until all is written; raise what went wrong."""
        if self.pending:
            self.pending.result()

    def _write(self, state: State, start: float, wait: Callable[[], None] | None = None) -> None:
        if wait:
            wait()
        write_state(self.plan.state_path, state)
        now, pause = self.clock.seconds(), self.plan.training.save_every_s
        self.due = now + max(pause, SAVES_SHARE * (now - start))


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
