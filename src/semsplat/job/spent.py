"""Where the time of the present run of a workflow went, by what Snakemake notes of its jobs."""

from __future__ import annotations

import json
import os
import re
import time
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from semsplat.errors import readable

RECORDS = Path(".snakemake/metadata")
RUN = "SEMSPLAT_RUN"
"""The environment variable with start and cores of a run on one machine, as "time cores"."""


class Spent(NamedTuple):
    """A phase's finished jobs."""

    phase: str
    jobs: int
    seconds: float  # of wall time, summed over jobs
    busy: float  # the same times the cores of each


class Run(NamedTuple):
    """A run so far."""

    phases: list[Spent]  # in the order of their first jobs
    seconds: float  # since its start
    cores: int

    @property
    def idle(self) -> float:
        """Core seconds in which no job ran, what jobs that have not ended took among them."""
        return self.cores * self.seconds - sum(spent.busy for spent in self.phases)


def mark_start(cores: int) -> None:
    """Tell the jobs of a run when it began."""
    os.environ[RUN] = f"{time.time()} {cores}"


def present_run() -> Run | None:
    """Return what the present run has spent; None outside of one, and on a cluster."""
    if RUN not in os.environ:
        return None
    start, cores = os.environ[RUN].split()
    by_phase: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for began, seconds, threads, phase in sorted(_jobs()):
        if began >= float(start):
            by_phase[phase].append((seconds, threads))
    phases = [
        Spent(phase, len(jobs), sum(s for s, _ in jobs), sum(s * n for s, n in jobs))
        for phase, jobs in by_phase.items()
    ]
    return Run(phases, time.time() - float(start), int(cores))


def _jobs() -> set[tuple[float, float, int, str]]:
    """Return start, seconds, threads and phase of every job that Snakemake knows the end of.

    A job has a record for each of its outputs, whose times differ by milliseconds; what it logs to
    tells jobs apart and names their phase.
    """
    jobs = {}
    for path in (p for p in RECORDS.rglob("*") if p.is_file()):
        with readable(path, "a record of Snakemake's", "remove it"):
            record = json.loads(path.read_text(encoding="utf-8"))
        if record["endtime"] and record["log"]:
            threads = re.search(r"--threads=(\d+)", record["shellcmd"] or "")
            began, ended = record["starttime"], record["endtime"]
            phase = Path(record["log"][0]).parts[1]
            said = began, ended - began, int(threads[1]) if threads else 1, phase
            jobs[record["log"][0]] = said
    return set(jobs.values())
