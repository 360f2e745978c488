"""SAM's stock automatic mode: one list of masks of all granularities (CLIP-GS, CGC).

The masks are those of ``SamAutomaticMaskGenerator``, from answers that other recipes share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semsplat.features import levels
from semsplat.features.masks import Masks
from semsplat.params.features import SamGrid

if TYPE_CHECKING:
    from segment_anything.modeling import Sam

LAYERS = levels.ONE_LIST


class Options(SamGrid):
    """The arguments of ``SamAutomaticMaskGenerator``."""


def segment(
    image: NDArray[np.uint8], options: Options, sam: Sam | None, _points: None
) -> dict[str, Masks]:
    """Return the masks of an image uint8 [H, W, 3], best predicted IoU first."""
    return levels.masks_on_grid(image, options, sam, LAYERS)
