"""A radiance field: density and view-dependent colour of points."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn import Linear, Module, ReLU, Sequential

from semsplat.params.methods import Radiance
from semsplat.radiance.planes import Planes
from semsplat.radiance.space import contracted
from semsplat.splat.cpu.harmonics import C0, C1, C2

SPREAD = 0.1
"""Standard deviation of planes and lines at the start (TensoRF's code)."""
SHIFT, STEEP = 5.0, 150.0
"""Densities are ``STEEP`` softplus(s - ``SHIFT``) per half diagonal of the box, with s the sum of
products: thin fog at the start, a wall when s has grown by a few units.  With a steepness of 25,
TensoRF's in its own units, kept back training views of ``rates/study`` have 26.9 dB after 600 steps
of 1,024 rays, with this 28.6."""
VIEW_NUMBERS = 9
"""Harmonics of the viewing direction up to degree 2."""


class RadianceField(Module):
    """Density and colour in a box and around it.

    Everything that a trained field needs is in its state: the box too, which `bound` sets.
    """

    middle: Tensor
    reach: Tensor

    def __init__(self, options: Radiance) -> None:
        """Make an untrained field in the box [-1, 1]^3; the seed decides its numbers."""
        super().__init__()
        self.options = options
        self.density_grid = Planes(options.density, options.cells, SPREAD)
        self.colour_grid = Planes(options.colours, options.cells, SPREAD)
        inputs, hidden = self.colour_grid.width + VIEW_NUMBERS, options.hidden
        self.colour = Sequential(
            Linear(inputs, hidden), ReLU(), Linear(hidden, hidden), ReLU(), Linear(hidden, 3)
        )
        self.register_buffer("middle", torch.zeros(3))
        self.register_buffer("reach", torch.ones(3))

    def bound(self, middle: Tensor, reach: Tensor) -> None:
        """Take the box of a scene: its centre [3] and half its sides [3]."""
        self.middle.copy_(middle)
        self.reach.copy_(reach)

    @property
    def size(self) -> Tensor:
        """Half the diagonal of the box, in scene units."""
        return self.reach.norm()

    def inside(self, points: Tensor) -> Tensor:
        """Return points [..., 3] of the scene as numbers in [-1, 1]^3; see `contracted`."""
        return contracted((points - self.middle) / self.reach, self.options.inner_share)

    def density(self, inside: Tensor) -> Tensor:
        """Return densities [N] per scene unit at numbers [N, 3] of `inside`."""
        return STEEP / self.size * F.softplus(self.density_grid(inside).sum(-1) - SHIFT)

    def colours(self, inside: Tensor, directions: Tensor) -> Tensor:
        """Return colours [N, 3] in (0, 1) at numbers of `inside`, seen along directions [N, 3]."""
        seen = torch.cat([self.colour_grid(inside), harmonics(directions)], -1)
        said: Tensor = self.colour(seen)
        return said.sigmoid()


def harmonics(d: Tensor) -> Tensor:
    """Return the real spherical harmonics up to degree 2 [N, 9] of unit vectors [N, 3]."""
    x, y, z = d.unbind(-1)
    second = [x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y]
    scales = (C2[0], C2[0], C2[1], C2[0], C2[2])
    first = [torch.full_like(x, C0), *(C1 * v for v in (y, z, x))]
    return torch.stack([*first, *(s * v for s, v in zip(scales, second, strict=True))], -1)
