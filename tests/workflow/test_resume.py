"""A training killed in any way continues from its last saved state, to the same result."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.workflow.project import TIMEOUT_S, Project, environment

CARD = "results/geometry/procedural/nook/0/run.json"
SCRATCH = "scratch/geometry/procedural/nook"
LOG = "logs/geometry/procedural/nook/0.log"
COMMAND = ("snakemake", "--cores", "2", CARD)
STEPS = 900


@pytest.fixture
def long(project: Project) -> Project:
    """Return a project in which a training lasts some seconds and is saved all the time."""
    smoke = "seeds: [0]\n    steps_scaler: "
    project.edit("params.yaml", f"{smoke}0.002", f"{smoke}{STEPS / 30_000}")
    project.edit("params.yaml", "save_every_s: 20.0", "save_every_s: 0.2")
    return project


def start(project: Project) -> subprocess.Popen[bytes]:
    """Start the workflow and return when the training has saved a state."""
    state = project.root / SCRATCH / "0/state.pt"
    before = state.stat().st_mtime_ns if state.exists() else 0
    workflow = subprocess.Popen(
        COMMAND, cwd=project.root, env=environment(), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    end = time.monotonic() + TIMEOUT_S
    while not state.exists() or state.stat().st_mtime_ns == before:
        assert workflow.poll() is None and time.monotonic() < end, project.read(LOG)
        time.sleep(0.02)
    return workflow


def trainer(project: Project) -> int:
    """Return the process that trains."""
    return int(project.read(f"{SCRATCH}/0.lock"))


def resumed_at(project: Project) -> int:
    """Return the step at which the last training began."""
    found = re.search(rf"resuming at step (\d+) of {STEPS}", project.read(LOG))
    return int(found[1]) if found else 0


def result(project: Project) -> tuple[list[dict[str, Any]], bytes]:
    """Return the curve without times, and the Gaussians."""
    folder = Path(CARD).parent
    lines = [json.loads(line) for line in project.read(str(folder / "metrics.jsonl")).splitlines()]
    curve = [{k: v for k, v in line.items() if k != "seconds"} for line in lines]
    return curve, (project.root / folder / "point_cloud.ply").read_bytes()


def terminate_everything(workflow: subprocess.Popen[bytes], _: Project) -> None:
    os.killpg(workflow.pid, signal.SIGTERM)  # alone, Snakemake waits for the jobs that run


def interrupt_everything(workflow: subprocess.Popen[bytes], _: Project) -> None:
    os.killpg(workflow.pid, signal.SIGINT)  # what Ctrl-C does


def kill_the_training(_: subprocess.Popen[bytes], project: Project) -> None:
    os.kill(trainer(project), signal.SIGKILL)


def kill_the_workflow_and_then_the_training(
    workflow: subprocess.Popen[bytes], project: Project
) -> None:
    training = trainer(project)
    os.kill(training, signal.SIGSTOP)  # it lives on, and must not end before we have looked
    workflow.kill()
    workflow.wait()
    assert "--unlock" in project.run(*COMMAND, fails=True).stderr
    project.run("snakemake", "--unlock")
    project.run(*COMMAND, fails=True)
    assert project.read(LOG) == (
        f"error: {SCRATCH}/0 is being trained by another process (pid {training});"
        " wait for it or stop it\n"
    )
    os.kill(training, signal.SIGKILL)


def test_a_run_killed_in_every_way_ends_like_an_undisturbed_one(long: Project):
    long.run(*COMMAND)
    undisturbed = result(long)
    (long.root / CARD).unlink()
    steps = [0]
    for kill in (
        terminate_everything,
        interrupt_everything,
        kill_the_training,
        kill_the_workflow_and_then_the_training,
    ):
        workflow = start(long)
        assert resumed_at(long) == steps[-1] == 0 or resumed_at(long) > steps[-1]
        steps.append(resumed_at(long))
        kill(workflow, long)
        assert workflow.wait(TIMEOUT_S) != 0
        assert not (long.root / CARD).exists()
    long.run(*COMMAND)
    assert 0 < steps[2] < steps[3] < steps[4] < resumed_at(long) < STEPS
    assert result(long) == undisturbed
    assert not (long.root / SCRATCH / "0").exists()
