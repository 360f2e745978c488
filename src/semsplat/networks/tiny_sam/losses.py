"""Losses of the tiny SAM.  SAM itself trains with focal and dice loss (SAM, appendix A).

At this size a mean over all cells (focal included) first teaches empty masks: most cells lie
outside.  So inside and outside count equally at first, and the mean takes over during training.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

OUTPUT_WEIGHTS = (0.3, 0.7, 1.0, 1.0)  # single mask, sub-part, part, whole
SINGLE_WEIGHTS = (3.0, 0.0, 0.0, 0.0)  # the same in sum
CODES = 8  # dimensions of a cell's code per level
MARGIN = 3.0  # logit of two cells with equal codes
ANCHORS = 32


def dice_loss(probabilities: Tensor, targets: Tensor) -> Tensor:
    """Return 1 - (2 |p t| + 1) / (|p| + |t| + 1) over the last axis (Milletari et al. 2016)."""
    overlap = (probabilities * targets).sum(-1)
    return 1 - (2 * overlap + 1) / (probabilities.sum(-1) + targets.sum(-1) + 1)


def balanced_bce(logits: Tensor, targets: Tensor) -> Tensor:
    """Return binary cross-entropy over the last axis, inside and outside at half weight each."""
    each = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    inside, outside = targets.sum(-1) + 1, (1 - targets).sum(-1) + 1
    return 0.5 * (each * targets).sum(-1) / inside + 0.5 * (each * (1 - targets)).sum(-1) / outside


def mask_loss(
    logits: Tensor,
    predicted_iou: Tensor,
    targets: Tensor,
    progress: float,
    weights: tuple[float, ...] = OUTPUT_WEIGHTS,
) -> tuple[Tensor, Tensor]:
    """Return the loss of the decoder's outputs and their IoUs [N, 4].

    Dice + w_b balanced BCE + w_m mean BCE + (predicted - actual IoU)^2, with w_b falling from 1 to
    0.2 and w_m rising from 0.3 to 1 over the training.

    Args:
        logits: [N, 4, h, w].
        predicted_iou: [N, 4].
        targets: [N, 4, h, w], 0 or 1.
        progress: share of the training that is done, 0 to 1.
        weights: of the outputs; one that weighs nothing learns no IoU either.
    """
    logits, targets = logits.flatten(2).float(), targets.flatten(2)
    mean = F.binary_cross_entropy_with_logits(logits, targets, reduction="none").mean(-1)
    balanced = balanced_bce(logits, targets)
    each = dice_loss(logits.sigmoid(), targets) + (1 - 0.8 * progress) * balanced
    each = each + (0.3 + 0.7 * progress) * mean
    actual = iou(logits > 0, targets > 0.5)
    share = torch.tensor(weights, device=logits.device)
    taught = share > 0
    guess = F.mse_loss(predicted_iou[:, taught].float(), actual[:, taught])
    return (each * share).mean() + guess, actual


def iou(first: Tensor, second: Tensor) -> Tensor:
    """Return intersection over union of boolean masks over the last axis; 0 if both are empty."""
    union = (first | second).sum(-1).clamp(min=1)
    return (first & second).sum(-1) / union


class CodeHead(nn.Module):
    """Dense supervision of the encoder: cells of one thing get near codes, others far ones.

    Codes are a linear map of the upscaled embedding; two cells belong together with logit
    ``MARGIN - |code difference|^2``, at each of the three levels.  A last channel tells edges.
    """

    def __init__(self, channels: int) -> None:
        """Build for an upscaled embedding of ``channels``."""
        super().__init__()
        self.project = nn.Conv2d(channels, 3 * CODES + 1, 1)
        with torch.no_grad():
            self.project.weight.mul_(3.0)

    def forward(self, upscaled: Tensor, ids: Tensor, generator: torch.Generator) -> Tensor:
        """Return the loss for ids int64 [B, 3, h, w] against `ANCHORS` random cells a picture."""
        height, width = ids.shape[2:]
        raw = self.project(upscaled)[:, :, :height].float()
        codes = raw[:, :-1].reshape(len(raw), 3, CODES, height * width)
        flat = ids.flatten(2)
        picks = torch.randint(0, height * width, (len(raw), ANCHORS), generator=generator)
        chosen = picks[:, None].expand(-1, 3, -1)
        anchors = codes.gather(3, chosen[:, :, None].expand(-1, -1, CODES, -1)).transpose(2, 3)
        logits = MARGIN - squared_distances(anchors, codes)
        same = (flat.gather(2, chosen)[..., None] == flat[:, :, None]).float()
        together = balanced_bce(logits, same) + dice_loss(logits.sigmoid(), same)
        weight = torch.tensor(2.0)  # edges are rare
        edge = F.binary_cross_entropy_with_logits(raw[:, -1], edges(ids[:, 1]), pos_weight=weight)
        return together.mean() + edge


def squared_distances(anchors: Tensor, codes: Tensor) -> Tensor:
    """Return |a - c|^2 as [..., A, N] for anchors [..., A, K] and codes [..., K, N]."""
    own, other = anchors.square().sum(-1)[..., None], codes.square().sum(-2)[..., None, :]
    return own + other - 2 * anchors @ codes


def edges(ids: Tensor) -> Tensor:
    """Return 1 where the cell above or to the left has another id, float32 [B, h, w]."""
    is_edge = torch.zeros_like(ids, dtype=torch.bool)
    is_edge[:, :, 1:] |= ids[:, :, 1:] != ids[:, :, :-1]
    is_edge[:, 1:] |= ids[:, 1:] != ids[:, :-1]
    return is_edge.float()
