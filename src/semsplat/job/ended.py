"""What a workflow says when it has ended well: what was made, and where to look first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

from semsplat.job.spent import Run, present_run

PHASES = ("data", "geometry", "features", "train", "evaluate", "figures", "track")


def lines(page: Path, trainings: Sequence[Path]) -> Iterator[str]:
    """Yield what was done, where the suite's page is, and how to look around in trainings.

    Args:
        page: the suite's; nothing is said of it where it is not there.
        trainings: the folders of the suite's trainings; those that are there are named.
    """
    run = present_run()
    if run is not None:
        yield _done(run)
    if page.is_file():
        yield f"look first at: {page}"
    there = [folder for folder in trainings if (folder / "run.json").is_file()]
    if there:
        yield f"look around:   semsplat view {' '.join(map(str, there[-2:]))}"


def _done(run: Run) -> str:
    """Return what the jobs of a run were and how long they took together."""
    known = {spent.phase: spent.jobs for spent in run.phases}
    counted = [f"{known[phase]} {phase}" for phase in PHASES if phase in known]
    took = timedelta(seconds=round(run.seconds))
    return f"made in {took}: {', '.join(counted)}" if counted else "nothing had to be made"
