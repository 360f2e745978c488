"""Which device a job computes on.  Snakemake counts GPUs but does not name one; a lock does."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path

from filelock import FileLock, Timeout

LOCK_DIR = Path(".snakemake/gpu")


def visible_gpus() -> list[str]:
    """Return the ids of the GPUs this process may use, without importing torch."""
    listed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if listed is not None:
        ids = [gpu.strip() for gpu in listed.split(",")]
        return list(takewhile(lambda gpu: gpu not in ("", "-1"), ids))  # CUDA stops there too
    try:
        query = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
        return subprocess.run(query, capture_output=True, text=True, check=True).stdout.split()
    except (FileNotFoundError, subprocess.CalledProcessError):
        return []


def host_lock(name: str) -> Path:
    """Return the file whose lock one process of this host holds: nodes may share the folder."""
    return LOCK_DIR / f"{platform.node()}.{name}.lock"


@contextmanager
def claim_device() -> Iterator[str]:
    """Hold one free GPU for the life of the block and yield "cuda"; without GPUs yield "cpu".

    The lock belongs to the process, so the kernel frees it even on SIGKILL.  Where several are
    visible one is always locked: not every cluster shows a job its own alone.  Locks are called by
    host, because nodes that share a folder have GPUs of the same numbers.  Call before torch is
    imported.
    """
    gpus = visible_gpus()
    if len(gpus) <= 1:
        yield "cuda" if gpus else "cpu"
        return
    with _lock_one(gpus) as gpu:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu
        yield "cuda"


@contextmanager
def _lock_one(gpus: list[str]) -> Iterator[str]:
    """Wait until one of the GPUs is free and hold its lock."""
    LOCK_DIR.mkdir(parents=True, exist_ok=True)
    while True:
        for gpu in gpus:
            try:
                held = FileLock(host_lock(gpu)).acquire(blocking=False)
            except Timeout:
                continue
            with held:
                yield gpu
            return
        time.sleep(0.2)
