"""SAM's stock automatic mode: one list of masks of all granularities (CLIP-GS, CGC)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semsplat.features.masks import Masks, no_masks
from semsplat.params.features import SamGrid

if TYPE_CHECKING:
    from segment_anything.modeling import Sam

LAYERS = ("all",)


class Options(SamGrid):
    """The arguments of ``SamAutomaticMaskGenerator``."""


def segment(
    image: NDArray[np.uint8], options: Options, sam: Sam | None, _points: None
) -> dict[str, Masks]:
    """Return the masks of an image uint8 [H, W, 3], best predicted IoU first.

    Raises:
        SemsplatError: the image, or a single click on it, exceeds the GPU's memory.
    """
    from segment_anything import SamAutomaticMaskGenerator

    from semsplat.features.memory import halving

    def generate(batch: int) -> list[dict[str, Any]]:
        arguments = {**options.model_dump(exclude={"model"}), "points_per_batch": batch}
        try:
            return SamAutomaticMaskGenerator(sam, **arguments).generate(image)
        except IndexError:
            if options.crop_n_layers == 0:
                raise
            return []  # of several crops without any mask the library asks for the first

    records = halving(options.points_per_batch, generate, "click")
    if not records:
        return {"all": no_masks(*image.shape[:2])}
    scores = [mask["predicted_iou"] * mask["stability_score"] for mask in records]
    masks = np.stack([mask["segmentation"] for mask in records])
    return {"all": Masks(masks, np.clip(scores, 0, 1).astype(np.float32))}
