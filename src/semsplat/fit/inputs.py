"""What steps read beside their parameters, on the training device: sent once where it fits there.

A copy from pinned memory to a GPU waits for nothing, and a thread makes it while another step is
taken (`semsplat.fit.views.views_in_order`).  A set of views that fits into the budget is sent once.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from threading import Lock
from typing import Any

import numpy as np
import torch
from cachetools import LRUCache, cachedmethod
from numpy.typing import NDArray
from torch import Tensor

KEPT_BYTES = {"cpu": 2**28, "cuda": 2**32}
"""What a training keeps.  Of a GPU 4 GiB, a sixth of the 24 GB in which a training has to fit: 500
views of 1600 x 1066 with their photograph, 5.1 MB, and a map of ids, at most 3.4 MB.  Beside a CPU
256 MiB, as many bytes as of photographs: 500 maps of 320 x 240, most of them arrays that are in
memory anyway."""


class Inputs:
    """Arrays on a device by their keys; those used last stay there."""

    def __init__(self, device: str, kept_bytes: int | None = None) -> None:
        """Keep at most so many bytes, `KEPT_BYTES` of the device if nothing is said."""
        self.device = device
        size = KEPT_BYTES[device] if kept_bytes is None else kept_bytes
        self._kept: LRUCache[Any, Tensor] = LRUCache(size, attrgetter("nbytes"))
        self._lock = Lock()

    @cachedmethod(attrgetter("_kept"), key=lambda _, key, read: key, lock=attrgetter("_lock"))
    def get(self, key: tuple[Any, ...], read: Callable[[], NDArray[Any]]) -> Tensor:
        """Return the array of a key on the device; nobody may change it.

        Args:
            key: what it is, of which view and at which size.
            read: returns the array where it is not kept.
        """
        return sent(read(), self.device)


def sent(array: NDArray[Any], device: str) -> Tensor:
    """Return an array on a device; nothing waits for its copy, in whose stream it is used."""
    host = torch.from_numpy(np.require(array, requirements="W"))  # decoded pictures are read-only
    return host if device == "cpu" else host.pin_memory().to(device, non_blocking=True)
