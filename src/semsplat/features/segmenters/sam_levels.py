"""SAM's three multimask outputs kept apart: sub-parts, parts and wholes (LangSplat, GAGS).

LangSplat relies on a fork whose generator returns four lists; here the stock predictor's
``multimask_output`` gives the three levels, filtered and box-NMS'd each on its own (METHODS 0.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semsplat.params.features import SamGrid

if TYPE_CHECKING:
    from segment_anything import SamPredictor
    from segment_anything.modeling import Sam
    from torch import Tensor

    from semsplat.features.masks import Masks

LAYERS = ("subpart", "part", "whole")


class Options(SamGrid):
    """Clicks and filters; boxes are compared within a level."""


def segment(image: NDArray[np.uint8], options: Options, sam: Sam | None) -> dict[str, Masks]:
    """Return three layers of masks of an image uint8 [H, W, 3], best predicted IoU first."""
    import torch
    from segment_anything import SamPredictor
    from segment_anything.utils.amg import build_point_grid

    predictor = SamPredictor(sam)
    predictor.set_image(image)
    grid = build_point_grid(options.points_per_side) * np.array(image.shape[1::-1])
    batches = np.array_split(grid, -(-len(grid) // options.points_per_batch))
    answers = [_answer(predictor, points, options) for points in batches]
    kept: list[list[Tensor]] = [[part[k] for part in answers] for k in range(len(LAYERS))]  # type: ignore[misc]
    return {
        name: _suppressed([torch.cat(t) for t in zip(*level, strict=True)], options)
        for name, level in zip(LAYERS, kept, strict=True)
    }


def _answer(
    predictor: SamPredictor, points: NDArray[np.float64], options: Options
) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Return masks [n, H, W], predicted IoUs [n] and scores [n] of each level, filtered.

    ``points`` [N, 2] are pixels (x, y).
    """
    import torch
    from segment_anything.utils.amg import calculate_stability_score

    coordinates = predictor.transform.apply_coords(points, predictor.original_size)
    clicks = torch.as_tensor(coordinates, dtype=torch.float32, device=predictor.device)[:, None]
    labels = torch.ones(len(clicks), 1, dtype=torch.int, device=predictor.device)
    logits, predicted, _ = predictor.predict_torch(clicks, labels, return_logits=True)
    threshold = predictor.model.mask_threshold
    levels = []
    for masks, iou in zip(logits.unbind(1), predicted.unbind(1), strict=True):
        stability = calculate_stability_score(masks, threshold, options.stability_score_offset)
        keep = (iou > options.pred_iou_thresh) & (stability >= options.stability_score_thresh)
        levels.append((masks[keep] > threshold, iou[keep], (iou * stability)[keep]))
    return levels


def _suppressed(level: list[Tensor], options: Options) -> Masks:
    """Return the masks of a level after non-maximum suppression of their boxes."""
    from segment_anything.utils.amg import batched_mask_to_box
    from torchvision.ops import nms

    from semsplat.features.masks import Masks

    masks, iou, scores = level
    keep = nms(batched_mask_to_box(masks).float(), iou, options.box_nms_thresh)
    return Masks(masks[keep].cpu().numpy(), scores[keep].clamp(0, 1).float().cpu().numpy())
