"""Colours of things without names: regions, instances, clusters."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import hsv_to_rgb
from numpy.typing import NDArray

GOLDEN_RATIO = 0.618034  # hues at this step stay apart, however many there are


def region_colours(count: int) -> NDArray[np.uint8]:
    """Return distinct colours uint8 [count, 3]; neighbours in number differ most."""
    number = np.arange(count)
    saturation, value = 0.6 + 0.3 * (number % 2), 1.0 - 0.2 * (number % 3)
    hsv = np.stack([number * GOLDEN_RATIO % 1, saturation, value], axis=-1)
    return (hsv_to_rgb(hsv) * 255).round().astype(np.uint8)
