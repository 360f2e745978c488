"""A campaign of kills over all phases ends in the results of an undisturbed suite, byte for byte.

Some twenty minutes beside the suite itself: ``pytest -m slow tests/workflow/test_kills.py``.
"""

from __future__ import annotations

import itertools
import os
import random
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.workflow.project import TIMEOUT_S, Project, checkout, environment

PHASES = {  # how the messages of each rule's jobs begin
    "draw_world": "draw procedural/",
    "import_scene": "import ",
    "extract_features": "extract features ",
    "reconstruct": "reconstruct ",
    "teach_scene": "teach ",
    "train_run": "train ",
    "predict": "ask ",
    "score_features": "score features ",
    "score": "score ",
    "cluster_scene": "cluster ",
    "measure_speed": "measure the speed ",
    "collect_scores": "collect the scores ",
    "draw_figure": "draw paper_figures/",
    "write_page": "write paper_figures/",
    "log_run": "index ",
}
LONGEST_WAIT_S = 2.0  # after the start of a job: imports take about one
TIMED = {"run.json", "metrics.jsonl", "speed.json"}
TIMED_FOLDERS = ("results/report/",)
"""What holds times; of run.json all else is compared."""


def kill_everything(workflow: subprocess.Popen[bytes]) -> None:
    os.killpg(workflow.pid, signal.SIGKILL)


def terminate_everything(workflow: subprocess.Popen[bytes]) -> None:
    os.killpg(workflow.pid, signal.SIGTERM)


def interrupt_everything(workflow: subprocess.Popen[bytes]) -> None:
    os.killpg(workflow.pid, signal.SIGINT)  # what Ctrl-C does


def kill_the_jobs(workflow: subprocess.Popen[bytes]) -> None:
    for process in psutil.Process(workflow.pid).children(recursive=True):
        process.kill()


WAYS = (kill_everything, terminate_everything, interrupt_everything, kill_the_jobs)


def phase_of(message: str) -> str:
    """Return the rule whose job says a message."""
    return next(rule for rule, start in PHASES.items() if message.startswith(start))


def started(said: Path, workflow: subprocess.Popen[bytes]) -> Iterator[str]:
    """Yield the rule of each job that starts, until the workflow ends."""
    end = time.monotonic() + TIMEOUT_S
    with said.open() as lines:
        while workflow.poll() is None:
            assert time.monotonic() < end, said.read_text()
            for line in lines:
                if found := re.match(r"Job \d+: (.*)", line):
                    yield phase_of(found[1])
            time.sleep(0.02)


def killed(
    project: Project, said: Path, left: dict[str, list[Any]], draw: random.Random
) -> list[str] | None:
    """Run, killing where a job of a phase starts that has kills left; say what was killed.

    None when the suite is complete.
    """
    with said.open("wb") as output:
        workflow = subprocess.Popen(
            ["snakemake", "--cores", "2"], cwd=project.root, env=environment(),
            start_new_session=True, stdout=output, stderr=output,
        )  # fmt: skip
    kills = []
    for phase in started(said, workflow):
        if left[phase]:
            way = left[phase].pop()
            time.sleep(draw.uniform(0, LONGEST_WAIT_S))
            if workflow.poll() is None:
                kills.append(f"{way.__name__} in {phase}")
                way(workflow)
            if way is not kill_the_jobs:  # after which the workflow goes on with what is left
                break
    status = workflow.wait(TIMEOUT_S)
    assert kills or status == 0, said.read_text()
    return kills or None


def results(project: Project) -> dict[str, Any]:
    """Return what must not depend on kills: hashes of files, and cards without their times."""
    hashes = project.hashes("data", "results")
    timed = {k for k in hashes if Path(k).name in TIMED or k.startswith(TIMED_FOLDERS)}
    kept = {k: v for k, v in hashes.items() if k not in timed}
    cards = {k: project.json(k) for k in hashes if k.endswith("/run.json")}
    return kept | {
        k: [card["config"], card["inputs"], _without_curve(card["outputs"])]
        for k, card in cards.items()
    }


def _without_curve(outputs: dict[str, str]) -> dict[str, str]:
    return {k: v for k, v in outputs.items() if k not in TIMED}


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_kills_in_every_phase_change_no_byte(finished: Project, tmp_path: Path):
    project = checkout(tmp_path / "project")
    draw = random.Random(0)
    left = {phase: draw.sample(WAYS, len(WAYS)) for phase in PHASES}
    kills: list[str] = []
    for i in itertools.count():
        some = killed(project, tmp_path / f"{i}.log", left, draw)
        if some is None:
            break
        kills += some
        project.run("snakemake", "--unlock")
    print(*kills, sep="\n")
    assert len(kills) >= 30 and {kill.split(" in ")[1] for kill in kills} == PHASES.keys()
    assert results(project) == results(finished)
    assert not any((project.root / "scratch").rglob("state.pt"))
