"""``python -m semsplat.restore``: go to the recorded state of this commit without recomputing."""

from __future__ import annotations

import json
import subprocess

import tyro

from semsplat.errors import SemsplatError, one_line_errors


def restore(pull: bool = True) -> None:
    """Fetch the recorded results, require that they match, and tell Snakemake so.

    A fresh clone has no record of how its files came to be, and arbitrary file times, so Snakemake
    would compute everything again.  Touching is right only when every file is the recorded one.

    Args:
        pull: fetch from the DVC remote first; off, only the local cache is used.
    """
    with one_line_errors():
        _run("dvc", "pull" if pull else "checkout", "--quiet")
        status = json.loads(_run("dvc", "status", "--json") or "{}")
        if status:
            raise SemsplatError(
                f"dvc status: {', '.join(sorted(status))} differ from dvc.lock, so nothing was"
                " marked as done; run 'dvc status' to see what changed"
            )
        _run("snakemake", "--touch", "--cores", "1", "--quiet")
        print("restored: the results in place are the recorded ones")


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
