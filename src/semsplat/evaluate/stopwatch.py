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
ENOUGH, ENOUGH_S = 12, 0.5
"""After so many frames that took so many seconds together no more are drawn."""


def median_seconds(work: Callable[[Frame], object], frames: list[Frame], device: str) -> float:
    """Return the median seconds that work takes on a frame, the first few left out.

    Of slow work not all frames are drawn: the device would idle but for this.
    """
    seconds: list[float] = []
    for frame in frames:
        counted = seconds[WARM_UP:]
        if len(counted) >= ENOUGH and sum(counted) >= ENOUGH_S:
            break
        seconds.append(timed(partial(work, frame), device))
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
