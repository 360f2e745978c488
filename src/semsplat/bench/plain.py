"""The straightforward CPU rasteriser that ours is measured against.

gsplat's torch projection under autograd, then the textbook tile kernel: every pixel of a tile walks
through all Gaussians of the tile, and the adjoint keeps one running sum per channel.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
import torch
from gsplat.cuda._torch_impl import _fully_fused_projection, _quat_scale_to_covar_preci
from torch import Tensor

from semsplat.splat.cpu.bins import TILE, bin_gaussians, sum_pairs


@numba.njit(cache=True, error_model="numpy")
def _alpha(mean, conic, opacity, x, y):
    """Return dx, dy, the falloff and the alpha of one Gaussian at one pixel (0 where skipped)."""
    f = mean.dtype.type
    dx, dy = mean[0] - f(x) - f(0.5), mean[1] - f(y) - f(0.5)
    sigma = f(0.5) * (conic[0] * dx * dx + conic[2] * dy * dy) + conic[1] * dx * dy
    if sigma < 0:
        return dx, dy, f(0), f(0)
    fall = math.exp(-sigma)
    alpha = min(f(0.999), opacity * fall)
    return dx, dy, fall, alpha if alpha >= f(1 / 255) else f(0)


@numba.njit(parallel=True, cache=True, error_model="numpy")
def _forward(means2d, conics, colors, opacities, offsets, ids, width, height):
    f = means2d.dtype.type
    image = np.zeros((height, width, colors.shape[1]), means2d.dtype)
    alpha = np.zeros((height, width), means2d.dtype)
    last = np.zeros((height, width), np.int64)
    cols = (width + TILE - 1) // TILE
    for tile in numba.prange(len(offsets) - 1):
        top, left = (tile // cols) * TILE, (tile % cols) * TILE
        for y in range(top, min(height, top + TILE)):
            for x in range(left, min(width, left + TILE)):
                through = f(1)
                for k in range(offsets[tile], offsets[tile + 1]):
                    g = ids[k]
                    a = _alpha(means2d[g], conics[g], opacities[g], x, y)[3]
                    if a == 0:
                        continue
                    after = through * (f(1) - a)
                    if after <= f(1e-4):
                        break
                    for c in range(colors.shape[1]):
                        image[y, x, c] += a * through * colors[g, c]
                    through = after
                    last[y, x] = k + 1
                alpha[y, x] = f(1) - through
    return image, alpha, last


@numba.njit(parallel=True, cache=True, error_model="numpy")
def _backward(means2d, conics, colors, opacities, offsets, ids, alpha, last, vimage, valpha):
    f = means2d.dtype.type
    height, width, n_channels = vimage.shape
    grads = np.zeros((len(ids), 6 + n_channels), means2d.dtype)
    cols = (width + TILE - 1) // TILE
    for tile in numba.prange(len(offsets) - 1):
        top, left = (tile // cols) * TILE, (tile % cols) * TILE
        behind = np.zeros(n_channels, means2d.dtype)
        for y in range(top, min(height, top + TILE)):
            for x in range(left, min(width, left + TILE)):
                final = through = f(1) - alpha[y, x]
                behind[:] = 0
                for k in range(last[y, x] - 1, offsets[tile] - 1, -1):
                    g = ids[k]
                    dx, dy, fall, a = _alpha(means2d[g], conics[g], opacities[g], x, y)
                    if a == 0:
                        continue
                    through /= f(1) - a
                    va = final / (f(1) - a) * valpha[y, x]
                    for c in range(n_channels):
                        grads[k, 6 + c] += a * through * vimage[y, x, c]
                        va += (colors[g, c] * through - behind[c] / (f(1) - a)) * vimage[y, x, c]
                        behind[c] += a * through * colors[g, c]
                    if opacities[g] * fall > f(0.999):
                        continue
                    vs = -opacities[g] * fall * va
                    grads[k, 0] += vs * (conics[g, 0] * dx + conics[g, 1] * dy)
                    grads[k, 1] += vs * (conics[g, 1] * dx + conics[g, 2] * dy)
                    grads[k, 2] += f(0.5) * vs * dx * dx
                    grads[k, 3] += vs * dx * dy
                    grads[k, 4] += f(0.5) * vs * dy * dy
                    grads[k, 5] += fall * va
    return grads


class _Plain(torch.autograd.Function):
    """The tile kernel as a torch function."""

    @staticmethod
    def forward(ctx: Any, means2d: Tensor, conics: Tensor, colors: Tensor, opacities: Tensor,
                bins: Any, size: tuple[int, int]) -> tuple[Tensor, Tensor]:  # fmt: skip
        """Blend."""
        arrays = [t.detach().contiguous().numpy() for t in (means2d, conics, colors, opacities)]
        image, alpha, last = _forward(*arrays, *bins, *size)
        ctx.saved = (*arrays, *bins, alpha, last)
        return torch.from_numpy(image), torch.from_numpy(alpha)

    @staticmethod
    def backward(ctx: Any, vimage: Tensor, valpha: Tensor) -> tuple[Any, ...]:
        """Return the gradients."""
        pairs = _backward(*ctx.saved, vimage.contiguous().numpy(), valpha.contiguous().numpy())
        total = torch.from_numpy(sum_pairs(ctx.saved[5], pairs, len(ctx.saved[0])))
        return total[:, :2], total[:, 2:5], total[:, 6:], total[:, 5], None, None


def rasterize_plain(
    means: Tensor, quats: Tensor, scales: Tensor, opacities: Tensor, colors: Tensor,
    viewmats: Tensor, Ks: Tensor, width: int, height: int,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Return image [H, W, D] and alpha [H, W] of one camera; arguments as `rasterize`."""
    covars, _ = _quat_scale_to_covar_preci(quats, scales, True, False)
    radii, means2d, depths, conics, _ = _fully_fused_projection(
        means, covars, viewmats, Ks, width, height
    )
    radius = radii[0].numpy()
    visible = np.flatnonzero((radius > 0).all(-1))
    order = visible[np.argsort(depths[0].detach().numpy()[visible], kind="stable")]
    centres = means2d[0].detach().numpy()
    bins = bin_gaussians(order, centres, radius.astype(centres.dtype), width, height)
    image, alpha = _Plain.apply(means2d[0], conics[0], colors, opacities, bins, (width, height))
    return image, alpha
