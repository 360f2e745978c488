"""How fast CGC's contrastive loss is without a loop over clusters."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from semsplat.conventions import NO_ID
from semsplat.evaluate.stopwatch import timed
from semsplat.provenance import measured_on
from semsplat.train.contrast import (
    CODE_FACTOR,
    CODE_RANGE,
    SMOOTHING,
    TINY,
    clusters_of,
    contrastive_clustering,
)

DIM = 16
Loss = Callable[[Tensor, Tensor, str], Tensor]


def benchmark(width: int, height: int, n_masks: int, repeats: int, device: str) -> dict[str, Any]:
    """Return the seconds of forward and backward in three ways, and how far the losses are apart.

    The masks are the cells of a grid, all of about one size, as many as ``n_masks`` or a few more.
    """
    ids = grid(width, height, n_masks).to(device)
    start = torch.randn(height, width, DIM, generator=torch.Generator().manual_seed(0)).to(device)
    ways: dict[str, Loss] = {"vectorised": vectorised, "loop": looped, "written_out": written_out}
    # In turns: a machine that slows down meanwhile slows all of them.
    rounds = [
        {name: _forward_backward(loss, start, ids, device) for name, loss in ways.items()}
        for _ in range(repeats + 1)
    ]
    seconds = {name: statistics.median(r[name][0] for r in rounds[1:]) for name in ways}
    losses = {name: rounds[0][name][1] for name in ways}
    slower = ("loop", "written_out")
    return {
        "protocol": "masks and features in, forward and backward of the contrastive clustering"
        f" loss; in turns, median of {repeats} after one more; loop: mask by mask; written_out:"
        " mask by mask, in it again mask by mask, as Eq. 3 is written; synchronised",
        **measured_on(device),
        "size_px": [width, height],
        "n_masks": len(ids.unique()),
        **{f"{name}_ms": round(1000 * value, 3) for name, value in seconds.items()},
        "times_faster": {n: round(seconds[n] / seconds["vectorised"], 1) for n in slower},
        "losses_differ": max(abs(losses[n] / losses["vectorised"] - 1) for n in slower),
    }


def vectorised(features: Tensor, ids: Tensor, rule: str) -> Tensor:
    """Return the loss as trainings compute it."""
    return contrastive_clustering(features, clusters_of(ids, 0), rule)


def grid(width: int, height: int, n_cells: int) -> Tensor:
    """Return an id map int64 [H, W] of at least so many cells."""
    across = max(1, round((n_cells * width / height) ** 0.5))
    down = -(-n_cells // across)
    columns = torch.arange(width) * across // width
    rows = torch.arange(height) * down // height
    return rows[:, None] * across + columns


def looped(features: Tensor, ids: Tensor, rule: str) -> Tensor:
    """Return the loss by a loop over the masks of an id map int64 [H, W], all of which count."""
    members, means, scales = _by_mask(features, ids, rule)
    total = features.new_zeros(())
    for place, own in enumerate(members):
        similarity = own @ (means * scales[:, None]).T
        total = total - similarity.log_softmax(dim=1)[:, place].sum()
    return total / len(members)


def written_out(features: Tensor, ids: Tensor, rule: str) -> Tensor:
    """Return the loss with both sums over masks as loops, term by term as Eq. 3 is written."""
    members, means, scales = _by_mask(features, ids, rule)
    total = features.new_zeros(())
    for place, own in enumerate(members):
        others = [own @ mean * scale for mean, scale in zip(means, scales, strict=True)]
        total = total - (others[place] - torch.stack(others).logsumexp(dim=0)).sum()
    return total / len(members)


def _by_mask(features: Tensor, ids: Tensor, rule: str) -> tuple[list[Tensor], Tensor, Tensor]:
    """Return the unit features of every mask, their means, and one over their temperatures."""
    unit = F.normalize(features, dim=-1)
    members = [unit[ids == number] for number in ids.unique().tolist() if number != NO_ID]
    means = [own.mean(dim=0) for own in members]
    both = zip(members, means, strict=True)
    scales = [1 / (_temperature(own, mean, rule) + TINY) for own, mean in both]
    return members, torch.stack(means), torch.stack(scales)


def _temperature(features: Tensor, mean: Tensor, rule: str) -> Tensor:
    """Return phi of one mask's unit features [N, D]."""
    count = torch.tensor(len(features) + SMOOTHING, dtype=features.dtype)
    temperature = (features - mean).norm(dim=1).mean().detach() / count.log()
    return (CODE_FACTOR * temperature).clamp(*CODE_RANGE) if rule == "code" else temperature


def _forward_backward(loss: Loss, start: Tensor, ids: Tensor, device: str) -> tuple[float, float]:
    """Return the seconds of one computation, and its loss."""
    features, losses = start.clone().requires_grad_(), []

    def work() -> None:
        losses.append(loss(features, ids, "paper"))
        losses[0].backward()

    return timed(work, device), losses[0].item()
