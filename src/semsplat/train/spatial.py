"""Spatial-similarity regularisation: close Gaussians alike, far ones not (CGC, section 3.2.2)."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, KDTree, QhullError
from scipy.spatial.distance import cdist
from torch import Tensor

from semsplat.fit.inputs import sent

Points = NDArray[np.float64]
Places = NDArray[np.int64]
DISTANCES_AT_ONCE = 2**25
"""in double precision on a GPU: 256 MiB"""


class Sample(NamedTuple):
    """Gaussians drawn at random with those that they are compared with."""

    chosen: Tensor  # int64 [M]
    near: Tensor  # int64 [M, K], the closest others
    far: Tensor  # int64 [M, L], the farthest


def draw_sample(
    means: Tensor,
    n_samples: int,
    pool: int,
    n_near: int,
    n_far: int,
    with_itself: bool,
    random: np.random.Generator,
) -> Sample:
    """Return a random sample of Gaussians, its closest and its farthest ones.

    Args:
        means: [N, 3]; detached, nothing moves them.
        n_samples: M; all of the pool where it has fewer.
        pool: neighbours are searched among so many Gaussians, drawn at random (official code).
        n_near: K.
        n_far: L.
        with_itself: the closest one is the Gaussian itself (official code).
        random: draws both.
    """
    if means.is_cuda:
        there = _drawn_there(means, pool, random)
        return Sample(
            there.members[:n_samples],
            there.closest(n_samples, n_near, with_itself),
            there.farthest(n_samples, n_far),
        )
    members, points, chosen = _drawn(means, n_samples, pool, random)
    near = _closest(points, chosen, n_near, with_itself)
    far = farthest(points, chosen, min(n_far, len(points)))
    return Sample(*(torch.from_numpy(members[p]) for p in (chosen, near, far)))


def draw_near(
    means: Tensor,
    n_samples: int,
    pool: int,
    n_near: int,
    with_itself: bool,
    random: np.random.Generator,
) -> tuple[Tensor, Tensor]:
    """Return ``chosen`` [M] and ``near`` [M, K] of `draw_sample`, without the farthest ones."""
    if means.is_cuda:
        there = _drawn_there(means, pool, random)
        return there.members[:n_samples], there.closest(n_samples, n_near, with_itself)
    members, points, chosen = _drawn(means, n_samples, pool, random)
    near = _closest(points, chosen, n_near, with_itself)
    return torch.from_numpy(members[chosen]), torch.from_numpy(members[near])


def _drawn(
    means: Tensor, n_samples: int, pool: int, random: np.random.Generator
) -> tuple[Places, Points, Places]:
    """Return the pool's Gaussians, where these are, and which of them are the samples."""
    points = means.detach().double().numpy()
    members = random.permutation(len(points))[:pool]
    return members, points[members], np.arange(min(n_samples, len(members)))  # drawn already


class _There(NamedTuple):
    """A pool on a GPU, which measures all distances; the samples are the first of it."""

    members: Tensor  # int64 [P]
    points: Tensor  # float64 [P, 3], as a CPU ranks them

    def closest(self, count: int, n_near: int, with_itself: bool) -> Tensor:
        """Return the Gaussians closest to each of the first ones, [M, n_near]; as `_closest`."""
        last = len(self.points) - 1
        wanted = [min(i + (0 if with_itself else 1), last) for i in range(n_near)]
        ranked = self._ranked(count, wanted[-1] + 1, largest=False)
        return torch.stack([ranked[:, place] for place in wanted], dim=1)

    def farthest(self, count: int, n_far: int) -> Tensor:
        """Return the Gaussians farthest from each of the first ones, [M, n_far]."""
        return self._ranked(count, min(n_far, len(self.points)), largest=True)

    def _ranked(self, count: int, n: int, largest: bool) -> Tensor:
        found = [
            torch.cdist(some, self.points, compute_mode="donot_use_mm_for_euclid_dist")
            .topk(n, largest=largest)
            .indices
            for some in self.points[:count].split(max(1, DISTANCES_AT_ONCE // len(self.points)))
        ]
        return self.members[torch.cat(found)]


def _drawn_there(means: Tensor, pool: int, random: np.random.Generator) -> _There:
    """Return the pool's Gaussians on the GPU that has them, which nobody waits for.

    Of more than the pool holds they are drawn in a tenth of the time of a CPU's permutation, so
    that they are others than a CPU's.
    """
    n = len(means)
    drawn = random.choice(n, pool, replace=False) if n > pool else random.permutation(n)
    members = sent(drawn, "cuda")
    return _There(members, means.detach()[members].double())


def _closest(points: Points, chosen: Places, n_near: int, with_itself: bool) -> Places:
    """Return the points closest to each chosen one, [M, n_near]."""
    wanted = np.arange(n_near) + (0 if with_itself else 1)
    near: Places = KDTree(points).query(points[chosen], np.minimum(wanted, len(points) - 1) + 1)[1]
    return near


def farthest(points: Points, chosen: Places, count: int) -> Places:
    """Return the ``count`` points farthest from each chosen one, [M, count], the farthest first.

    The n-th farthest point from anywhere lies on one of the first n convex hulls of the set, each
    the hull of what the earlier ones leave; only those are measured.
    """
    rest = np.arange(len(points))
    hulls: list[Places] = []
    try:
        while len(hulls) < count and len(rest):
            corners = ConvexHull(points[rest]).vertices
            hulls.append(rest[corners])
            rest = np.delete(rest, corners)
    except QhullError:  # few points are left, or all lie in one plane
        hulls.append(rest)
    candidates = np.concatenate(hulls)
    distances = cdist(points[chosen], points[candidates])
    order = np.argsort(-distances, axis=1, kind="stable")[:, :count]
    return candidates[order]


def similarity_terms(
    features: Tensor, sample: Sample, sigmoid_of: Literal["each", "mean"]
) -> tuple[Tensor, Tensor]:
    """Return the mean of H(1 - cos) over near pairs and of H(cos) over far ones (CGC, Eq. 4).

    H is the sigmoid, so the first lies in [0.5, 0.881], the second in [0.269, 0.731].

    Args:
        features: [N, D], of any length.
        sample: what is compared.
        sigmoid_of: "each" pair's value as in Eq. 4, or the "mean" cosine as in the official code.
    """
    own = F.normalize(features[sample.chosen], dim=-1)[:, None]
    near, far = (
        (own * F.normalize(features[others], dim=-1)).sum(dim=-1)
        for others in (sample.near, sample.far)
    )
    if sigmoid_of == "mean":
        near, far = near.mean(), far.mean()
    return torch.sigmoid(1 - near).mean(), torch.sigmoid(far).mean()
