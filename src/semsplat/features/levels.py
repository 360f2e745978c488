"""SAM's three multimask outputs kept apart: sub-parts, parts and wholes (LangSplat, GAGS).

LangSplat relies on a fork whose generator returns four lists; here the stock predictor's three
outputs of every click are filtered and box-NMS'd level by level (METHODS 0.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semsplat.features.masks import Masks
from semsplat.params.features import SamFilter

if TYPE_CHECKING:
    from segment_anything import SamPredictor
    from segment_anything.modeling import Sam
    from torch import Tensor

LAYERS = ("subpart", "part", "whole")

Box = tuple[int, int, int, int]
"""x and y of the first pixel, and of one past the last"""


class _Answers(NamedTuple):
    """The masks of several clicks that pass the filters, click by click."""

    bits: NDArray[np.uint8]  # [n, ceil(H W / 8)]: an eighth of the memory of all candidates
    level: Tensor  # int64 [n]
    boxes: Tensor  # float32 [n, 4]
    iou: Tensor  # float32 [n], predicted
    scores: Tensor  # float32 [n]


def levels_at(
    image: NDArray[np.uint8],
    points: NDArray,
    options: SamFilter,
    sam: Sam | None,
    crop: Box | None = None,
) -> dict[str, Masks]:
    """Return three layers of masks of an image, best predicted IoU first; any may be empty.

    Args:
        image: uint8 [H, W, 3].
        points: float [P, 2], P at least 1, clicks in pixels (x, y) of what SAM sees.
        options: filters; boxes are compared within a level.
        sam: the model.
        crop: what SAM sees of the image, None for all of it.  Masks that a crop's border cuts off
            are dropped; the others come back in the image's frame.

    Raises:
        SemsplatError: the image, or a single click on it, exceeds the GPU's memory.
    """
    import torch
    from segment_anything import SamPredictor
    from segment_anything.utils.amg import is_box_near_crop_edge

    from semsplat.features.memory import halving

    height, width = image.shape[:2]
    x0, y0, x1, y1 = crop = crop or (0, 0, width, height)
    predictor = SamPredictor(sam)
    predictor.set_image(image[y0:y1, x0:x1])

    def ask(batch: int) -> list[_Answers]:
        batches = np.array_split(points, -(-len(points) // batch))
        return [_answer(predictor, some, options) for some in batches]

    by_batch = halving(options.points_per_batch, ask, "click")
    bits, *rest = zip(*by_batch, strict=True)
    answers = _Answers(np.concatenate(bits), *(torch.cat(parts) for parts in rest))
    cut_off = is_box_near_crop_edge(answers.boxes, list(crop), [0, 0, width, height])
    answers = answers._replace(level=answers.level.masked_fill(cut_off, -1))
    seen = {name: _suppressed(answers, k, options, crop) for k, name in enumerate(LAYERS)}
    beside = ((0, 0), (y0, height - y1), (x0, width - x1))
    return {name: Masks(np.pad(some.masks, beside), some.scores) for name, some in seen.items()}


def _answer(predictor: SamPredictor, points: NDArray, options: SamFilter) -> _Answers:
    """Return what passes the filters of the answers to points [N, 2]."""
    from segment_anything.utils.amg import batched_mask_to_box, calculate_stability_score

    model = predictor.model
    low, predicted = _decoded(predictor, points)
    promising = predicted > options.pred_iou_thresh
    # Upscaling costs more than decoding; what the predicted IoU drops needs none.
    logits = model.postprocess_masks(
        low[promising][:, None], predictor.input_size, predictor.original_size
    )[:, 0]
    threshold = model.mask_threshold
    stability = calculate_stability_score(logits, threshold, options.stability_score_offset)
    keep = stability >= options.stability_score_thresh
    masks, iou = logits[keep] > threshold, predicted[promising][keep]
    return _Answers(
        np.packbits(masks.flatten(1).cpu().numpy(), axis=1),
        promising.nonzero()[keep, 1],
        batched_mask_to_box(masks).float(),
        iou,
        iou * stability[keep],
    )


def _decoded(predictor: SamPredictor, points: NDArray) -> tuple[Tensor, Tensor]:
    """Return logits [N, 3, h, w] at SAM's own size and predicted IoUs [N, 3].

    As ``SamPredictor.predict_torch``, which also upscales.
    """
    import torch

    coordinates = predictor.transform.apply_coords(points, predictor.original_size)
    clicks = torch.as_tensor(coordinates, dtype=torch.float32, device=predictor.device)[:, None]
    labels = torch.ones(len(clicks), 1, dtype=torch.int, device=predictor.device)
    prompts = predictor.model.prompt_encoder
    with torch.no_grad():
        sparse, dense = prompts(points=(clicks, labels), boxes=None, masks=None)
        low, predicted = predictor.model.mask_decoder(
            image_embeddings=predictor.features,
            image_pe=prompts.get_dense_pe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=True,
        )
    return low, predicted


def _suppressed(answers: _Answers, level: int, options: SamFilter, crop: Box) -> Masks:
    """Return the masks of a level, of the crop's size, after suppression of similar boxes."""
    from torchvision.ops import nms

    own = (answers.level == level).nonzero().squeeze(1)
    keep = own[nms(answers.boxes[own], answers.iou[own], options.box_nms_thresh)]
    width, height = crop[2] - crop[0], crop[3] - crop[1]
    bits = answers.bits[keep.cpu().numpy()]
    masks = np.unpackbits(bits, axis=1, count=height * width).astype(bool)
    scores = answers.scores[keep].clamp(0, 1).float().cpu().numpy()
    return Masks(masks.reshape(-1, height, width), scores)
