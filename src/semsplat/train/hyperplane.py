"""GOI's open-set head: a plane that separates what a mask shows from the rest (gui/main.py)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Counts = NDArray[np.int64]


def hinge_plane(
    rows: Numbers,
    inside: Counts,
    outside: Counts,
    start: Numbers,
    rate: float,
    enough: float,
    steps: int,
) -> Numbers:
    """Return w and b of o = w . v + b, [D + 1], which is positive inside a mask.

    Gradient descent on the mean over pixels of the hinge loss max(0, 1 - y o), where y is 1 inside
    the mask and -1 outside, until the IoU of o > 0 and the mask is ``enough``, or for ``steps``.  A
    pixel's vector is one of few: each is counted as often as pixels have it, which is the same step
    for step as descent on all pixels.

    Args:
        rows: [R, D], the vectors that pixels have.
        inside: [R], pixels in the mask that have each.
        outside: [R], other pixels that have each.
        start: [D + 1].
        rate: learning rate of plain gradient descent.
        enough: in [0, 1].
        steps: at most so many.
    """
    homogeneous = np.concatenate([rows, np.ones((len(rows), 1))], axis=1)
    pixels, plane = max(int(inside.sum() + outside.sum()), 1), start.copy()
    for _ in range(steps):
        scores = homogeneous @ plane
        if overlap(scores > 0, inside, outside) >= enough:
            break
        pull = np.where(scores > -1, outside, 0) - np.where(scores < 1, inside, 0)
        plane -= rate * (pull @ homogeneous) / pixels
    return plane


def overlap(positive: NDArray[np.bool_], inside: Counts, outside: Counts) -> float:
    """Return the IoU with a mask of the pixels whose vectors are positive [R]."""
    both = inside[positive].sum()
    union = inside.sum() + outside[positive].sum()
    return float(both / max(int(union), 1))
