"""Where the index lies, its lock, and what happens to stamps when the index is gone."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

DATABASE = Path("mlflow.db")
FOLDER = Path("mlruns")
STAMPS = FOLDER / ".logged"


def tracking_uri() -> str:
    """Return the user's server, or the SQLite file that plain ``mlflow ui`` opens."""
    return os.environ.get("MLFLOW_TRACKING_URI", f"sqlite:///{DATABASE}")


def drop_orphaned_stamps() -> None:
    """Remove the stamps of a local index that was deleted: they promise what is no longer there."""
    if "MLFLOW_TRACKING_URI" not in os.environ and not DATABASE.exists():
        shutil.rmtree(STAMPS, ignore_errors=True)


@contextmanager
def single_writer() -> Iterator[None]:
    """Hold the index alone: several first contacts at once break a fresh SQLite store for good."""
    FOLDER.mkdir(exist_ok=True)
    with FileLock(FOLDER / ".lock"):
        yield
