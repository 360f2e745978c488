"""Contrastive clustering of one view's features by the view's own masks (CGC, section 3.2.1).

No loop over masks: sums over them are scatter-adds, and pixels are compared with all of them at
once, some pixels after the others.  A CPU takes `contrast_cpu`'s compiled loops, a GPU PyTorch's
operations.  P stands for the pixels inside masks.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from semsplat.conventions import NO_ID

SMOOTHING = 100.0
"""epsilon of the temperature: a cluster of few pixels would divide by nearly nothing"""
TINY = 1e-6
"""added to a temperature before it divides, as in the official code: equal features have none"""
CODE_FACTOR, CODE_RANGE = 10.0, (0.1, 1.0)
PIXELS_AT_ONCE = 2**18
"""compared with all clusters: what fits into a GPU beside the scene"""


class Clusters(NamedTuple):
    """The masks of a view that are large enough to learn from."""

    pixels: Tensor  # int64 [P], places in the flattened picture
    members: Tensor  # int64 [P], 0 to N - 1
    sizes: Tensor  # int64 [N], pixels of each


def clusters_of(ids: Tensor, more_than_px: float) -> Clusters:
    """Return the masks of an id map int64 [H, W] (-1 = none) with more pixels than that."""
    numbers = ids.flatten() - NO_ID  # none becomes 0
    sizes = numbers.bincount()
    large = sizes > more_than_px
    large[0] = False
    members = torch.where(large, large.cumsum(0) - 1, NO_ID)[numbers]
    pixels = torch.nonzero(members != NO_ID)[:, 0]
    return Clusters(pixels, members[pixels], sizes[large])


def temperatures(distance_sums: Tensor, sizes: Tensor, rule: str) -> Tensor:
    """Return phi^p = sum_q |f_q - f_mean| / (N_p log(N_p + 100)) of every cluster, [N].

    ``rule`` "code": ten times that, between 0.1 and 1, as the official code has it.  Either way no
    gradient flows through it (the code's choice; the paper is silent): scattered clusters, which
    have high temperatures, must not pay.

    Args:
        distance_sums: the sum of |f_q - f_mean| over each cluster's pixels, [N].
        sizes: N_p, [N].
        rule: "paper" or "code".
    """
    counts = sizes.to(distance_sums.dtype)
    scales = distance_sums.detach() / (counts * (counts + SMOOTHING).log())
    return (CODE_FACTOR * scales).clamp(*CODE_RANGE) if rule == "code" else scales


def contrastive_clustering(features: Tensor, clusters: Clusters, rule: str) -> Tensor:
    """Return L_CC (CGC, Eq. 3), summed over pixels and averaged over clusters.

    L_CC = - 1/N sum_p sum_q log [exp(f_q . m_p / phi_p) / sum_s exp(f_q . m_s / phi_s)], where m_p
    is the mean of the unit features of cluster p, not of unit length itself: the cross-entropy of
    telling a pixel's own cluster by its similarity to all means.

    Args:
        features: [H, W, D] as blended; every pixel is brought to length 1.
        clusters: the view's masks.
        rule: see `temperatures`.

    Returns:
        A scalar; 0, with a gradient of zeros, where there is no cluster.
    """
    if len(clusters.sizes) == 0:
        return features.sum() * 0
    compiled = features.device.type == "cpu" and features.dtype == torch.float32
    total: Tensor = (_Compiled.apply if compiled else _summed)(features, clusters, rule)
    return total / len(clusters.sizes)


def _scales(distance_sums: Tensor, sizes: Tensor, rule: str) -> Tensor:
    """Return what multiplies each cluster's similarities, [N, 1]."""
    return (1 / (temperatures(distance_sums, sizes, rule) + TINY))[:, None]


class _Compiled(torch.autograd.Function):
    """`_summed` with its gradient by compiled loops, for a CPU."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, clusters: Clusters, rule: str) -> Tensor:
        """Return the sum; the gradient waits for `backward`."""
        from semsplat.train import contrast_cpu as kernel

        flat = np.ascontiguousarray(features.detach().numpy().reshape(-1, features.shape[-1]))
        pixels, members = clusters.pixels.numpy(), clusters.members.numpy()
        sizes = clusters.sizes[:, None].to(features.dtype).numpy()
        sums = np.zeros((len(sizes), flat.shape[1]), flat.dtype)
        inverse = kernel.inverse_lengths(flat, pixels, members, sums)
        means = sums / sizes
        away = kernel.distance_sums(flat, inverse, pixels, members, means)
        scales = _scales(torch.from_numpy(away), clusters.sizes, rule).numpy()
        vfeatures = np.zeros_like(flat)
        total, vweights = kernel.cross_entropy(
            flat, inverse, pixels, members, means * scales, vfeatures
        )
        vsums = vweights * (scales / sizes)
        kernel.through_length(flat, inverse, pixels, members, vsums, vfeatures)
        ctx.save_for_backward(torch.from_numpy(vfeatures).view_as(features))
        return features.new_tensor(total)

    @staticmethod
    def backward(ctx: Any, v: Tensor) -> tuple[Tensor, None, None]:
        """Return the gradient of the features."""
        return v * ctx.saved_tensors[0], None, None


def _summed(features: Tensor, clusters: Clusters, rule: str) -> Tensor:
    """Return N times the loss, for a GPU and for double precision."""
    n_clusters = len(clusters.sizes)
    unit = F.normalize(features.flatten(0, 1).index_select(0, clusters.pixels), dim=-1)
    sums = unit.new_zeros(n_clusters, unit.shape[1]).index_add(0, clusters.members, unit)
    means = sums / clusters.sizes.to(unit.dtype)[:, None]
    with torch.no_grad():
        away = (unit - means.index_select(0, clusters.members)).norm(dim=-1)
        away = away.new_zeros(n_clusters).index_add(0, clusters.members, away)
        scales = _scales(away, clusters.sizes, rule)
    return _CrossEntropy.apply(unit, means * scales, clusters.members)


class _CrossEntropy(torch.autograd.Function):
    """Sum of - log softmax(W u)[member], with its gradient made in the same pass."""

    @staticmethod
    def forward(ctx: Any, unit: Tensor, weights: Tensor, members: Tensor) -> Tensor:
        """Return the sum over unit [P, D] against weights [N, D]; members int64 [P].

        In powers of two, which cost a third of those of e; divided by their sum are not the
        powers, of N columns, but what is multiplied by them.
        """
        vunit, vweights = torch.empty_like(unit), torch.zeros_like(weights)
        in_base_2, total = (weights / math.log(2)).T, unit.new_zeros(())
        similarity = unit.new_empty(min(PIXELS_AT_ONCE, len(unit)), len(weights))
        parts = (tensor.split(PIXELS_AT_ONCE) for tensor in (unit, members[:, None], vunit))
        for pixels, own, vpixels in zip(*parts, strict=True):
            powers = torch.mm(pixels, in_base_2, out=similarity[: len(pixels)])
            powers -= powers.amax(dim=1, keepdim=True)
            of_own = powers.gather(1, own) * math.log(2)
            sums = powers.exp2_().sum(dim=1, keepdim=True)
            total += (sums.log() - of_own).sum()
            powers.scatter_add_(1, own, -sums)
            torch.mm(powers, weights, out=vpixels).div_(sums)
            vweights.addmm_(powers.T, pixels / sums)
        ctx.save_for_backward(vunit, vweights)
        return total

    @staticmethod
    def backward(ctx: Any, v: Tensor) -> tuple[Tensor, Tensor, None]:
        """Return the gradients of unit and weights."""
        vunit, vweights = ctx.saved_tensors
        return v * vunit, v * vweights, None
