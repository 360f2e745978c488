"""SAM's answers to clicks on an image: all its masks that pass the filters, each computed once.

Recipes that ask the same clicks and filter alike share them, whatever they do with them later.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from segment_anything import SamPredictor
from segment_anything.utils.amg import (
    batched_mask_to_box,
    calculate_stability_score,
    is_box_near_crop_edge,
)
from torch import Tensor

from semsplat.features.memory import halving
from semsplat.features.sam import remembered
from semsplat.params.features import SamFilter

if TYPE_CHECKING:
    from segment_anything.modeling import Sam

Box = tuple[int, int, int, int]
"""x and y of the first pixel, and of one past the last"""
FILTERS = {"pred_iou_thresh", "stability_score_thresh", "stability_score_offset"}
CUT_OFF = -1
"""the level of masks that the border of a crop cuts off"""


class Answers(NamedTuple):
    """The masks of several clicks that pass the filters, click by click."""

    bits: NDArray[np.uint8]  # [n, ceil(H W / 8)]: an eighth of the memory of all candidates
    level: Tensor  # int64 [n], one of SAM's three outputs or CUT_OFF
    boxes: Tensor  # float32 [n, 4]
    iou: Tensor  # float32 [n], predicted
    scores: Tensor  # float32 [n]


def answers_to(
    image: NDArray[np.uint8], points: NDArray, options: SamFilter, sam: Sam, crop: Box
) -> Answers:
    """Return what SAM answers to clicks on a crop of an image.

    Args:
        image: uint8 [H, W, 3].
        points: float [P, 2], P at least 1, clicks in pixels (x, y) of the crop.
        options: filters.
        sam: the model; answers are kept in the cache that it was opened with.
        crop: what SAM sees of the image; the masks are of its size.

    Raises:
        SemsplatError: the image, or a single click on it, exceeds the GPU's memory.
    """
    x0, y0, x1, y1 = crop
    seen = np.ascontiguousarray(image[y0:y1, x0:x1])

    def compute() -> dict[str, NDArray]:
        answers = _asked(seen, points, options, sam)
        height, width = image.shape[:2]
        cut_off = is_box_near_crop_edge(answers.boxes, list(crop), [0, 0, width, height])
        level = answers.level.masked_fill(cut_off, CUT_OFF)
        rest = {
            k: v.cpu().numpy()
            for k, v in answers._replace(level=level)._asdict().items()
            if k != "bits"
        }
        return {"bits": answers.bits, **rest}

    arrays = remembered(
        sam, "answers", ("semsplat.features.clicks",), compute,
        pixels=hashlib.sha256(seen.tobytes()).hexdigest(), crop=crop, size=image.shape,
        points=points.tolist(), options=options.model_dump(include=FILTERS),
    )  # fmt: skip
    tensors = {name: torch.from_numpy(arrays[name]) for name in Answers._fields[1:]}
    return Answers(arrays["bits"], **tensors)


def _asked(seen: NDArray[np.uint8], points: NDArray, options: SamFilter, sam: Sam) -> Answers:
    """Return the answers to clicks on an image, in batches that the memory holds."""
    predictor = SamPredictor(sam)
    predictor.set_image(seen)

    def ask(batch: int) -> list[Answers]:
        batches = np.array_split(points, -(-len(points) // batch))
        return [_answer(predictor, some, options) for some in batches]

    by_batch = halving(options.points_per_batch, ask, "click")
    bits, *rest = zip(*by_batch, strict=True)
    return Answers(np.concatenate(bits), *(torch.cat(parts) for parts in rest))


def _answer(predictor: SamPredictor, points: NDArray, options: SamFilter) -> Answers:
    """Return what passes the filters of the answers to points [N, 2]."""
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
    return Answers(
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
