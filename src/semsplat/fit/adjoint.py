"""The adjoint of blending: what pixels say, given back to the Gaussians that drew them."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import ParameterDict

from semsplat.fit.views import Camera
from semsplat.splat.gaussians import splat_values


def adjoint(
    gaussians: ParameterDict | dict[str, Tensor], camera: Camera, picture: Tensor
) -> Tensor:
    """Return sum_p w_gp f_p of every Gaussian, [N, E], of a picture f [H, W, E].

    w_gp is the weight with which Gaussian g is blended into pixel p: blending is linear, so these
    sums are the gradient of the blended picture's product with f.
    """
    values = picture.new_zeros(len(gaussians["means"]), picture.shape[-1], requires_grad=True)
    with torch.enable_grad():
        shown, _, _ = splat_values(gaussians, values, *camera.alone)
    return torch.autograd.grad(shown, values, picture[None])[0]
