"""``python -m semsplat.track``: copy one finished run into MLflow."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from semsplat.commands import run_command
from semsplat.errors import one_line
from semsplat.io import write_json
from semsplat.track.index import single_writer, tracking_uri, without_password

QUICK = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "3",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "0",
}
"""A server that does not answer is given up after seconds; MLflow's own patience is minutes."""


def run(
    card: Path,
    scores: Path,
    scene: Path,
    stamp: Path,
    curve: Path | None = None,
    tries: int = 0,
) -> None:
    """Log a run and leave a stamp, also where the index cannot be reached: results do not need it.

    Args:
        card: run.json.
        scores: scores.json.
        scene: the scene's manifest.json.
        stamp: the file that says it is done, or why not.
        curve: metrics.jsonl, of what was trained here.
        tries: how often it failed before.
    """
    with single_writer():
        os.environ.update({name: os.environ.get(name, value) for name, value in QUICK.items()})
        run_id, reason = _logged(card, curve, scores, scene)
        noted = {"tries": tries} if run_id else {"tries": tries + 1, "reason": reason}
        write_json(stamp, {"run_id": run_id, **noted})
    if reason:
        print(f"warning: {reason}", file=sys.stderr)


def _logged(card: Path, curve: Path | None, scores: Path, scene: Path) -> tuple[str | None, str]:
    """Return the id of the run in the index, or None and why there is none."""
    try:
        from semsplat.track.mlflow_log import FAILURES, Finished, log_finished
    except ModuleNotFoundError as error:
        return None, f"MLflow cannot be imported ({error})"
    try:
        return log_finished(Finished(card, curve, scores, scene)), ""
    except FAILURES as error:
        reason = f"MLflow's index at {tracking_uri()} cannot be used ({one_line(error)})"
        return None, without_password(reason)


if __name__ == "__main__":
    run_command(run)
