"""Seconds of work on a device."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial

import torch

from semsplat.data.scene import Frame

WARM_UP = 3
"""Frames drawn before the clock starts: kernels load, caches fill."""


def median_seconds(work: Callable[[Frame], object], frames: list[Frame], device: str) -> float:
    """Return the median seconds that work takes on a frame, the first few left out."""
    seconds = [timed(partial(work, frame), device) for frame in frames]
    return statistics.median(seconds[WARM_UP:])


def timed(work: Callable[[], object], device: str) -> float:
    """Return the seconds that work takes, until the device has finished it."""
    _wait(device)
    start = time.perf_counter()
    work()
    _wait(device)
    return time.perf_counter() - start


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()
