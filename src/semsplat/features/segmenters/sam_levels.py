"""SAM asked on a regular grid, its three outputs kept apart (LangSplat; GAGS's baseline).

With ``crop_n_layers`` crops of the image are asked too, level by level as the stock generator does
it for its one list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semsplat.features import levels
from semsplat.features.masks import Masks, pooled
from semsplat.params.features import SamGrid

if TYPE_CHECKING:
    from segment_anything.modeling import Sam

LAYERS = levels.LAYERS
CROP_OVERLAP, CROP_NMS = 512 / 1500, 0.7
"""defaults of ``SamAutomaticMaskGenerator``, which nobody changes"""


class Options(SamGrid):
    """Clicks and filters; boxes are compared within a level."""


def segment(
    image: NDArray[np.uint8], options: Options, sam: Sam | None, _points: None
) -> dict[str, Masks]:
    """Return three layers of masks of an image uint8 [H, W, 3].

    Masks of small crops come first, those of one crop with the best predicted IoU first.
    """
    from segment_anything.utils.amg import build_point_grid, generate_crop_boxes

    crops, _ = generate_crop_boxes(image.shape[:2], options.crop_n_layers, CROP_OVERLAP)
    grid = build_point_grid(options.points_per_side)
    per_crop, areas = [], []
    for x0, y0, x1, y1 in crops:
        points = grid * np.array((x1 - x0, y1 - y0))
        per_crop.append(levels.levels_at(image, points, options, sam, (x0, y0, x1, y1)))
        areas.append((x1 - x0) * (y1 - y0))
    return {name: _joined([some[name] for some in per_crop], areas) for name in LAYERS}


def _joined(per_crop: list[Masks], areas: list[int]) -> Masks:
    """Return the masks of all crops; of two whose boxes agree that of the smaller crop."""
    import torch
    from segment_anything.utils.amg import batched_mask_to_box
    from torchvision.ops import nms

    if len(per_crop) == 1:
        return per_crop[0]
    masks = pooled(per_crop)
    boxes = batched_mask_to_box(torch.from_numpy(masks.masks)).float()
    smallness = 1 / torch.tensor(np.repeat(areas, [len(some) for some in per_crop]))
    return masks.select(nms(boxes, smallness, CROP_NMS).numpy())
