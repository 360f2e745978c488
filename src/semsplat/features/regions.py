"""From candidate masks to id maps: LangSplat's post-processing, which GAGS inherits (METHODS 0.3).

Pure functions on the masks of one layer of one view.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semsplat.conventions import NO_ID
from semsplat.features.masks import Masks
from semsplat.params.features import Regions

KEPT_AT_LEAST = 3  # masks, by score, when a criterion would drop all
PIXELS_AT_ONCE = 2**16  # a thousand masks as floats take 262 MB then, whatever the image
NESTED_INSIDE, NESTED_OUTSIDE = 0.85, 0.5  # shares of the inner and the outer mask


def select_regions(masks: Masks, config: Regions) -> Masks:
    """Return the masks that become regions, in the order in which they are painted.

    A mask is dropped when a higher-ranked one overlaps it too much, when its score is too low, when
    it lies nested in another, or when it is too small.  Where one of the first three criteria would
    leave nothing, the three masks of the highest score stay as far as that criterion goes.
    """
    masks = masks.select(masks.areas >= config.min_area_px)
    if len(masks) == 0:
        return masks
    overlap = intersections(masks)
    keep = _never_empty(without_overlap(masks, overlap, config.max_overlap), masks)
    keep = keep & _never_empty(masks.scores > config.min_score, masks)
    if config.drop_nested:
        keep = keep & _never_empty(without_nested(overlap), masks)
    chosen = masks.select(keep)
    return chosen.select(painting_order(chosen, config.paint))


def intersections(masks: Masks) -> NDArray[np.float32]:
    """Return common pixels of every pair, float32 [N, N] (exact up to 2^24 pixels)."""
    flat = masks.masks.reshape(len(masks), -1)
    common = np.zeros((len(masks), len(masks)), np.float32)
    for start in range(0, flat.shape[1], PIXELS_AT_ONCE):
        part = flat[:, start : start + PIXELS_AT_ONCE].astype(np.float32)
        common += part @ part.T
    return common


def without_overlap(
    masks: Masks, overlap: NDArray[np.float32], max_overlap: float
) -> NDArray[np.bool_]:
    """Return which masks have an IoU of at most ``max_overlap`` with every higher-ranked one.

    Higher-ranked masks count even if they are dropped themselves.  Equal scores rank as listed.
    """
    areas = np.diag(overlap)
    iou = overlap / (areas[:, None] + areas[None] - overlap)
    rank = np.argsort(np.argsort(-masks.scores, kind="stable"), kind="stable")
    higher = rank[None] < rank[:, None]
    return np.asarray(~((iou > max_overlap) & higher).any(axis=1))


def without_nested(overlap: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which masks are not the contained one of a nested pair.

    A pair is nested when the intersection covers at least 0.85 of one and less than 0.5 of the
    other; the inner score 1 - (I/A_i)(I/A_j) then always exceeds 0.5, so the contained mask goes.
    """
    share = overlap / np.diag(overlap)[:, None]  # of the row's mask
    nested = (share >= NESTED_INSIDE) & (share.T < NESTED_OUTSIDE)
    return np.asarray(~nested.any(axis=1))


def painting_order(masks: Masks, paint: str) -> NDArray[np.int64]:
    """Return the order in which masks are painted; the last one wins."""
    if paint == "large_first":
        return np.argsort(-masks.areas, kind="stable")
    if paint == "score_last":
        return np.argsort(masks.scores, kind="stable")
    return np.arange(len(masks))


def painted(masks: Masks, first_id: int) -> NDArray[np.int16]:
    """Return an id map int16 [H, W]: `NO_ID`, or ``first_id`` + the last mask's place."""
    ids = np.full(masks.masks.shape[1:], NO_ID, np.int16)
    for place, mask in enumerate(masks.masks):
        ids[mask] = first_id + place
    return ids


def _never_empty(keep: NDArray[np.bool_], masks: Masks) -> NDArray[np.bool_]:
    """Return the selection, or the masks of the highest score where it is empty."""
    if keep.any():
        return keep
    best = np.zeros(len(masks), bool)
    best[np.argsort(-masks.scores, kind="stable")[:KEPT_AT_LEAST]] = True
    return best
