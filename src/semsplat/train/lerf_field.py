"""LERF's language field: vectors of CLIP at every point and scale (Kerr et al., ICCV 2023).

Section 3 of the paper, with the constants of its code.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from semsplat.params.methods import Radiance
from semsplat.radiance.field import SPREAD, RadianceField
from semsplat.radiance.march import Samples
from semsplat.radiance.planes import Planes
from semsplat.radiance.volume import composed

DELTA = 1.25
"""From which difference on the Huber loss is linear."""


class LerfField(nn.Module):
    """A radiance field, and CLIP's and DINO's vectors of its points.

    ``classes`` [C, D] and ``canonical`` [P, D]: text vectors that class maps are made by; ``unit``:
    scene units in one of the normalised scene, in which scales are told.
    """

    classes: Tensor
    canonical: Tensor
    unit: Tensor
    asked: tuple[int, int, float]
    """Samples of a ray, and how many scales up to which, in normalised units, when it is asked."""

    def __init__(
        self,
        radiance: Radiance,
        components: int,
        cells: Sequence[int],
        hidden: int,
        layers: int,
        dims: tuple[int, int],
        texts: tuple[int, int],
    ) -> None:
        """Make an untrained field.

        Args:
            radiance: of density and colours.
            components: of every grid of the language.
            cells: of these grids, each way.
            hidden: width of CLIP's network.
            layers: hidden layers of it.
            dims: lengths of CLIP's and DINO's vectors; of DINO's 0 where there is none.
            texts: how many classes and canonical phrases there are.
        """
        super().__init__()
        self.radiance = RadianceField(radiance)
        self.grids = nn.ModuleList(Planes(components, size, SPREAD) for size in cells)
        width = 3 * components * len(cells)
        self.placed, self.scale = nn.Linear(width, hidden), nn.Linear(1, hidden, bias=False)
        rest = [
            layer for _ in range(layers - 1) for layer in (nn.ReLU(), nn.Linear(hidden, hidden))
        ]
        self.clip = nn.Sequential(*rest, nn.ReLU(), nn.Linear(hidden, dims[0]))
        self.dino: nn.Sequential | None = None
        if dims[1]:
            out = nn.Linear(hidden, dims[1])
            self.dino = nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), out)
        for name, count in zip(("classes", "canonical"), texts, strict=True):
            self.register_buffer(name, torch.zeros(count, dims[0]))
        self.register_buffer("unit", torch.ones(()))

    def points(self, samples: Samples) -> Tensor:
        """Return the grids' numbers [R, S, W] of samples."""
        inside = samples.inside.reshape(-1, 3)
        return torch.cat([grid(inside) for grid in self.grids], -1).unflatten(
            0, samples.weights.shape
        )

    def vectors(self, placed: Tensor, scales: Tensor, weights: Tensor) -> Tensor:
        """Return CLIP's vectors [R, D] of rays, of length 1.

        A sample's vector is brought to length 1, and so is the sum of a ray's (LERF, Eq. 1 to 3).

        Args:
            placed: [R, S, hidden], what ``placed`` makes of the grids' numbers.
            scales: [R, S] or a scalar, scene units.
            weights: [R, S] of samples; no gradient goes through them.
        """
        told = (scales / self.unit).expand(weights.shape)[..., None]
        each = F.normalize(self.clip(placed + self.scale(told)), dim=-1)
        return F.normalize(composed(weights.detach(), each), dim=-1)

    def keys(self, points: Tensor, weights: Tensor) -> Tensor:
        """Return DINO's vectors [R, C] of rays; they are not brought to length 1."""
        assert self.dino is not None
        return composed(weights.detach(), self.dino(points))

    def at_scales(self, samples: Samples, scales: Tensor) -> Tensor:
        """Return CLIP's vectors [Q, R, D] of rays at scales [Q], in normalised units."""
        placed, rows = self.placed(self.points(samples)), (scales * self.unit).unbind()
        return torch.stack([self.vectors(placed, row, samples.weights) for row in rows])


def sample_scales(share: Tensor, distances: Tensor, fy: Tensor) -> Tensor:
    """Return how large crops are where samples lie, [R, S] in scene units (LERF, section 3.2).

    s x height x distance / fy.

    Args:
        share: s, [R], sides of crops in heights of their image.
        distances: [R, S] along the rays, scene units.
        fy: [R], focal lengths in heights.
    """
    return (share / fy)[:, None] * distances


def drawn_scales(
    n: int, shares: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Return random sizes of crops between those of the pyramid (LERF's code).

    Args:
        n: how many.
        shares: [S], sides of the pyramid's tiles in heights of the image.
        generator: on the CPU.

    Returns:
        int64 [n] the smaller neighbour, uniform; [n] in [0, 1) how far it is on the way to the
        larger, uniform; [n] the size itself.
    """
    lower = torch.randint(len(shares) - 1, (n,), generator=generator)
    share = torch.rand(n, generator=generator)
    return lower, share, torch.lerp(shares[lower], shares[lower + 1], share)


def clip_loss(said: Tensor, target: Tensor) -> Tensor:
    """Return the Huber loss of vectors [R, D], summed over D, the mean over rays (LERF's code)."""
    each = F.huber_loss(said, target, delta=DELTA, reduction="none")
    return each.sum(-1).mean()


def dino_loss(said: Tensor, target: Tensor) -> Tensor:
    """Return the squared difference of vectors [R, C], summed over C, the mean over rays."""
    return (said - target).square().sum(-1).mean()


def unit_of(centres: Tensor) -> float:
    """Return scene units in one of nerfstudio's, whose cameras lie within [-1, 1]^3.

    Args:
        centres: [V, 3], of the training cameras; their mean is nerfstudio's origin.
    """
    return float((centres - centres.mean(0)).abs().max().clamp(min=1e-6))
