"""Ids of tracked things on Gaussians (Gaussian Grouping, Ye et al., ECCV 2024, by its code)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from semsplat.conventions import NO_ID
from semsplat.features.teachers import Ids
from semsplat.train.linear import Linear

WITHOUT = 0
"""The id of pixels in no track, or in one that is too small for an id of its own: a class too."""
LOG_FLOOR = 1e-10
"""What the code adds to a probability before its logarithm."""


class Ranking(NamedTuple):
    """The tracks that have an id of their own."""

    kept: NDArray[np.int64]  # the largest first; the i-th has id i + 1
    n_tracks: int  # of all
    share_without: float  # of the pixels of all views, in [0, 1], whose id is `WITHOUT`


def rank_tracks(views: Iterable[Ids], classes: int) -> Ranking:
    """Return the ``classes - 1`` tracks with the most pixels over all views [H, W], -1 for none.

    Of equally large ones the first.  The tracker of the paper numbers at most 255 objects; one that
    loses objects and finds them again as others has more.
    """
    sizes, n_pixels = np.zeros(0, np.int64), 0
    for tracks in views:
        counts = np.bincount(tracks[tracks != NO_ID].astype(np.int64), minlength=len(sizes))
        counts[: len(sizes)] += sizes
        sizes, n_pixels = counts, n_pixels + tracks.size
    order = np.argsort(-sizes, kind="stable")
    kept = order[sizes[order] > 0][: classes - 1]
    without = 1.0 - float(sizes[kept].sum()) / max(n_pixels, 1)
    return Ranking(kept, int((sizes > 0).sum()), without)


def ids_of(tracks: Ids, kept: NDArray[np.int64]) -> Ids:
    """Return a view's ids int32 [H, W]: 1 + rank of its tracks [H, W], `WITHOUT` for others."""
    number = np.full(max(int(tracks.max()), int(kept.max(initial=-1))) + 2, WITHOUT, np.int32)
    number[kept] = 1 + np.arange(len(kept))
    return number[tracks]  # NO_ID reads the last


class Classifier(nn.Module):
    """The 1x1 convolution with bias that makes scores of K ids of 16 blended numbers."""

    tracks: Tensor
    thresholds: Tensor

    def __init__(self, dim: int, classes: int) -> None:
        """Hold room for ``tracks`` int64 [K - 1], those with ids, -1 for none; and two thresholds.

        ``thresholds`` [2]: share of a class's area, and probability (`chosen_ids`, `selected`).
        """
        super().__init__()
        self.scores = Linear(dim, classes)
        self.register_buffer("tracks", torch.full((classes - 1,), NO_ID))
        self.register_buffer("thresholds", torch.zeros(2))

    def forward(self, blended: Tensor) -> Tensor:
        """Return scores [..., K] of [..., dim]."""
        scores: Tensor = self.scores(blended)
        return scores


def identity_loss(scores: Tensor, ids: Tensor) -> Tensor:
    """Return L_2D (Gaussian Grouping, train.py): the mean cross-entropy of all pixels over ln K.

    Args:
        scores: [H, W, K], logits.
        ids: int64 [H, W], 0 to K - 1; `WITHOUT` is a class like others.
    """
    entropy = F.cross_entropy(scores.flatten(0, 1), ids.flatten())
    return entropy / float(np.log(scores.shape[-1]))


def neighbour_divergence(own: Tensor, near: Tensor) -> Tensor:
    """Return the mean over pairs of KL(p_j || p_i), over K (utils/loss_utils.py, loss_cls_3d).

    The divergence is sum_c p_j (log(p_j + 1e-10) - log(p_i + 1e-10)); gradients reach both sides.

    Args:
        own: logits [M, K] of the Gaussians j that were drawn.
        near: logits [M, k, K] of the k Gaussians i that are closest to each.
    """
    drawn, others = own.softmax(dim=-1)[:, None], near.softmax(dim=-1)
    logs = (drawn + LOG_FLOOR).log() - (others + LOG_FLOOR).log()
    return (drawn * logs).sum(dim=-1).mean() / own.shape[-1]


def chosen_ids(classes: Tensor, mask: Tensor, n_classes: int, share: Tensor) -> Tensor:
    """Return the ids that a mask selects, bool [K]: whose area is inside by more than a share.

    It is the share of the class's own area, |class and mask| / |class| (render_lerf_mask.py); the
    id of pixels without one can be selected too.

    Args:
        classes: int64 [H, W], a view's most probable ids.
        mask: bool [H, W].
        n_classes: K.
        share: scalar in [0, 1].
    """
    areas = torch.bincount(classes.flatten(), minlength=n_classes)
    inside = torch.bincount(classes[mask], minlength=n_classes)
    return inside / areas.clamp(min=1) > share


def selected(scores: Tensor, ids: Tensor, probability: Tensor) -> Tensor:
    """Return where any of the selected ids is more probable than a threshold, bool [P, H, W].

    Args:
        scores: logits [H, W, K].
        ids: bool [P, K], the ids of each prompt; one without ids selects nothing.
        probability: scalar in [0, 1].
    """
    probable = (scores.softmax(dim=-1) > probability).float()
    return torch.einsum("hwk,pk->phw", probable, ids.float()) > 0
