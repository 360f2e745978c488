"""Training-free lifting of 2-D features: the adjoint of blending (FIELD 2.3, item 1).

The gradient of ``<image, features>`` with respect to the blended values is ``sum_p w_gp f_p``: one
backward pass through the ordinary rasteriser, on either backend, with any number of channels.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor

from semsplat.splat.gaussians import splat_values


class View(NamedTuple):
    """One view and the feature map to lift from it."""

    viewmat: Tensor  # [4, 4]
    K: Tensor  # [3, 3]
    features: Tensor  # [H, W, D]
    mask: Tensor  # [H, W] bool, pixels that count


def lift(gaussians: dict[str, Tensor], views: Iterable[View], dim: int) -> tuple[Tensor, Tensor]:
    """Return the mean feature of each Gaussian [N, D] and its total weight [N].

    The mean is ``sum w f / sum w`` over all pixels that count in all views; Gaussians that no
    pixel sees get zeros.  ``views`` may be a generator: one view is in memory at a time.
    """
    total = gaussians["means"].new_zeros(len(gaussians["means"]), dim + 1)
    for view in views:
        total += _adjoint(gaussians, view)
    weight = total[:, -1]
    return total[:, :-1] / weight[:, None].clamp(min=torch.finfo(weight.dtype).tiny), weight


def _adjoint(gaussians: dict[str, Tensor], view: View) -> Tensor:
    """Return [N, D + 1]: the features of one view summed with blending weights, and the weights."""
    height, width, dim = view.features.shape
    ones = view.features.new_ones(height, width, 1)
    target = torch.cat([view.features, ones], -1) * view.mask[..., None]
    with torch.enable_grad():
        values = view.features.new_zeros(len(gaussians["means"]), dim + 1).requires_grad_()
        fixed = {key: tensor.detach() for key, tensor in gaussians.items()}
        cameras = view.viewmat[None], view.K[None]
        image, _, _ = splat_values(fixed, values, *cameras, width, height)
        return torch.autograd.grad(image, values, target[None])[0]
