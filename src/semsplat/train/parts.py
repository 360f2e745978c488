"""What is made of every pixel, some pixels after the others where that saves a GPU's memory."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

PIXELS_AT_ONCE = 2**17
"""of which 512 numbers take 256 MiB"""


def in_parts(make: Callable[..., Tensor], *maps: Tensor) -> Tensor:
    """Return what a function makes of maps [P, ...]: on a GPU of some rows after the others.

    There only the results are kept; what led to them is made again for the gradient, which costs
    half of what the function costs with its gradient.

    Args:
        make: returns rows, of rows of all maps.
        maps: of as many rows each.
    """
    if not maps[0].is_cuda:
        return make(*maps)
    parts = zip(*(rows.split(PIXELS_AT_ONCE) for rows in maps), strict=True)
    return torch.cat([checkpoint(make, *part, use_reentrant=False) for part in parts])
