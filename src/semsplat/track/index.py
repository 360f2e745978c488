"""Where the index lies, its lock, and how it is known that the index is gone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

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


@contextmanager
def single_writer() -> Iterator[None]:
    """Hold the index alone: several first contacts at once break a fresh SQLite store for good."""
    FOLDER.mkdir(exist_ok=True)
    with FileLock(FOLDER / ".lock"):
        COUNTER.write_text(str(index_number()))
        yield
