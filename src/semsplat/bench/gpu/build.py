"""gsplat's kernels, built where they are not."""

from __future__ import annotations

import time

from semsplat.bench.gpu.steps import Bench, Said
from semsplat.splat.kernels_gpu import built_library, load_kernels


def check(bench: Bench) -> Said:
    """Build and load them."""
    before, start = built_library(), time.monotonic()
    load_kernels()
    seconds = round(time.monotonic() - start, 2)
    return Said({"built_before": before is not None, "load_s": seconds}, [])
