"""`rasterize` on CPU tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from semsplat.splat.channels import shaping_mask, with_background, with_depth
from semsplat.splat.cpu.autograd import Bins, Blend, Camera, Harmonics, Project, bin_visible
from semsplat.splat.cpu.bins import TILE
from semsplat.splat.request import Request


def rasterize_cpu(request: Request) -> tuple[Tensor, Tensor, dict[str, Any]]:
    """Splat on the CPU, one camera after the other; result as `rasterize`."""
    planes = (request.near_plane, request.far_plane)
    limits = ((request.width, request.height), planes, request.eps2d, request.radius_clip)
    matrices = zip(request.viewmats.contiguous(), request.Ks.contiguous(), strict=True)
    cameras = [Camera(V.numpy(), K.numpy(), *limits) for V, K in matrices]
    shape = (request.means, request.quats, request.scales, request.opacities)
    projected = [Project.apply(*shape, camera) for camera in cameras]
    stacked = (_stack(t) for t in zip(*projected, strict=True))
    radii, means2d, depths, conics, extents, ellipses = stacked
    images, alphas, pairs = [], [], []
    for c, camera in enumerate(cameras):
        channels = _channels(request, camera, radii[c])
        shaping = shaping_mask(channels, request.geometry_channels)
        channels, shaping = with_depth(channels, shaping, depths[c], request.render_mode)
        radii[c][~torch.isfinite(channels.detach().sum(1))] = 0  # it would spoil all it touches
        bins = bin_visible(radii[c], depths[c], means2d[c], extents[c], camera)
        image, alpha = Blend.apply(
            means2d[c],
            conics[c],
            channels,
            request.opacities,
            extents[c],
            ellipses[c],
            bins,
            camera,
            shaping,
        )
        images.append(image)
        alphas.append(alpha)
        pairs.append(bins)
    image, alpha = _stack(images), _stack(alphas)[..., None]
    projection = {"radii": radii, "means2d": means2d, "depths": depths, "conics": conics}
    image = with_background(image, alpha, request.backgrounds, request.render_mode)
    return image, alpha, {**projection, **_meta(request, pairs)}


def _stack(tensors: Sequence[Tensor]) -> Tensor:
    """Return the tensors of all cameras along a new first axis; that of one is not copied."""
    return torch.stack(list(tensors)) if len(tensors) > 1 else tensors[0][None]


def _channels(request: Request, camera: Camera, radii: Tensor) -> Tensor:
    """Return the values to blend [N, D + E] for one camera."""
    colors = request.colors
    if request.sh_degree is not None:
        centre = -camera.viewmat[:3, :3].T @ camera.viewmat[:3, 3]
        colors = Harmonics.apply(request.means, colors, request.sh_degree, centre, radii)
    extra = request.extra_signals
    return colors if extra is None else torch.cat([colors, extra], dim=-1)


def _meta(request: Request, pairs: list[Bins]) -> dict[str, Any]:
    """Return gsplat's meta keys beyond the projection."""
    n_cameras = len(request.viewmats)
    return {
        "batch_ids": None,
        "camera_ids": None,
        "gaussian_ids": None,
        "opacities": request.opacities.expand(n_cameras, -1),
        "tile_width": -(-request.width // TILE),
        "tile_height": -(-request.height // TILE),
        "tile_size": TILE,
        "isect_offsets": [torch.from_numpy(p.offsets) for p in pairs],
        "flatten_ids": [torch.from_numpy(p.ids) for p in pairs],
        "width": request.width,
        "height": request.height,
        "n_batches": 1,
        "n_cameras": n_cameras,
    }
