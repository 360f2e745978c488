"""SAM asked on a regular grid, its three outputs kept apart (LangSplat; GAGS's baseline)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semsplat.features import levels
from semsplat.features.masks import Masks
from semsplat.params.features import SamGrid

if TYPE_CHECKING:
    from segment_anything.modeling import Sam

LAYERS = levels.LAYERS


class Options(SamGrid):
    """Clicks and filters; boxes are compared within a level."""


def segment(
    image: NDArray[np.uint8], options: Options, sam: Sam | None, _points: None
) -> dict[str, Masks]:
    """Return three layers of masks of an image uint8 [H, W, 3]; see `levels.masks_on_grid`."""
    return levels.masks_on_grid(image, options, sam, LAYERS)
