"""Where the index lies, its lock, and how it is known that the index is gone."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from semsplat.io import read_json, sha256_text

DATABASE = Path("mlflow.db")
FOLDER = Path("mlruns")
COUNTER = FOLDER / ".counter"


def tracking_uri() -> str:
    """Return the user's server, or the SQLite file that plain ``mlflow ui`` opens."""
    return os.environ.get("MLFLOW_TRACKING_URI", f"sqlite:///{DATABASE}")


def index_number() -> int:
    """Return which index runs are logged in: a local one that was deleted is followed by the next.

    A workflow that told a run's stamp another number sees that it promises what is no longer there.
    """
    known = int(COUNTER.read_text()) if COUNTER.is_file() else 0
    lost = "MLFLOW_TRACKING_URI" not in os.environ and not DATABASE.exists()
    return known + lost


def index_name() -> str:
    """Return what stands for the index in a run's stamp: a server's address, hashed, or a number.

    An address may hold a password, and what a workflow knows of a job is there to be read.
    """
    server = os.environ.get("MLFLOW_TRACKING_URI")
    return f"server {sha256_text(server)[:12]}" if server else f"local {index_number()}"


def without_password(text: str) -> str:
    """Return a text whose addresses have no user's name and password."""
    return re.sub(r"//[^/@\s]*@", "//", text)


def tries(stamp: Path) -> int:
    """Return how often a run could not be logged: another number than its stamp was told."""
    known: int = read_json(stamp).get("tries", 0) if stamp.is_file() else 0
    return known


def missing_lines() -> list[str]:
    """Say which runs are not in the index, and why; nothing where all are."""
    stamps = [read_json(path) for path in sorted(FOLDER.glob(".logged/**/*.json"))]
    reasons = Counter(stamp["reason"] for stamp in stamps if not stamp["run_id"])
    return [
        f"{count} finished runs are not in MLflow: {reason}; results are complete, run again to"
        " log them"
        for reason, count in reasons.items()
    ]


@contextmanager
def single_writer() -> Iterator[None]:
    """Hold the index alone: several first contacts at once break a fresh SQLite store for good."""
    FOLDER.mkdir(exist_ok=True)
    with FileLock(FOLDER / ".lock"):
        COUNTER.write_text(str(index_number()))
        yield
