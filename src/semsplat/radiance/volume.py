"""What a ray shows of its samples: the weights of volume rendering, and where they are large."""

from __future__ import annotations

import torch
from torch import Tensor


def weights_of(densities: Tensor, lengths: Tensor) -> Tensor:
    """Return the weights float32 [R, S] of samples along rays, T_i (1 - exp(-sigma_i delta_i)).

    T_i = exp(-sum_{j<i} sigma_j delta_j) is what reaches sample i (Max 1995; NeRF, Mildenhall et
    al. 2020, Eq. 3).

    Args:
        densities: [R, S] per scene unit, not negative.
        lengths: [R, S] scene units from each sample to the next.
    """
    depths = densities * lengths
    before = depths.cumsum(-1) - depths
    return torch.exp(-before) * (1 - torch.exp(-depths))


def composed(weights: Tensor, values: Tensor) -> Tensor:
    """Return the sum [R, C] of values [R, S, C] of samples by their weights [R, S]."""
    return torch.einsum("rs,rsc->rc", weights, values)


def resampled(edges: Tensor, weights: Tensor, n: int, jitter: Tensor) -> Tensor:
    """Return ``n`` numbers per ray, ascending, drawn where weights are (NeRF, section 5.2).

    The inverse of the piecewise linear distribution function, at strata of equal probability.

    Args:
        edges: [R, S + 1] ascending, of the bins that the weights belong to.
        weights: [R, S], not negative.
        n: numbers per ray.
        jitter: [R, n] in [0, 1), where in its stratum each is; 0.5 for the middle.
    """
    shares = weights + 1e-4
    reached = shares.cumsum(-1) / shares.sum(-1, keepdim=True)
    reached = torch.cat([torch.zeros_like(reached[:, :1]), reached], -1)  # [R, S + 1]
    wanted = (torch.arange(n, device=weights.device) + jitter) / n
    place = torch.searchsorted(reached, wanted, right=True).clamp(1, weights.shape[1])
    low, high = (reached.gather(-1, place - k) for k in (1, 0))
    start, end = (edges.gather(-1, place - k) for k in (1, 0))
    return start + (end - start) * ((wanted - low) / (high - low).clamp(min=1e-9)).clamp(0, 1)


def calmed(values: Tensor, shares: Tensor) -> Tensor:
    """Return values as they are, of whose gradients only shares in [0, 1] go on.

    A camera has many rays through little space before it, so that fog there learns its picture by
    heart (Philip and Deschaintre 2023, Floaters No More, section 4).
    """
    return values * shares + (values * (1 - shares)).detach()


def distortion(weights: Tensor, edges: Tensor) -> Tensor:
    """Return the mean distortion of rays, small where each has its weight in one place.

    sum_ij w_i w_j |m_i - m_j| + 1/3 sum_i w_i^2 d_i, with m the middles and d the lengths of bins
    (mip-NeRF 360, Eq. 15).

    Args:
        weights: [R, S].
        edges: [R, S + 1], ascending, in [0, 1].
    """
    middles, lengths = (edges[:, 1:] + edges[:, :-1]) / 2, edges.diff(dim=-1)
    mass, moment = weights.cumsum(-1) - weights, (weights * middles).cumsum(-1) - weights * middles
    between = 2 * (weights * (middles * mass - moment)).sum(-1)  # of all pairs, sorted
    return (between + (weights.square() * lengths).sum(-1) / 3).mean()
