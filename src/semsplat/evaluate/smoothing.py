"""What the protocols of open-vocabulary search do to relevancy maps before they decide."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Maps = NDArray[np.float64]
Mask = NDArray[np.bool_]

LERF_HEIGHT_PX = 730  # of the pictures for which the windows were chosen


def box_mean(relevancy: NDArray[np.floating], window_px: int) -> Maps:
    """Return the mean over a square window around every pixel, float64 like the input [L, H, W].

    An even window reaches one pixel further to the left and the top; beyond the border the picture
    is mirrored without repeating its edge.  Double precision, as the published code has not: where
    two pixels have equal windows, rounding must not choose between them.
    """
    kernel = np.full((window_px, window_px), 1 / window_px**2)
    return np.stack([cv2.filter2D(level.astype(np.float64), -1, kernel) for level in relevancy])


def blended(relevancy: NDArray[np.floating], window_px: int) -> Maps:
    """Return the relevancy of the level that answers, smoothed by half, float64 [H, W].

    Of several levels [L, H, W] that with the largest maximum is taken, the first of equal ones.
    """
    maps = 0.5 * (relevancy + box_mean(relevancy, window_px))
    return maps[strongest(maps)]


def strongest(maps: Maps) -> int:
    """Return the level of [L, H, W] that has the largest maximum, the first of equal ones."""
    return int(maps.reshape(len(maps), -1).max(axis=1).argmax())


def majority(mask: Mask, radius_px: int, short_px: int) -> Mask:
    """Return what most pixels of the window around each say, bool [H, W]; a tie says no.

    Args:
        mask: bool [H, W].
        radius_px: how far the window reaches to all sides.
        short_px: so many of the last rows and columns have no vote.
    """
    sums = cv2.integral(mask.astype(np.uint8))  # [H + 1, W + 1]
    (top, bottom), (left, right) = (_windows(extent, radius_px, short_px) for extent in mask.shape)
    rows, ends = (np.ix_(edge, left) for edge in (top, bottom))
    votes = sums[np.ix_(bottom, right)] - sums[np.ix_(top, right)] - sums[ends] + sums[rows]
    voters = np.outer(bottom - top, right - left)
    return 2 * votes > voters


def _windows(extent: int, radius: int, short: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return where the window of every place along a side starts and ends."""
    place = np.arange(extent)
    start = np.maximum(place - radius, 0)
    return start, np.maximum(np.minimum(place + radius + 1, extent - short), start)


def scaled_px(window_px: int, height_px: int, odd: bool = False) -> int:
    """Return the window that is the same share of a picture's height as of LERF's, at least 1.

    Args:
        window_px: on pictures of `LERF_HEIGHT_PX`.
        height_px: of the picture.
        odd: the nearest odd number is wanted.
    """
    exact = window_px * height_px / LERF_HEIGHT_PX
    return 2 * int(exact / 2) + 1 if odd else max(1, int(exact + 0.5))
