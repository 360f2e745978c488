"""States of a GPU's training, written while steps go on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from semsplat.data.scene import Scene
from semsplat.errors import SemsplatError, one_line_errors
from semsplat.features.lessons import Lessons
from semsplat.fit import state as module
from semsplat.fit import steps
from semsplat.fit.state import load_state
from semsplat.fit.trainee import Trainee
from tests.pretend_cuda.device import pretended_gpu
from tests.pretend_cuda.kernels import pretended_kernels
from tests.pretend_cuda.test_phases import (
    STEPS,
    calm_job,
    geometry_job,
    train_job,
)

WAIT_S = 20.0
"""For another thread, at most."""


@pytest.fixture(autouse=True)
def _on_gpu() -> Iterator[None]:
    with pretended_gpu(), pretended_kernels():
        yield


def due_after(monkeypatch: pytest.MonkeyPatch, *wanted: int) -> list[int]:
    """Let states be due after so many steps; return a list that learns which were taken."""
    taken: list[int] = []
    inner = steps._Saver.save

    def save(saver: Any, step: int) -> None:
        taken.append(step)
        inner(saver, step)

    def is_due(saver: Any) -> bool:
        saver.due = -1.0 if at[0] in wanted else 1e9
        return asked(saver)

    asked = steps._Saver.is_due
    monkeypatch.setattr(steps._Saver, "save", save)
    monkeypatch.setattr(steps._Saver, "is_due", is_due)
    at = at_steps(monkeypatch)
    return taken


def at_steps(
    monkeypatch: pytest.MonkeyPatch, look: Callable[[int], None] = lambda _: None
) -> list[int]:
    """Return a list that holds how many steps will have been taken after the present one."""
    at, inner = [0], Trainee.set_rates

    def set_rates(trainee: Trainee, step: int) -> None:
        at[0] = step + 1
        look(step)
        inner(trainee, step)

    monkeypatch.setattr(Trainee, "set_rates", set_rates)
    return at


class Slow:
    """A disk that writes when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun, self.may = threading.Event(), threading.Event()
        self.inner = torch.save
        monkeypatch.setattr(module.torch, "save", self.save)

    def save(self, *told: Any) -> None:
        self.begun.set()
        assert self.may.wait(WAIT_S)
        self.inner(*told)


class Killed(Exception):
    """Ends a training as nothing does that can be caught."""


@pytest.mark.parametrize("name", ["geometry", "clip_gs", "gags"])
def test_what_is_written_is_the_state_of_its_step_though_steps_went_on(
    name: str, tiny_scene: Scene, lessons: Lessons, sources: dict[str, Path], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    told = tiny_scene, lessons, sources
    job = geometry_job(tiny_scene) if name == "geometry" else train_job(name, *told)
    job(tmp_path / "whole", "cuda")
    with monkeypatch.context() as patch:
        disk = Slow(patch)

        def look(step: int) -> None:
            if step == 9:
                disk.may.set()
                raise Killed

        taken = due_after(patch, 6)
        at_steps(patch, look)
        with pytest.raises(Killed):
            job(tmp_path / "killed", "cuda")
        assert taken == [6]
    state = next((tmp_path / "killed_scratch").glob("state.pt"))
    assert torch.load(state, weights_only=True)["step"] == 6
    job(tmp_path / "killed", "cuda")
    for file in ("point_cloud.ply", *([] if name == "geometry" else ["semantics.safetensors"])):
        assert (tmp_path / "whole" / file).read_bytes() == (tmp_path / "killed" / file).read_bytes()


def test_steps_go_on_while_a_state_is_written_and_the_one_before_stays(
    tiny_scene: Scene, lessons: Lessons, sources: dict[str, Path], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    job, path = (
        calm_job("geometry", tiny_scene, lessons, sources),
        tmp_path / "out_scratch/state.pt",
    )
    disk, on_disk = Slow(monkeypatch), {}

    def look(step: int) -> None:
        if step == 3:  # the first is written at once
            assert disk.begun.wait(WAIT_S)
            disk.may.set()
            while not path.exists() or not written[0].done():
                pass
            disk.may.clear()
        elif step > 6:
            on_disk[step] = torch.load(path, weights_only=True)["step"]
        if step == STEPS - 1:
            disk.may.set()

    taken = due_after(monkeypatch, 3, 6, 8, 9)
    written: list[Any] = []
    at_steps(monkeypatch, look)
    submit = steps.ThreadPoolExecutor.submit

    def submitted(pool: Any, work: Any, *told: Any) -> Any:
        future = submit(pool, work, *told)
        if getattr(work, "__name__", "") == "_write":
            written.append(future)
        return future

    monkeypatch.setattr(steps.ThreadPoolExecutor, "submit", submitted)
    job(tmp_path / "out", "cuda")
    assert taken == [3, 6, STEPS]  # those at 8 and 9 would have had to wait
    assert on_disk == dict.fromkeys(range(7, STEPS), 3)


def test_a_state_costs_no_wait_but_that_for_the_log(
    tiny_scene: Scene, lessons: Lessons, sources: dict[str, Path], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    waits: list[Any] = []
    inner = steps._Saver.save

    def save(saver: Any, step: int) -> None:
        from tests.pretend_cuda.device import COUNTS

        before = COUNTS.syncs.copy()
        inner(saver, step)
        waits.append(COUNTS.syncs - before)

    due_after(monkeypatch, 6)
    monkeypatch.setattr(steps._Saver, "save", save)
    calm_job("clip_gs", tiny_scene, lessons, sources)(tmp_path / "out", "cuda")
    assert len(waits) == 2 and not any(waits)


def test_a_state_that_cannot_be_written_is_an_error(
    tiny_scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def refuse(*_: Any) -> None:
        raise SemsplatError("the disk is full")

    monkeypatch.setattr(steps, "write_state", refuse)
    due_after(monkeypatch, 3)
    with pytest.raises(SystemExit), one_line_errors():
        geometry_job(tiny_scene)(tmp_path / "out", "cuda")
    assert "the disk is full" in capsys.readouterr().err
    assert not (tmp_path / "out/run.json").exists()
    assert load_state(tmp_path / "out_scratch/state.pt", "key") is None
