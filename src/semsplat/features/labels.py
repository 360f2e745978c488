"""Zero-shot labels of one view from its features: the pseudo labels that CLIP-GS starts from."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from semsplat.errors import SemsplatError
from semsplat.features.store import ViewFeatures

UNLABELLED = 0
LAYER = 0
"""Whose regions are labelled."""


def region_labels(view: ViewFeatures, text: NDArray[np.float32]) -> NDArray[np.int32]:
    """Return the class of every pixel's region: int32 [H, W], 1 to C, `UNLABELLED` outside.

    A region's class is the one whose text vector is most similar to the vector of its crop.

    Args:
        view: features with region vectors.
        text: float32 [C, D] of length 1, one row per class.
    """
    if view.vectors is None:
        raise SemsplatError("the recipe makes no region vectors; set region_vectors to true")
    best = (view.vectors.astype(np.float32) @ text.T).argmax(axis=1) + 1
    with_none = np.append(best, UNLABELLED).astype(np.int32)  # id -1 reads the last entry
    return with_none[view.ids[LAYER]]


def dense_labels(view: ViewFeatures, text: NDArray[np.float32]) -> NDArray[np.int32]:
    """Return the class most similar to every pixel's dense vector: int32 [H, W], 1 to C.

    Similarities, not labels, are interpolated (bilinear) from the map's cells to pixels.
    """
    if view.dense is None:
        raise SemsplatError("the recipe makes no dense maps; set value_maps")
    height, width = view.ids.shape[1:]
    similarity = np.einsum("dhw,cd->chw", view.dense.astype(np.float32), text)
    maps = [cv2.resize(m, (width, height), interpolation=cv2.INTER_LINEAR) for m in similarity]
    return (np.argmax(maps, axis=0) + 1).astype(np.int32)


def pseudo_labels(view: ViewFeatures, text: NDArray[np.float32]) -> NDArray[np.int32]:
    """Return CLIP-GS's pseudo labels: int32 [H, W], 1 to C (section 3.2, METHODS 1.1-2).

    A region's class is the one most similar to the mean of the dense vectors inside it; a pixel
    outside all regions keeps its own dense label, about which the paper says nothing.
    """
    own = dense_labels(view, text)
    return labels_of_means(view, text, uniform_weights(view), own)


def labels_of_means(
    view: ViewFeatures,
    text: NDArray[np.float32],  # [C, D]
    weights: NDArray[np.float32],  # [h * w]
    elsewhere: NDArray[np.int32],  # [H, W]
) -> NDArray[np.int32]:
    """Return argmax_c cos(s_M(v), t_c) of every pixel (CLIP-GS, section 3.2): int32 [H, W], 1 to C.

    Pixels outside all regions of the layer get the label of ``elsewhere``.
    """
    best = (region_means(view, weights) @ text.T).argmax(axis=1) + 1
    ids = view.ids[LAYER]
    return np.where(ids >= 0, best[ids], elsewhere).astype(np.int32) if len(best) else elsewhere


def uniform_weights(view: ViewFeatures) -> NDArray[np.float32]:
    """Return w_v = 1 for every cell of a view's dense map: float32 [h * w]."""
    return np.ones(_dense(view).shape[1], np.float32)


def confidence_weights(view: ViewFeatures, text: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return w_v = max_c cos(S(v), t_c), not below 0, for every cell: float32 [h * w]."""
    similarity = text @ _dense(view)  # [C, h * w]
    return np.maximum(similarity.max(axis=0), 0).astype(np.float32)


def region_means(view: ViewFeatures, weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean dense vector of every region of a layer: float32 [M, D].

    s_q = sum_{v in R_q} w_v S(v) / sum w_v (CLIP-GS, section 3.2; the paper leaves the weights
    open), where a cell of the map counts by the share of it that the region covers.  Where all
    weights in a region are zero, its cells count alike.  Rows of regions without a pixel in the
    layer are zero.

    Args:
        view: features with a dense map.
        weights: float32 [h * w], w_v of every cell, not negative.
    """
    dense = _dense(view)
    assert view.dense is not None
    cells = view.dense.shape[1:]
    means = np.zeros((len(view.scores), len(dense)), np.float32)
    for region in np.unique(view.ids[LAYER][view.ids[LAYER] >= 0]):
        inside = (view.ids[LAYER] == region).astype(np.float32)
        share = cv2.resize(inside, cells[::-1], interpolation=cv2.INTER_AREA).ravel()
        share = share * weights if (share * weights).any() else share
        means[region] = dense @ share / max(float(share.sum()), np.finfo(np.float32).tiny)
    return means


def _dense(view: ViewFeatures) -> NDArray[np.float32]:
    """Return the dense map as float32 [D, h * w]."""
    if view.dense is None:
        raise SemsplatError("the recipe makes no dense maps; set value_maps")
    return view.dense.astype(np.float32).reshape(len(view.dense), -1)
