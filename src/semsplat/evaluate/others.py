"""How much of a device others use while something is measured on it."""

from __future__ import annotations

import subprocess
import time

import psutil

from semsplat.gpu import visible_gpus

BUSY = ("user", "nice", "system", "irq", "softirq", "steal")
"""Where a processor's time goes that nobody else can have; of them Linux alone has some.  A guest's
time is in its host's ``user``."""

SETTLED_S = 2.0


class Others:
    """What others use from now on; a GPU is asked at once, so begin before using it."""

    def __init__(self, device: str) -> None:
        """Begin."""
        self._gpu = _gpu_share() if device == "cuda" else 0.0
        self._start = self._times()

    def share(self) -> float | None:
        """Return the share in [0, 1] that other processes used of all processors since the start.

        The larger of that and what they used of the GPU at the start; None where it does not tell.
        What is waited for, a disk or nothing, is free.
        """
        every, own, free = (b - a for a, b in zip(self._start, self._times(), strict=True))
        others = max(0.0, every - own) / max(every + free, 1e-9)
        return None if self._gpu is None else round(max(min(1.0, others), self._gpu), 3)

    @staticmethod
    def _times() -> tuple[float, float, float]:
        """Return the seconds that all processes, this one, and none had of the processors."""
        times, own = psutil.cpu_times(), psutil.Process().cpu_times()
        free = times.idle + getattr(times, "iowait", 0.0)
        return sum(getattr(times, name, 0.0) for name in BUSY), own.user + own.system, free


def _gpu_share() -> float | None:
    """Return the share in [0, 1] that the GPU is busy while we are idle; None where it tells none.

    It tells of up to its last second, which may have been our own work.
    """
    time.sleep(SETTLED_S)
    query = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]
    query.append(f"--id={visible_gpus()[0]}")
    try:
        return float(subprocess.run(query, capture_output=True, text=True, check=True).stdout) / 100
    except (OSError, subprocess.CalledProcessError, ValueError):
        return None
