"""One process per training: two would write the same state and the same results."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from semsplat.errors import SemsplatError


@contextmanager
def sole_trainer(scratch: Path) -> Iterator[None]:
    """Hold the lock of a scratch folder, or raise if another process does.

    The lock file lies beside the folder, because the folder goes when the training is done.  The
    kernel frees the lock with the process, even on SIGKILL.
    """
    path = scratch.with_name(f"{scratch.name}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            raise SemsplatError(
                f"{scratch} is being trained by another process (pid {handle.read()});"
                " wait for it or stop it"
            ) from None
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        yield
