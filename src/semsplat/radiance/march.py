"""Where rays are sampled: evenly at first, then where the density is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from semsplat.radiance.field import RadianceField
from semsplat.radiance.space import Rays, spaced
from semsplat.radiance.volume import calmed, composed, resampled, weights_of

FAR = 0.999
"""The last number of a ray, see `spaced`: by then it is a hundred times out of the box or more."""
AT_ONCE = 4096
"""Rays that are drawn together."""
TINY = 1e-8


@dataclass(frozen=True, eq=False)
class Samples:
    """Samples of rays, in order.

    ``edges`` [R, S + 1] in [0, 1] where bins begin and end, see `spaced`; ``distances`` [R, S] in
    scene units, of their middles; ``inside`` [R, S, 3], see `RadianceField.inside`; ``weights``
    [R, S].
    """

    edges: Tensor
    distances: Tensor
    inside: Tensor
    weights: Tensor

    def heaviest(self, n: int) -> Samples:
        """Return the ``n`` samples of every ray with the largest weights, of which nobody learns.

        They have no edges; a ray of fewer samples has all of them.
        """
        n = min(n, self.weights.shape[1])
        weights, which = self.weights.detach().topk(n, dim=-1)
        inside = self.inside.gather(1, which[..., None].expand(-1, -1, 3))
        return Samples(self.edges[:, :0], self.distances.gather(1, which), inside, weights)


def sampled(field: RadianceField, rays: Rays, generator: torch.Generator | None) -> Samples:
    """Return the fine samples of rays, where even ones found density.

    The first look is without gradients; bins beside one with weight get a share of it.
    ``generator`` moves samples within their strata; without one they stand in the middle, as when
    views are drawn.
    """
    options, n, device = field.options, len(rays), rays.origins.device
    ends = leaves(field, rays)
    even = torch.linspace(0, FAR, options.coarse + 1, device=device).expand(n, -1)
    jitter = torch.full((n, options.fine + 2), 0.5, device=device)
    if generator is not None:
        jitter = torch.rand(n, options.fine + 2, generator=generator).to(device)
        moved = FAR / options.coarse * (jitter[:, -1:] - 0.5)
        even = torch.cat([even[:, :1], even[:, 1:-1] + moved, even[:, -1:]], -1)
    with torch.no_grad():
        found = _looked(field, rays, even, ends).weights
        near = (F.max_pool1d(found[:, None], 3, 1, 1)[:, 0] + found) / 2
    edges = resampled(even, near, options.fine + 1, jitter[:, :-1])
    return _looked(field, rays, edges, ends)


def seen_colours(field: RadianceField, rays: Rays, samples: Samples) -> Tensor:
    """Return the colours [R, 3] that rays see, black where nothing stops them."""
    n, s = samples.weights.shape
    directions = rays.directions[:, None].expand(-1, s, -1).reshape(-1, 3)
    colours = field.colours(samples.inside.reshape(-1, 3), directions).view(n, s, 3)
    return composed(samples.weights, colours)


def seen_depth(rays: Rays, samples: Samples) -> tuple[Tensor, Tensor]:
    """Return z of the camera [R] that rays expect, scene units, and what of each is stopped [R]."""
    opacity = samples.weights.sum(-1)
    distance = (samples.weights * samples.distances).sum(-1) / opacity.clamp(min=TINY)
    return distance / rays.per_depth, opacity


def portions(rays: Rays) -> Iterator[Rays]:
    """Yield rays in their order, so many at once as fit in memory."""
    for start in range(0, len(rays), AT_ONCE):
        yield rays[start : start + AT_ONCE]


def leaves(field: RadianceField, rays: Rays) -> Tensor:
    """Return the distance [R] at which rays leave the box, its size for those that never do."""
    start, speed = (rays.origins - field.middle) / field.reach, rays.directions / field.reach
    speed = torch.where(speed.abs() < TINY, TINY, speed)
    away = torch.maximum((1 - start) / speed, (-1 - start) / speed).amin(-1)
    return torch.where(away > 0, away, field.size)


def _looked(field: RadianceField, rays: Rays, edges: Tensor, ends: Tensor) -> Samples:
    """Return the samples in the middles of bins; gradients of near densities are calmed."""
    options = field.options
    near = options.near * field.size
    reach = (ends - near).clamp(min=float(near))[:, None]
    bounds = near + spaced(edges, options.inner_share) * reach
    distances, lengths = (bounds[:, 1:] + bounds[:, :-1]) / 2, bounds.diff(dim=-1)
    points = rays.origins[:, None] + distances[..., None] * rays.directions[:, None]
    inside = field.inside(points)
    densities = field.density(inside.reshape(-1, 3)).view(distances.shape)
    shares = (distances / (options.calm * field.size)).square().clamp(max=1)
    return Samples(edges, distances, inside, weights_of(calmed(densities, shares), lengths))
