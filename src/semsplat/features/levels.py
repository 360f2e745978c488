"""SAM's masks of an image: one list, or its three outputs kept apart as sub-parts, parts, wholes.

One list is what the stock automatic mode returns (CLIP-GS, CGC).  LangSplat, and GAGS after it,
rely on a fork whose generator returns four lists; here the three outputs of every click are
box-NMS'd level by level (METHODS 0.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semsplat.features.masks import Masks, pooled
from semsplat.params.features import SamFilter, SamGrid

if TYPE_CHECKING:
    from segment_anything.modeling import Sam
    from torch import Tensor

    from semsplat.features.clicks import Answers, Box

LAYERS = ("subpart", "part", "whole")
ONE_LIST = ("all",)
CROP_OVERLAP, CROP_NMS = 512 / 1500, 0.7
"""defaults of ``SamAutomaticMaskGenerator``, which nobody changes"""


def masks_on_grid(
    image: NDArray[np.uint8], options: SamGrid, sam: Sam | None, layers: tuple[str, ...]
) -> dict[str, Masks]:
    """Return layers of masks of an image uint8 [H, W, 3], asked on a regular grid.

    With ``crop_n_layers`` crops of the image are asked too.  Masks of small crops come first, those
    of one crop with the best predicted IoU first.
    """
    from segment_anything.utils.amg import build_point_grid, generate_crop_boxes

    crops, _ = generate_crop_boxes(image.shape[:2], options.crop_n_layers, CROP_OVERLAP)
    grid = build_point_grid(options.points_per_side)
    per_crop, areas = [], []
    for x0, y0, x1, y1 in crops:
        points = grid * np.array((x1 - x0, y1 - y0))
        per_crop.append(masks_at(image, points, options, sam, (x0, y0, x1, y1), layers))
        areas.append((x1 - x0) * (y1 - y0))
    joined = {name: _joined([some[name] for some in per_crop], areas) for name in layers}
    return {name: cleaned(some, options) for name, some in joined.items()}


def cleaned(masks: Masks, options: SamFilter) -> Masks:
    """Return masks without small islands and holes, as ``SamAutomaticMaskGenerator`` cleans them.

    Of two whose boxes then agree the one that needed no cleaning stays; those come first.
    """
    import torch
    from segment_anything import SamAutomaticMaskGenerator
    from segment_anything.utils.amg import MaskData, mask_to_rle_pytorch, rle_to_mask

    if not options.min_mask_region_area or not len(masks):
        return masks
    found = torch.from_numpy(masks.masks)
    data = MaskData(
        rles=mask_to_rle_pytorch(found), boxes=_boxes(masks), scores=torch.from_numpy(masks.scores)
    )
    data = SamAutomaticMaskGenerator.postprocess_small_regions(
        data, options.min_mask_region_area, max(options.box_nms_thresh, CROP_NMS)
    )
    return Masks(np.stack([rle_to_mask(rle) for rle in data["rles"]]), data["scores"].numpy())


def masks_at(
    image: NDArray[np.uint8],
    points: NDArray,
    options: SamFilter,
    sam: Sam | None,
    crop: Box | None = None,
    layers: tuple[str, ...] = LAYERS,
) -> dict[str, Masks]:
    """Return layers of masks of an image, best predicted IoU first; any may be empty.

    Args:
        image: uint8 [H, W, 3].
        points: float [P, 2], P at least 1, clicks in pixels (x, y) of what SAM sees.
        options: filters; boxes are compared within a layer.
        sam: the model.
        crop: what SAM sees of the image, None for all of it.  Masks that a crop's border cuts off
            are dropped; the others come back in the image's frame.
        layers: LAYERS or ONE_LIST.

    Raises:
        SemsplatError: the image, or a single click on it, exceeds the GPU's memory.
    """
    from semsplat.features.clicks import CUT_OFF, answers_to

    assert sam is not None
    height, width = image.shape[:2]
    x0, y0, x1, y1 = crop = crop or (0, 0, width, height)
    answers = answers_to(image, points, options, sam, crop)
    beside = ((0, 0), (y0, height - y1), (x0, width - x1))
    found = {}
    for level, name in enumerate(layers):
        own = answers.level != CUT_OFF if layers == ONE_LIST else answers.level == level
        some = _suppressed(answers, own.nonzero().squeeze(1), options, crop)
        found[name] = Masks(np.pad(some.masks, beside), some.scores)
    return found


def _suppressed(answers: Answers, own: Tensor, options: SamFilter, crop: Box) -> Masks:
    """Return the masks of a layer, of the crop's size, after suppression of similar boxes."""
    from torchvision.ops import nms

    keep = own[nms(answers.boxes[own], answers.iou[own], options.box_nms_thresh)]
    width, height = crop[2] - crop[0], crop[3] - crop[1]
    masks = np.unpackbits(answers.bits[keep.numpy()], axis=1, count=height * width).astype(bool)
    scores = answers.scores[keep].clamp(0, 1).float().numpy()
    return Masks(masks.reshape(-1, height, width), scores)


def _joined(per_crop: list[Masks], areas: list[int]) -> Masks:
    """Return the masks of all crops; of two whose boxes agree that of the smaller crop."""
    import torch
    from torchvision.ops import nms

    if len(per_crop) == 1:
        return per_crop[0]
    masks = pooled(per_crop)
    smallness = 1 / torch.tensor(np.repeat(areas, [len(some) for some in per_crop]))
    return masks.select(nms(_boxes(masks), smallness, CROP_NMS).numpy())


def _boxes(masks: Masks) -> Tensor:
    """Return the masks' boxes, float32 [N, 4]."""
    import torch
    from segment_anything.utils.amg import batched_mask_to_box

    return batched_mask_to_box(torch.from_numpy(masks.masks)).float()
