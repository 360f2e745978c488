"""Felzenszwalb's graph segmentation at three scales: needs no weights, works on any photograph.

Felzenszwalb and Huttenlocher 2004, on Lab colours whose lightness counts half, so that shadows
split less than colours do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from semsplat.features.masks import Masks
from semsplat.features.outlines import LIGHTNESS_WEIGHT
from semsplat.params.base import Count, Positive, Strict

if TYPE_CHECKING:
    from segment_anything.modeling import Sam

LAYERS = ("subpart", "part", "whole")
LAB_UNIT = 100.0  # brings Lab to the range for which the method's scales are usual


class Options(Strict):
    """How coarse the three layers are."""

    scales: list[Positive] = Field(min_length=3, max_length=3)
    """preference for larger segments of sub-parts, parts and wholes"""
    blur_px: Positive
    """standard deviation of the smoothing before"""
    min_size_px: Count
    """smaller segments are merged"""
    max_side_px: Count
    """larger images are segmented at this size, because the scales mean pixels"""


def segment(
    image: NDArray[np.uint8], options: Options, _sam: Sam | None, _points: None
) -> dict[str, Masks]:
    """Return three layers of masks of an image uint8 [H, W, 3]; every mask scores 1."""
    from skimage.color import rgb2lab
    from skimage.filters import gaussian
    from skimage.segmentation import felzenszwalb

    height, width = image.shape[:2]
    shrink = min(1.0, options.max_side_px / max(height, width))
    size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    lab = rgb2lab(gaussian(small, options.blur_px, channel_axis=2))
    lab[..., 0] *= LIGHTNESS_WEIGHT
    layers = {}
    for name, scale in zip(LAYERS, options.scales, strict=True):
        ids = felzenszwalb(lab / LAB_UNIT, scale, sigma=0, min_size=options.min_size_px)
        ids = cv2.resize(ids.astype(np.int32), (width, height), interpolation=cv2.INTER_NEAREST)
        masks = ids[None] == np.unique(ids)[:, None, None]
        layers[name] = Masks(masks, np.ones(len(masks), np.float32))
    return layers
