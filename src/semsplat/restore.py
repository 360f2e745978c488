"""``python -m semsplat.restore``: go to the recorded state of this commit without recomputing."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import tyro

from semsplat.errors import SemsplatError, one_line_errors


def restore(pull: bool = True) -> None:
    """Fetch the recorded results, require that they match, and tell Snakemake so.

    A fresh clone has no record of how its files came to be, and arbitrary file times, so Snakemake
    would compute everything again.  Touching is right only when every file is the recorded one.
    All jobs are touched: one whose file times look right would otherwise stay without a record,
    and a parameter that changes later would go unnoticed.  Figures that are neither in git nor in
    DVC (all but the demo's) stay to be drawn.

    Args:
        pull: fetch from the DVC remote first; off, only the local cache is used.
    """
    with one_line_errors():
        _run("dvc", "pull" if pull else "checkout", "--quiet")
        status = json.loads(_run("dvc", "status", "--json") or "{}")
        changed = sorted(stage for stage in status if not _only_figures_missing(status[stage]))
        if changed:
            raise SemsplatError(
                f"dvc status: {', '.join(changed)} differ from dvc.lock, so nothing was"
                " marked as done; run 'dvc status' to see what changed"
            )
        _run("snakemake", "--touch", "--forceall", "--cores", "1", "--quiet")
        print("restored: the results in place are the recorded ones")
        if status:
            print("figures of this suite are not kept in git: 'snakemake --cores all' draws them")


def _only_figures_missing(changes: list[Any]) -> bool:
    """Tell whether all that DVC misses of a stage are figures."""
    return all(
        isinstance(change, dict)
        and change.keys() == {"changed outs"}
        and all(
            out.startswith("paper_figures/") and state == "deleted"
            for out, state in change["changed outs"].items()
        )
        for change in changes
    )


def _run(*command: str) -> str:
    """Run a command and return its output; its failure becomes one line."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        reason = lines[-1] if lines else f"exit status {done.returncode}"
        raise SemsplatError(f"{' '.join(command[:2])} failed: {reason}")
    return done.stdout


if __name__ == "__main__":
    tyro.cli(restore)
