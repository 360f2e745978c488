"""``python -m semsplat.restore``: go to the recorded state of this commit without recomputing."""

from __future__ import annotations

import json
import shutil
import subprocess
from filecmp import cmp
from pathlib import Path
from typing import Any

from semsplat.commands import run_command
from semsplat.errors import SemsplatError

FIGURES = Path("paper_figures")
COPIES = Path("results/figures")
"""What DVC keeps of the figures: all of a suite's, whichever of them git has too."""


def restore(pull: bool = True) -> None:
    """Go to the recorded state of this commit without recomputing.

    The recorded results are fetched, they must match, and Snakemake is told so.  A fresh clone has
    no record of how its files came to be, and arbitrary file times, so Snakemake would compute
    everything again.  Touching is right only when every file is the recorded one.  All jobs are
    touched: one whose file times look right would otherwise stay without a record, and a parameter
    that changes later would go unnoticed.

    Args:
        pull: fetch from the DVC remote first; off, only the local cache is used.
    """
    _fetch("pull" if pull else "checkout")
    if changed := sorted(_status()):
        raise SemsplatError(
            f"dvc status: {', '.join(changed)} differ from dvc.lock, so nothing was"
            " marked as done; run 'dvc status' to see what changed"
        )
    _bring_back_figures()
    _run("snakemake", "--touch", "--forceall", "--cores", "1", "--quiet")
    print("restored: the results in place are the recorded ones")


def _fetch(verb: str) -> None:
    """Let DVC put the recorded files in place; it leaves what was changed here, without a word."""
    try:
        _run("dvc", verb, "--quiet")
    except SemsplatError:
        if changed := _changed_here():
            raise SemsplatError(
                f"{', '.join(changed)}: changed here since it was recorded, so it is left alone;"
                " move it away, or run 'dvc repro' to record it"
            ) from None
        raise


def _status() -> dict[str, Any]:
    """Return the stages that differ from the record, each with what differs."""
    stages: dict[str, Any] = json.loads(_run("dvc", "status", "--json") or "{}")
    return stages


def _changed_here() -> list[str]:
    """Return the recorded files and folders that were changed here."""
    facts = [fact for stage in _status().values() for fact in stage if isinstance(fact, dict)]
    outs = [out for fact in facts for out in fact.get("changed outs", {}).items()]
    return sorted(path for path, state in outs if state == "modified")


def _bring_back_figures() -> None:
    """Copy the recorded figures to where git has only some; those must be the same."""
    recorded = {path: FIGURES / path.relative_to(COPIES) for path in COPIES.rglob("*")}
    files = {copy: figure for copy, figure in recorded.items() if copy.is_file()}
    differing = [f for c, f in files.items() if f.is_file() and not cmp(c, f, shallow=False)]
    if differing:
        raise SemsplatError(
            f"{differing[0]}: not the recorded one, so nothing was marked as done; remove it, or"
            " run 'dvc repro' to record what is there"
        )
    for copy, figure in files.items():
        if not figure.is_file():
            figure.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(copy, figure)


def _run(*command: str) -> str:
    """Run a command and return its output; its failure becomes one line."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        reason = lines[-1] if lines else f"exit status {done.returncode}"
        raise SemsplatError(f"{' '.join(command[:2])} failed: {reason}")
    return done.stdout


if __name__ == "__main__":
    run_command(restore)
