"""Outlines of regions, moved to where the image changes.

A small SAM answers on cells of several pixels, so most of what its regions get wrong lies beside
their outlines.  A watershed (Meyer 1991) floods the image's contrast from the insides of all
regions; it costs the same however many masks there were.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semsplat.conventions import NO_ID

LIGHTNESS_WEIGHT = 0.5
"""against colours: shadows are no outlines"""
SHIFT = 1 - NO_ID  # to a watershed 0 is unknown; what no region covers is a basin too


def contrast(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return how much an image uint8 [H, W, 3] changes at each pixel, float64 [H, W].

    The Sobel gradient's length over Lab colours; lightness counts half, as shadows are no outlines.
    """
    from skimage.color import rgb2lab
    from skimage.filters import sobel

    lab = rgb2lab(image)
    lab[..., 0] *= LIGHTNESS_WEIGHT
    changes = [sobel(channel) for channel in np.moveaxis(lab, 2, 0)]
    return np.asarray(np.linalg.norm(changes, axis=0))


def snapped(
    ids: NDArray[np.int16], change: NDArray[np.float64], reach_px: int
) -> NDArray[np.int16]:
    """Return an id map whose outlines follow the image; no region vanishes.

    Args:
        ids: int16 [H, W], `NO_ID` where no region is.
        change: float64 [H, W] of `contrast`.
        reach_px: pixels that have another id within this distance, along rows or columns, may
            change theirs; others keep it.
    """
    from scipy import ndimage
    from skimage.segmentation import watershed

    size = 2 * reach_px + 1
    inside = ndimage.maximum_filter(ids, size) == ndimage.minimum_filter(ids, size)
    seeds = np.where(inside, ids.astype(np.int32) + SHIFT, 0)
    thin = np.setdiff1d(ids[ids != NO_ID], ids[inside])
    if len(thin):  # has no inside: its innermost pixels stay
        depth = ndimage.distance_transform_edt(
            ndimage.maximum_filter(ids, 3) == ndimage.minimum_filter(ids, 3)
        )
        deepest = np.zeros(int(thin[-1]) + 1)
        deepest[thin] = ndimage.maximum(depth, ids, thin)
        kept = np.isin(ids, thin) & (depth == deepest[np.clip(ids, 0, thin[-1])])
        seeds[kept] = ids[kept] + SHIFT
    return np.asarray(watershed(change, seeds) - SHIFT, np.int16)
