"""A stand-in for gsplat's compiled kernels: all of gsplat above them runs as it is.

Projection and harmonics are gsplat's own formulas in Torch; blending is Eq. 3 of 3DGS for every
pixel.  Like the kernels it asks for contiguous tensors on the GPU, and leaves whatever it likes in
the rows of Gaussians that it culls: NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple
from unittest.mock import patch

import torch
from gsplat.cuda import _torch_impl as formulas
from gsplat.cuda import _wrapper as wrapper
from torch import Tensor
from torch.utils._pytree import tree_map_only

from tests.pretend_cuda import device
from tests.pretend_cuda.device import Pretended

WIDEST = 3.33  # standard deviations that a Gaussian reaches at most
FAINTEST = 1 / 255
OPAQUEST = 0.999
PASSED = 1e-4  # of the light; a Gaussian that leaves less is not drawn, and none behind it


class Seen(NamedTuple):
    """Gaussians in cameras."""

    means: Tensor  # [C, N, 2]
    depths: Tensor  # [C, N]
    conics: Tensor  # [C, N, 3]
    variances: Tensor  # [C, N, 2]


def seen(means: Tensor, quats: Tensor, scales: Tensor, camera: tuple[Any, ...]) -> Seen:
    """Project; ``camera`` is viewmats, Ks, width, height and eps2d."""
    viewmats, Ks, width, height, eps2d = camera
    covars, _ = formulas._quat_scale_to_covar_preci(quats, scales, True, False)
    in_camera = formulas._world_to_cam(means, covars, viewmats)
    flat, covars = formulas._persp_proj(*in_camera, Ks, width, height)
    covars = covars + eps2d * torch.eye(2, dtype=covars.dtype)
    a, b, c = covars[..., 0, 0], covars[..., 0, 1], covars[..., 1, 1]
    conics = torch.stack([c, -b, a], -1) / (a * c - b * b)[..., None]
    return Seen(flat, in_camera[0][..., 2], conics, torch.stack([a, c], -1))


def projection_ewa_3dgs_fused_fwd(
    means: Tensor, covars: None, quats: Tensor, scales: Tensor, opacities: Tensor,
    viewmats: Tensor, Ks: Tensor, width: int, height: int, eps2d: float, near: float, far: float,
    clip: float, *_: Any,
) -> tuple[Tensor, ...]:  # fmt: skip
    one = seen(means, quats, scales, (viewmats, Ks, width, height, eps2d))
    reach = (2 * (opacities / FAINTEST).log()).clamp(min=0).sqrt().clamp(max=WIDEST)[..., None]
    radii = (reach * one.variances.sqrt()).ceil()
    low, high = one.means + radii > 0, one.means - radii < torch.tensor([width, height])
    drawn = low.all(-1) & high.all(-1) & (one.depths >= near) & (one.depths <= far)
    drawn &= (opacities >= FAINTEST) & (radii > clip).any(-1)
    kept = [torch.where(drawn[..., None], value, torch.nan) for value in (one.means, one.conics)]
    depths = torch.where(drawn, one.depths, torch.nan)
    return (radii * drawn[..., None]).int(), kept[0], depths, kept[1], torch.zeros(0)


def projection_ewa_3dgs_fused_bwd(
    means: Tensor, covars: None, quats: Tensor, scales: Tensor, viewmats: Tensor, Ks: Tensor,
    width: int, height: int, eps2d: float, camera_model: str, radii: Tensor, conics: Tensor,
    compensations: None, v_means: Tensor, v_depths: Tensor, v_conics: Tensor, *_: Any,
) -> tuple[Tensor | None, ...]:  # fmt: skip
    drawn = (radii > 0).all(-1)
    with torch.enable_grad():
        leaves = [t.detach().clone().requires_grad_() for t in (means, quats, scales)]
        one = seen(*leaves, (viewmats, Ks, width, height, eps2d))
        pairs = (one.means, v_means), (one.depths[..., None], v_depths[..., None])
        total = sum(
            (value[drawn] * gradient[drawn]).sum()
            for value, gradient in (*pairs, (one.conics, v_conics))
        )
        found = torch.autograd.grad(total, leaves)
    return found[0], None, found[1], found[2], None


def intersect_tile(
    means: Tensor, radii: Tensor, depths: Tensor, *_: Any
) -> tuple[Tensor, ...]:  # fmt: skip
    device.COUNTS.sync("number of intersections")  # gsplat asks how long its lists will be
    drawn = (radii.reshape(-1, 2) > 0).all(-1).nonzero()[:, 0]
    order = drawn[depths.reshape(-1)[drawn].argsort(stable=True)]
    return torch.zeros(depths.shape, dtype=torch.int32), order, order.int()


def intersect_offset(_: Tensor, images: int, tile_width: int, tile_height: int) -> Tensor:
    return torch.zeros(images, tile_height, tile_width, dtype=torch.int32)


def blended(
    means: Tensor, conics: Tensor, colors: Tensor, opacities: Tensor, size: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """Blend sorted Gaussians of one image; return it [H, W, D] and its alpha [H, W, 1]."""
    axes = (torch.arange(n, dtype=means.dtype) + 0.5 for n in reversed(size))
    y, x = torch.meshgrid(*axes, indexing="ij")
    dx, dy = (means[:, k, None, None] - axis for k, axis in enumerate((x, y)))
    a, b, c = (conics[:, k, None, None] for k in range(3))
    sigma = (a * dx * dx + c * dy * dy) / 2 + b * dx * dy
    alpha = (opacities[:, None, None] * (-sigma).exp()).clamp(max=OPAQUEST)
    alpha = alpha * ((sigma >= 0) & (alpha >= FAINTEST))
    alpha = alpha * ((1 - alpha).cumprod(0) > PASSED)
    passed = (1 - alpha).cumprod(0)
    before = torch.cat([torch.ones_like(y)[None], passed])
    return torch.einsum("nhw,nd->hwd", alpha * before[:-1], colors), (1 - before[-1])[..., None]


def _images(
    means: Tensor, conics: Tensor, colors: Tensor, opacities: Tensor, backgrounds: Tensor | None,
    size: tuple[int, int], flat: Tensor,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Blend all images; ``flat`` holds the rows of all of them, sorted by depth."""
    n, found = means.shape[-2], []
    for place in range(len(means)):
        rows = flat[flat // n == place].long() % n
        given = (value[place][rows] for value in (means, conics, colors, opacities))
        image, alpha = blended(*given, size)
        found.append(
            (image if backgrounds is None else image + (1 - alpha) * backgrounds[place], alpha)
        )
    return torch.stack([image for image, _ in found]), torch.stack([alpha for _, alpha in found])


def rasterize_to_pixels_3dgs_fwd(
    means: Tensor, conics: Tensor, colors: Tensor, opacities: Tensor, backgrounds: Tensor | None,
    masks: None, width: int, height: int, tile_size: int, offsets: Tensor, flat: Tensor,
) -> tuple[Tensor, ...]:  # fmt: skip
    image, alpha = _images(means, conics, colors, opacities, backgrounds, (width, height), flat)
    return image, alpha, torch.zeros(image.shape[:-1], dtype=torch.int32)


def rasterize_to_pixels_3dgs_bwd(
    means: Tensor, conics: Tensor, colors: Tensor, opacities: Tensor, backgrounds: Tensor | None,
    masks: None, width: int, height: int, tile_size: int, offsets: Tensor, flat: Tensor,
    alphas: Tensor, last: Tensor, v_image: Tensor, v_alpha: Tensor, absgrad: bool,
) -> tuple[Tensor | None, ...]:  # fmt: skip
    with torch.enable_grad():
        given = (means, conics, colors, opacities)
        leaves = [value.detach().clone().requires_grad_() for value in given]
        image, alpha = _images(*leaves, backgrounds, (width, height), flat)
        total = (image * v_image).sum() + (alpha * v_alpha).sum()
        found = torch.autograd.grad(total, leaves, materialize_grads=True)
    return None, *found


def spherical_harmonics_fwd(degree: int, dirs: Tensor, coeffs: Tensor, masks: None) -> Tensor:
    return formulas._spherical_harmonics(degree, dirs, coeffs)


def spherical_harmonics_bwd(
    bases: int, degree: int, dirs: Tensor, coeffs: Tensor, masks: None, v: Tensor, of_dirs: bool
) -> tuple[Tensor, Tensor | None]:
    with torch.enable_grad():
        leaves = [value.detach().clone().requires_grad_() for value in (coeffs, dirs)]
        colors = formulas._spherical_harmonics(degree, leaves[1], leaves[0])
        found = torch.autograd.grad(colors, leaves, v, materialize_grads=True)
    return found[0], found[1] if of_dirs else None


KERNELS: dict[str, Callable[..., Any]] = {
    one.__name__: one
    for one in (
        projection_ewa_3dgs_fused_fwd, projection_ewa_3dgs_fused_bwd, intersect_tile,
        intersect_offset, rasterize_to_pixels_3dgs_fwd, rasterize_to_pixels_3dgs_bwd,
        spherical_harmonics_fwd, spherical_harmonics_bwd,
    )
}  # fmt: skip


def _called(name: str, *args: Any) -> Any:
    """Call a kernel on the values of tensors; refuse what the compiled one refuses."""
    for one in args:
        if isinstance(one, Tensor):
            # Autograd itself fills in the gradients that nothing asked for, on the real device.
            unasked = name.endswith("_bwd") and not isinstance(one, Pretended) and not one.any()
            assert isinstance(one, Pretended) or unasked, f"{name}: a tensor must be a CUDA tensor"
            assert one.is_contiguous(), f"{name}: a tensor must be contiguous"
    with torch.no_grad():
        found = KERNELS[name](*tree_map_only(Pretended, lambda one: one.inner.detach(), args))
    return tree_map_only(Tensor, lambda one: Pretended(one.contiguous()), found)


@contextmanager
def pretended_kernels() -> Iterator[None]:
    """Let gsplat call these kernels in the place of its compiled ones."""
    with (
        patch.object(wrapper, "_make_lazy_cuda_func", lambda name: partial(_called, name)),
        patch.object(wrapper, "_make_lazy_cuda_obj", lambda name: name),
        patch("semsplat.splat.cuda_backend.load_kernels", lambda: None),
        patch("semsplat.bench.gpu.build.load_kernels", lambda: None),
    ):
        yield
