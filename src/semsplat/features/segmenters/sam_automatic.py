"""SAM's stock automatic mode: one list of masks of all granularities (CLIP-GS, CGC)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from semsplat.params.base import Count, Fraction, Positive, Strict

if TYPE_CHECKING:
    from segment_anything.modeling import Sam

    from semsplat.features.masks import Masks

LAYERS = ("all",)


class Options(Strict):
    """The arguments of ``SamAutomaticMaskGenerator``."""

    model: str
    """name of the SAM"""
    points_per_side: Count
    """clicks along each side of a regular grid"""
    points_per_batch: Count
    """clicks answered at once; decides memory only"""
    pred_iou_thresh: Fraction
    """masks whose predicted IoU is lower are dropped"""
    stability_score_thresh: Fraction
    """masks that change more when the cut-off moves are dropped"""
    stability_score_offset: Positive
    """how far the cut-off moves, in logits"""
    box_nms_thresh: Fraction
    """IoU of boxes above which the worse mask is dropped"""
    crop_n_layers: int = Field(ge=0)
    """layers of image crops that are segmented too"""


def segment(image: NDArray[np.uint8], options: Options, sam: Sam | None) -> dict[str, Masks]:
    """Return the masks of an image uint8 [H, W, 3], best predicted IoU first."""
    from segment_anything import SamAutomaticMaskGenerator

    from semsplat.features.masks import Masks, no_masks

    generator = SamAutomaticMaskGenerator(sam, **options.model_dump(exclude={"model"}))
    found = generator.generate(image)
    if not found:
        return {"all": no_masks(*image.shape[:2])}
    scores = [mask["predicted_iou"] * mask["stability_score"] for mask in found]
    masks = np.stack([mask["segmentation"] for mask in found])
    return {"all": Masks(masks, np.clip(scores, 0, 1).astype(np.float32))}
