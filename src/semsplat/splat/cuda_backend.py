"""`rasterize` on CUDA tensors: stock gsplat's kernels, called one by one."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

from semsplat.splat.channels import with_background
from semsplat.splat.kernels_gpu import load_kernels
from semsplat.splat.request import Request

TILE_PX = 16
AT_ONCE = 32
"""Channels of one call: more do not fit into the shared memory of a tile's threads"""


def rasterize_cuda(request: Request) -> tuple[Tensor, Tensor, dict[str, Any]]:
    """Splat with gsplat's kernels; result as `rasterize`.

    Gaussians are projected and sorted once.  Channels that must not move the geometry are blended
    by a second call on detached projections: gsplat's kernel has no such switch.
    """
    load_kernels()
    projected = _project(request)
    channels = _channels(request).expand(*projected.depths.shape, -1)
    split = channels.shape[-1] if request.geometry_channels is None else request.geometry_channels
    depth = projected.depths[..., None]
    mode, none = request.render_mode, channels[..., :0]
    if mode in ("D", "ED"):
        channels, split = none, 0
    shaping = [channels[..., :split], *([] if mode == "RGB" else [depth])]
    drawn, alpha = _blend(projected, torch.cat(shaping, -1))
    if split < channels.shape[-1]:
        rest, _ = _blend(projected.detached(), channels[..., split:])
        drawn = [*_columns(drawn, 0, split), *rest, *_columns(drawn, split, None)]
    image = torch.cat(drawn, -1)  # once: of hundreds of channels each copy is gigabytes
    image = with_background(image, alpha, request.backgrounds, mode)
    return image, alpha, projected.meta()


class _Projected(NamedTuple):
    """Gaussians in cameras, and the tiles that each touches."""

    means2d: Tensor  # [C, N, 2]
    conics: Tensor  # [C, N, 3]
    opacities: Tensor  # [C, N]
    depths: Tensor  # [C, N]
    radii: Tensor  # int32 [C, N, 2], 0 where nothing is drawn
    offsets: Tensor  # int32 [C, tiles, tiles], where each tile's begin in
    sorted_rows: Tensor  # int32, rows of [C N] by tile and depth
    width: int
    height: int

    def detached(self) -> _Projected:
        """Return the same without gradients."""
        return self._replace(
            means2d=self.means2d.detach(),
            conics=self.conics.detach(),
            opacities=self.opacities.detach(),
        )

    def meta(self) -> dict[str, Any]:
        """Return what density control reads, as gsplat calls it."""
        return {
            "means2d": self.means2d,
            "radii": self.radii,
            "depths": self.depths,
            "conics": self.conics,
            "opacities": self.opacities,
            "gaussian_ids": None,
            "width": self.width,
            "height": self.height,
            "n_cameras": len(self.means2d),
        }


def _project(request: Request) -> _Projected:
    """Project all Gaussians into all cameras and sort them by tile and depth."""
    from gsplat import fully_fused_projection, isect_offset_encode, isect_tiles

    radii, means2d, depths, conics, _ = fully_fused_projection(
        request.means,
        None,
        request.quats,
        request.scales,
        request.viewmats,
        request.Ks,
        request.width,
        request.height,
        eps2d=request.eps2d,
        near_plane=request.near_plane,
        far_plane=request.far_plane,
        radius_clip=request.radius_clip,
        opacities=request.opacities,
    )
    tiles = [math.ceil(pixels / TILE_PX) for pixels in (request.width, request.height)]
    n_cameras = len(request.viewmats)
    _, tile_ids, rows = isect_tiles(means2d, radii, depths, TILE_PX, *tiles, n_images=n_cameras)
    offsets = isect_offset_encode(tile_ids, n_cameras, *tiles)
    opacities = request.opacities.expand(n_cameras, -1)
    size = request.width, request.height
    return _Projected(means2d, conics, opacities, depths, radii, offsets, rows, *size)


def _columns(drawn: list[Tensor], start: int, stop: int | None) -> list[Tensor]:
    """Return some channels of what was drawn in calls of `AT_ONCE`."""
    return [torch.cat(drawn, -1)[..., start:stop]] if drawn else []


def _blend(projected: _Projected, channels: Tensor) -> tuple[list[Tensor], Tensor]:
    """Return channels [C, N, D] blended over zeros, images [C, H, W, AT_ONCE], and alpha."""
    from gsplat import rasterize_to_pixels

    # Of no channels only alpha is asked for; the kernels want one.
    some = channels if channels.shape[-1] else projected.depths[..., None]
    drawn = [
        rasterize_to_pixels(
            projected.means2d,
            projected.conics,
            chunk,
            projected.opacities,
            projected.width,
            projected.height,
            TILE_PX,
            projected.offsets,
            projected.sorted_rows,
        )
        for chunk in some.split(AT_ONCE, dim=-1)
    ]
    images = [image for image, _ in drawn] if channels.shape[-1] else [drawn[0][0][..., :0]]
    return images, drawn[0][1]


def _channels(request: Request) -> Tensor:
    """Return the values to blend, [N, D + E] or, with harmonics, [C, N, D + E]."""
    colors, extra = request.colors, request.extra_signals
    if request.sh_degree is not None:
        from gsplat import spherical_harmonics

        n_cameras = len(request.viewmats)
        inverse, _ = torch.linalg.inv_ex(request.viewmats)  # inv waits for the GPU to say it exists
        centres = inverse[:, :3, 3]
        directions = request.means[None] - centres[:, None]
        coeffs = colors.expand(n_cameras, -1, -1, -1)
        colors = (spherical_harmonics(request.sh_degree, directions, coeffs) + 0.5).clamp_min(0)
        extra = extra if extra is None else extra.expand(n_cameras, -1, -1)
    return colors if extra is None else torch.cat([colors, extra], -1)
