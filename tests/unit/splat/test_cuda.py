"""The gsplat backend against ours; needs a GPU."""

from __future__ import annotations

import pytest
import torch

from semsplat.splat.rasterize import rasterize
from tests.unit.splat.conftest import make_gaussians

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
LEAVES = ("means", "quats", "scales", "opacities", "colors")


def run(device, **options):
    scene = make_gaussians(500, 5, seed=0, dtype=torch.float32, size=(160, 120))
    scene = {k: v.to(device) if torch.is_tensor(v) else v for k, v in scene.items()}
    for name in LEAVES:
        scene[name].requires_grad_()
    image, alpha, meta = rasterize(**scene, **options)
    meta["means2d"].retain_grad()
    ((image**2).sum() + alpha.sum()).backward()
    grads = {name: scene[name].grad.cpu() for name in LEAVES}
    return image.detach().cpu(), alpha.detach().cpu(), grads, meta["means2d"].grad.cpu()


@pytest.mark.parametrize(
    "options", [{}, {"render_mode": "RGB+ED"}, {"geometry_channels": 3}, {"render_mode": "D"}]
)
def test_both_backends_agree_in_image_and_every_gradient(options):
    ours, theirs = run("cpu", **options), run("cuda", **options)
    torch.testing.assert_close(ours[0], theirs[0], rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(ours[1], theirs[1], rtol=1e-3, atol=1e-3)
    for name in LEAVES:
        scale = theirs[2][name].abs().max().clamp(min=1)
        torch.testing.assert_close(
            ours[2][name] / scale, theirs[2][name] / scale, rtol=1e-3, atol=1e-3
        )
    torch.testing.assert_close(ours[3], theirs[3], rtol=1e-2, atol=1e-2)
