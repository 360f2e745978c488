"""From a region of an image to the square crop that CLIP looks at."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def region_crop(
    image: NDArray[np.uint8], mask: NDArray[np.bool_], size: int, fill: int | None = 0
) -> NDArray[np.uint8]:
    """Return a mask's bounding box as a square crop uint8 [size, size, 3].

    As LangSplat's preprocessing, which GAGS inherits (METHODS 0.3): pixels outside the mask become
    black, the box is cut out, padded to a centred square with black, and resized bilinearly.

    Args:
        image: uint8 [H, W, 3].
        mask: bool [H, W] with at least one pixel set.
        size: side of the result in pixels.
        fill: grey level outside the mask and of the padding; None keeps the surroundings in the
            box (padding is black then).
    """
    ys, xs = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = np.s_[ys[0] : ys[-1] + 1, xs[0] : xs[-1] + 1]
    cut = image[box] if fill is None else np.where(mask[box][..., None], image[box], np.uint8(fill))
    height, width = cut.shape[:2]
    side = max(height, width)
    square = np.full((side, side, 3), fill or 0, np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = cut
    return cv2.resize(square, (size, size), interpolation=cv2.INTER_LINEAR)
