"""gsplat's code path against our CPU rasteriser: images, gradients, and those of centres."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from semsplat.bench.gpu.parity import BARS, CASES, beyond, differences, given, rendered
from semsplat.splat.rasterizer import rasterize
from tests.pretend_cuda.device import pretended_gpu
from tests.pretend_cuda.kernels import pretended_kernels


@pytest.mark.parametrize("case", CASES)
def test_both_draw_the_same_and_learn_the_same(case: str) -> None:
    told = given(**CASES[case])
    expected = rendered(told, "cpu")
    with pretended_gpu(), pretended_kernels():
        found = rendered(told, "cuda")
    assert not beyond(differences(found, expected), (1e-5, 1e-4))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
@pytest.mark.parametrize("case", CASES)
def test_a_gpu_draws_the_same_and_learns_the_same(case: str) -> None:
    told = given(**CASES[case])
    far = differences(rendered(told, "cuda"), rendered(told, "cpu"))
    assert not beyond(far, BARS)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_no_channels_are_an_empty_image(device: str) -> None:
    told = given(3)
    with pretended_gpu(), pretended_kernels():
        moved = {k: v.to(device) if isinstance(v, Tensor) else v for k, v in told.items()}
        image, alpha, _ = rasterize(**moved | {"colors": moved["colors"][:, :0]})
    assert image.shape == (1, 21, 28, 0) and alpha.shape == (1, 21, 28, 1)
    assert alpha.cpu().max() > 0.1
