"""The rays of one view, and what pixels say given back to the Gaussians that their rays count.

gsplat 1.5 does not tell the weights along a ray, so that this is done by the CPU's kernels wherever
the Gaussians are; what comes back is on their device.
"""

from __future__ import annotations

from inspect import signature

import numpy as np
import torch
from torch import Tensor
from torch.nn import ParameterDict

from semsplat.splat.cpu.autograd import Camera, Project, bin_visible
from semsplat.splat.cpu.bins import sum_pairs
from semsplat.splat.cpu.gate import gated_sums, ray_gates
from semsplat.splat.cpu.tile import splat_table
from semsplat.splat.gaussians import activated
from semsplat.splat.rasterizer import rasterize

DEFAULTS = {name: one.default for name, one in signature(rasterize).parameters.items()}
"""Of what `rasterize` is told: the same Gaussians are seen."""


class GatedRays:
    """The rays of a view of N Gaussians, each with its largest weights up to a share of their sum.

    `share` is in (0, 1]; of 1 all weights count, and `adjoint` is `semsplat.fit.adjoint`'s.
    """

    @torch.no_grad()
    def __init__(
        self,
        gaussians: ParameterDict | dict[str, Tensor],
        viewmat: Tensor,  # [4, 4] world to camera
        K: Tensor,  # [3, 3] px
        size: tuple[int, int],  # width, height
        share: float,
    ) -> None:
        """Project the Gaussians and find every pixel's gate."""
        means, quats, scales, opacities = (one.cpu() for one in activated(gaussians))
        limits = (DEFAULTS["near_plane"], DEFAULTS["far_plane"])
        matrices = viewmat.cpu().numpy(), K.cpu().numpy()
        camera = Camera(*matrices, size, limits, DEFAULTS["eps2d"], DEFAULTS["radius_clip"])
        projected = Project.apply(means, quats, scales, opacities, camera)
        radii, means2d, depths, _, extents, ellipses = projected
        arrays = (one.numpy() for one in (means2d, ellipses, opacities, extents))
        self.table = splat_table(*arrays)
        self.bins = bin_visible(radii, depths, means2d, extents, camera)
        self.gates: np.ndarray = ray_gates(self.table, self.bins, *size, share)

    def adjoint(self, picture: Tensor) -> Tensor:
        """Return sum_p w_gp f_p of every Gaussian, [N, E], over the pixels that count it.

        ``picture``: f, [H, W, E].
        """
        values = picture.cpu().contiguous().numpy()
        sums = gated_sums(self.table, self.bins, self.gates, values)
        total = sum_pairs(self.bins.ids, np.ascontiguousarray(sums), len(self.table))
        return torch.from_numpy(total).to(picture.device)
