"""The trainable Gaussians: a `ParameterDict` in gsplat's layout, its activations and its start.

Keys (N Gaussians): ``means`` [N, 3], ``quats`` [N, 4] wxyz, ``scales`` [N, 3] logarithms,
``opacities`` [N] logits, ``sh0`` [N, 1, 3], ``shN`` [N, 15, 3].  Methods add further keys with N
rows; gsplat's strategy splits, clones and prunes them along.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor
from torch.nn import Parameter, ParameterDict

from semsplat.errors import SemsplatError
from semsplat.splat.cpu.harmonics import C0
from semsplat.splat.rasterizer import rasterize

SH_COEFFICIENTS = 16
"""Coefficients per colour of degree 3, always stored; training raises the degree that is used."""

NEIGHBOURS = 3
"""The first scale is the root mean square distance to this many neighbours (3DGS)."""

SMALLEST_SCALE = 1.0e-3
"""Of the extent: duplicate points would otherwise start with no size at all."""


def gaussians_from_points(
    xyz: np.ndarray,  # [N, 3] world units
    rgb: np.ndarray,  # [N, 3] uint8
    opacity: float,
    extent: float,
    generator: torch.Generator,
) -> ParameterDict:
    """Return isotropic Gaussians at the points (3DGS, section 5.1; quaternions at random)."""
    if len(xyz) <= NEIGHBOURS:
        raise SemsplatError(
            f"initialisation: {len(xyz)} points, {NEIGHBOURS + 1} are needed; use source: random"
        )
    distances = cKDTree(xyz).query(xyz, NEIGHBOURS + 1)[0][:, 1:]
    scale = np.maximum(np.sqrt((distances**2).mean(1)), SMALLEST_SCALE * extent)
    n = len(xyz)
    sh0 = (torch.from_numpy(rgb).float() / 255 - 0.5) / C0
    tensors = {
        "means": torch.from_numpy(xyz).float(),
        "quats": torch.randn(n, 4, generator=generator),
        "scales": torch.from_numpy(np.log(scale)).float()[:, None].repeat(1, 3),
        "opacities": torch.full((n,), opacity).logit(),
        "sh0": sh0[:, None],
        "shN": torch.zeros(n, SH_COEFFICIENTS - 1, 3),
    }
    return ParameterDict({key: Parameter(value) for key, value in tensors.items()})


def random_points(
    n: int, centre: np.ndarray, extent: float, generator: torch.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return n points in the cube of half side ``extent`` around ``centre``, colours at random.

    This is gsplat's and 3DGS's start for scenes without points.
    """
    xyz = (torch.rand(n, 3, generator=generator) * 2 - 1).numpy() * extent + centre
    rgb = (torch.rand(n, 3, generator=generator) * 255).byte().numpy()
    return xyz, rgb


def chosen(
    gaussians: ParameterDict | dict[str, Tensor],
    members: Tensor,  # bool [N]
) -> dict[str, Tensor]:
    """Return some of the Gaussians, with all that they hold."""
    return {key: value[members] for key, value in gaussians.items()}


Shapes = tuple[Tensor, Tensor, Tensor, Tensor]
"""means [N, 3], quats [N, 4], scales [N, 3] and opacities [N] as `rasterize` takes them."""


def activated(gaussians: ParameterDict | dict[str, Tensor]) -> Shapes:
    """Return the shapes with their activations applied."""
    scales, opacities = torch.exp(gaussians["scales"]), torch.sigmoid(gaussians["opacities"])
    return gaussians["means"], gaussians["quats"], scales, opacities


def splat(
    gaussians: ParameterDict | dict[str, Tensor],
    viewmats: Tensor,  # [C, 4, 4]
    Ks: Tensor,  # [C, 3, 3]
    width: int,
    height: int,
    sh_degree: int,
    **options: Any,
) -> tuple[Tensor, Tensor, dict[str, Any]]:
    """`rasterize` the activated parameters in their colours; ``options`` go to `rasterize`."""
    harmonics = torch.cat([gaussians["sh0"], gaussians["shN"]], 1)
    cameras = viewmats, Ks, width, height
    return rasterize(*activated(gaussians), harmonics, *cameras, sh_degree=sh_degree, **options)


def splat_values(
    gaussians: ParameterDict | dict[str, Tensor],
    values: Tensor,  # [N, D]
    viewmats: Tensor,  # [C, 4, 4]
    Ks: Tensor,  # [C, 3, 3]
    width: int,
    height: int,
) -> tuple[Tensor, Tensor, dict[str, Any]]:
    """`rasterize` values of any number of channels in the place of colours, over zeros."""
    return rasterize(*activated(gaussians), values, viewmats, Ks, width, height)
