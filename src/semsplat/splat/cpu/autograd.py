"""The Numba kernels as torch functions of one camera: `Project`, `Harmonics`, `Blend`."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from semsplat.splat.cpu.bins import bin_gaussians, sum_pairs
from semsplat.splat.cpu.blend import blend
from semsplat.splat.cpu.blend_adjoint import blend_adjoint
from semsplat.splat.cpu.harmonics import sh_colors, sh_colors_adjoint
from semsplat.splat.cpu.project import project
from semsplat.splat.cpu.project_adjoint import project_adjoint
from semsplat.splat.cpu.tile import Bins, splat_table


class Camera(NamedTuple):
    """One camera as the kernels want it."""

    viewmat: np.ndarray  # [4, 4] world to camera
    K: np.ndarray  # [3, 3] pixels
    size: tuple[int, int]  # width, height
    planes: tuple[float, float]  # near, far
    eps2d: float
    radius_clip: float


def _numpy(tensor: Tensor) -> np.ndarray:
    return tensor.detach().contiguous().numpy()


def bin_visible(
    radii: Tensor, depths: Tensor, means2d: Tensor, extents: Tensor, camera: Camera
) -> Bins:
    """Sort the visible Gaussians front to back (ties by id) and bin them into tiles."""
    visible = np.flatnonzero(_numpy(radii)[:, 0] > 0)
    order = front_to_back(visible, _numpy(depths), camera.planes[0])
    return Bins(*bin_gaussians(order, _numpy(means2d), _numpy(extents), *camera.size))


def front_to_back(visible: np.ndarray, depths: np.ndarray, near: float) -> np.ndarray:
    """Return the ids of the visible by depth [N], ties by id.

    A positive number of single precision leaves 29 bits of a double free.  With the id in them the
    doubles sort as whole numbers, in a sixth of the time of a stable sort of places.
    """
    if depths.dtype != np.float32 or near < 0 or len(depths) > 2**29:
        return visible[np.argsort(depths[visible], kind="stable")]
    keys = depths[visible].astype(np.float64).view(np.int64) | visible
    keys.sort()
    return keys & (2**29 - 1)


class Project(torch.autograd.Function):
    """(means, quats, scales) -> radii, means2d, depths, conics, extents, ellipses.

    There are gradients of means2d, depths and conics.
    """

    @staticmethod
    def forward(
        ctx: Any, means: Tensor, quats: Tensor, scales: Tensor, opacities: Tensor, camera: Camera
    ) -> tuple[Tensor, ...]:
        """Project N Gaussians; see `semsplat.splat.cpu.project.project`."""
        arrays = [_numpy(t) for t in (means, quats, scales)]
        matrices = camera.viewmat.astype(np.float64), camera.K.astype(np.float64), camera.size
        limits = camera.planes, camera.eps2d, camera.radius_clip
        radii, *values = project(*arrays, _numpy(opacities), *matrices, *limits)
        ctx.saved = (*arrays, *matrices, camera.eps2d, radii)
        sizes, *outputs = (torch.from_numpy(a) for a in (radii, *values))
        ctx.mark_non_differentiable(sizes, *outputs[3:])
        return sizes, *outputs

    @staticmethod
    def backward(
        ctx: Any, _: Any, vmeans2d: Tensor, vdepths: Tensor, vconics: Tensor, *__: Any
    ) -> tuple[Any, ...]:
        """Return the gradients of means, quats and scales."""
        grads = project_adjoint(*ctx.saved, *(_numpy(v) for v in (vmeans2d, vdepths, vconics)))
        return (*(torch.from_numpy(grad) for grad in grads), None, None)


class Harmonics(torch.autograd.Function):
    """(means, coeffs [N, K, 3]) -> colours [N, 3] seen from one camera centre."""

    @staticmethod
    def forward(
        ctx: Any, means: Tensor, coeffs: Tensor, degree: int, centre: np.ndarray, radii: Tensor
    ) -> Tensor:
        """Evaluate the harmonics up to ``degree``; see `semsplat.splat.cpu.harmonics.sh_colors`."""
        arrays = (_numpy(means), centre, _numpy(coeffs), _numpy(radii))
        colors = sh_colors(degree, *arrays)
        ctx.saved = (degree, *arrays, colors)
        return torch.from_numpy(colors)

    @staticmethod
    def backward(ctx: Any, vcolors: Tensor) -> tuple[Any, ...]:
        """Return the gradients of means and coeffs."""
        vmeans, vcoeffs = sh_colors_adjoint(*ctx.saved, _numpy(vcolors))
        return torch.from_numpy(vmeans), torch.from_numpy(vcoeffs), None, None, None


class Blend(torch.autograd.Function):
    """(means2d, conics, colors, opacities) -> image [H, W, D], alpha [H, W]."""

    @staticmethod
    def forward(
        ctx: Any,
        means2d: Tensor,
        conics: Tensor,
        colors: Tensor,
        opacities: Tensor,
        extents: Tensor,
        ellipses: Tensor,
        bins: Bins,
        camera: Camera,
        shaping: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Blend front to back; ``shaping`` [D] is 1 where a channel may move the geometry.

        ``ellipses`` say the same as ``conics``, which take the gradient.
        """
        table = splat_table(*(_numpy(t) for t in (means2d, ellipses, opacities, extents)))
        n_shaping = 1 + np.flatnonzero(_numpy(shaping)).max(initial=-1)
        shaped = _numpy(colors[:, :n_shaping] * shaping[:n_shaping])
        image, alpha, counts = blend(table, _numpy(colors), bins, *camera.size)
        ctx.saved = (table, shaped, bins, alpha, counts)
        return torch.from_numpy(image), torch.from_numpy(alpha)

    @staticmethod
    def backward(ctx: Any, vimage: Tensor, valpha: Tensor) -> tuple[Any, ...]:
        """Return the gradients of means2d, conics, colors and opacities."""
        moves = any(ctx.needs_input_grad[place] for place in (0, 1, 3))
        pairs = blend_adjoint(*ctx.saved, _numpy(vimage), _numpy(valpha), moves)
        table, _, bins, *_ = ctx.saved
        total = torch.from_numpy(sum_pairs(bins.ids, pairs, len(table)))
        return total[:, :2], total[:, 2:5], total[:, 6:], total[:, 5], *[None] * 5
