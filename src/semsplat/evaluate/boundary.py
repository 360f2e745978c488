"""How far two masks agree: in their areas, and in their boundaries."""

from __future__ import annotations

from math import hypot

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

WIDTH = 0.02
"""Of the picture's diagonal: boundary IoU's default, and what Gaussian Grouping's script takes."""


def iou(mask: Mask, truth: Mask) -> float:
    """Return intersection over union of two masks [H, W]; 0 where both are empty."""
    return float((mask & truth).sum() / max((mask | truth).sum(), 1))


def boundary_iou(mask: Mask, truth: Mask) -> float:
    """Return the `iou` of two masks' inner boundaries; masks [H, W], 0 where both are empty.

    A mask that is not empty has a boundary, since the picture's border is one: only empty masks
    have none.
    """
    return iou(inner_boundary(mask), inner_boundary(truth))


def inner_boundary(mask: Mask) -> Mask:
    """Return the pixels [H, W] of a mask that a few erosions by 3 x 3 pixels take away.

    Outside the picture nothing belongs to the mask, so that where it meets the picture's border it
    has a boundary as well (Cheng et al., Boundary IoU, CVPR 2021).
    """
    eroded = cv2.erode(
        mask.astype(np.uint8),
        np.ones((3, 3), np.uint8),
        iterations=boundary_px(*mask.shape),
        borderType=cv2.BORDER_CONSTANT,
        borderValue=0,
    )
    return mask & (eroded == 0)


def boundary_px(height: int, width: int) -> int:
    """Return how wide the boundary is in a picture of this size, in pixels, at least 1."""
    return max(1, round(WIDTH * hypot(height, width)))
