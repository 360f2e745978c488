"""What may not change a bit of an image or a gradient: threads, runs, and other channels."""

from __future__ import annotations

import numba
import numpy as np
import pytest
import torch

from semsplat.bench.gpu.parity import make_gaussians
from semsplat.splat.cpu.autograd import front_to_back
from semsplat.splat.rasterizer import rasterize

LEAVES = ("means", "quats", "scales", "opacities", "colors")


def test_runs_and_thread_counts_give_identical_bits():
    def run(threads):
        numba.set_num_threads(threads)
        scene = make_gaussians(2000, channels=6, seed=1, dtype=torch.float32, size=(160, 120))
        parameters = [scene[name].requires_grad_() for name in LEAVES]
        image, alpha, _ = rasterize(**scene)
        return [image, alpha, *torch.autograd.grad((image**2).sum() + alpha.sum(), parameters)]

    most = min(2, numba.config.NUMBA_NUM_THREADS)
    first, again, parallel = run(1), run(1), run(most)
    for a, b, c in zip(first, again, parallel, strict=True):
        assert torch.equal(a, b) and torch.equal(a, c)


@pytest.mark.parametrize("channels", [2, 5, 16, 70])
def test_a_channel_and_its_gradient_have_the_same_bits_beside_any_others(channels):
    scene = make_gaussians(80, channels=70, seed=2, dtype=torch.float32, size=(45, 37))

    def drawn(last):
        colors = scene["colors"][:, :last].clone().requires_grad_()
        image = rasterize(**{**scene, "colors": colors})[0]
        return image, torch.autograd.grad((image**2).sum(), colors)[0]

    for few, many in zip(drawn(channels), drawn(70), strict=True):
        assert torch.equal(few, many[..., :channels])


@pytest.mark.parametrize(("dtype", "near"), [("float32", 0.01), ("float32", -9), ("float64", 0.01)])
def test_the_order_is_by_depth_and_of_equal_depths_by_id(dtype, near):
    rng = np.random.default_rng(0)
    depths = np.maximum(rng.standard_normal(400).astype(dtype).round(1), near) + 1e-6
    visible = np.flatnonzero(rng.random(400) < 0.7)
    expected = sorted(visible, key=lambda g: (depths[g], g))
    np.testing.assert_array_equal(front_to_back(visible, depths.astype(dtype), near), expected)
