"""Labels of neighbouring views compared where both see the same surface."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semsplat.data.depth import shared_pixels
from semsplat.data.scene import Frame, load_depth
from semsplat.evaluate.confusion import Labels

NOT_COMPARED, AGREES, DIFFERS = 0, 1, 2

# Relative to the depth in the second view.  The point lands up to 0.7 pixels from the centre whose
# depth is stored; at 160 px and 68 degrees that changes the depth of a surface slanted by 73
# degrees by 2 %, while what lies 6 cm behind another thing 3 m away still counts as hidden.
DEPTH_TOLERANCE = 0.02

Pixels = tuple[NDArray[np.int64], NDArray[np.int64]]
"""What `shared_pixels` returns: places in two flattened views that show the same surface."""
Maps = dict[str, Labels | None]
"""{kind of labels: a view's map int32 [H, W], 0 = none, or None where it is missing}."""


class Neighbours(NamedTuple):
    """Which pixels of two views show the same surface."""

    pixels: Pixels
    sizes: tuple[tuple[int, int], tuple[int, int]]  # (H, W) of both


def neighbours(
    frames: Sequence[Frame], maps_of: Callable[[Frame], Maps]
) -> Iterator[tuple[tuple[Frame, Maps], tuple[Frame, Maps], Neighbours]]:
    """Yield every two consecutive frames with depth, their maps, and the pixels they share."""

    def opened() -> Iterator[tuple[Frame, NDArray[np.float32] | None, Maps]]:
        for frame in frames:
            depth = None if frame.depth_path is None else load_depth(frame)
            yield frame, depth, {} if depth is None else maps_of(frame)

    for (first, depth, maps), (second, other_depth, other_maps) in pairwise(opened()):
        if depth is not None and other_depth is not None:
            pixels = shared_pixels(first, depth, second, other_depth, DEPTH_TOLERANCE)
            sizes = (first.height, first.width), (second.height, second.width)
            yield (first, maps), (second, other_maps), Neighbours(pixels, sizes)


def why_none(frames: Sequence[Frame]) -> str:
    """Return why no pixel of `neighbours` could be compared."""
    if any(a.depth_path and b.depth_path for a, b in pairwise(frames)):
        return "no labelled pixel of a training view shows in the next one"
    return "no two consecutive training views have depth"


def compare(first: Labels, second: Labels, pixels: Pixels) -> NDArray[np.uint8]:
    """Return for every pixel of the first view whether its label holds in the second.

    Args:
        first: int32 [H, W], 0 = none.
        second: int32 [h, w], 0 = none.
        pixels: what `shared_pixels` returns for the two views.

    Returns:
        uint8 [H, W]: `AGREES`, `DIFFERS`, or `NOT_COMPARED` where the pixel is not visible in the
        second view or has no label in one of them.
    """
    here, there = first.reshape(-1)[pixels[0]], second.reshape(-1)[pixels[1]]
    verdict = np.where(here == there, AGREES, DIFFERS)
    verdict[(here == 0) | (there == 0)] = NOT_COMPARED
    compared = np.full(first.size, NOT_COMPARED, np.uint8)
    compared[pixels[0]] = verdict
    return compared.reshape(first.shape)
