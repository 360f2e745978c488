"""``python -m semsplat.track``: copy one finished run into MLflow."""

from __future__ import annotations

from pathlib import Path

from semsplat.commands import run_command
from semsplat.errors import SemsplatError
from semsplat.io import write_json
from semsplat.track.index import single_writer


def run(card: Path, curve: Path, scores: Path, scene: Path, stamp: Path) -> None:
    """Log a run and leave a stamp.

    Args:
        card: run.json.
        curve: metrics.jsonl.
        scores: scores.json.
        scene: the scene's manifest.json.
        stamp: the file that says it is done.
    """
    with single_writer():
        try:
            from semsplat.track.mlflow_log import Finished, log_finished
        except ModuleNotFoundError as error:
            raise SemsplatError(
                f"MLflow cannot be imported ({error}); results are complete"
            ) from None
        run_id = log_finished(Finished(card, curve, scores, scene))
        write_json(stamp, {"run_id": run_id})


if __name__ == "__main__":
    run_command(run)
