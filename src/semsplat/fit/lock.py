"""One process per training: two would write the same state and the same results."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from semsplat.errors import SemsplatError


@contextmanager
def sole_trainer(scratch: Path) -> Iterator[None]:
    """Hold the lock of a scratch folder, or raise if another process does.

    The lock file lies beside the folder, because the folder goes when the training is done.  The
    kernel frees the lock with the process, even on SIGKILL.
    """
    path = _lock_of(scratch)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        held = FileLock(path).acquire(blocking=False)
    except Timeout:
        raise SemsplatError(
            f"{scratch} is being trained by another process (pid {path.read_text()});"
            " wait for it or stop it"
        ) from None
    with held:
        path.write_text(str(os.getpid()))
        yield


def is_trained(scratch: Path) -> bool:
    """Tell whether a process holds the lock of a scratch folder."""
    path = _lock_of(scratch)
    if not path.exists():
        return False
    try:
        with FileLock(path).acquire(blocking=False):
            return False
    except Timeout:
        return True


def _lock_of(scratch: Path) -> Path:
    return scratch.with_name(f"{scratch.name}.lock")
