"""Reconstruction losses against hand-computed values and torchmetrics."""

from __future__ import annotations

import numba
import pytest
import torch
from torchmetrics.functional.image import structural_similarity_index_measure

from semsplat.fit.losses import (
    SsimByNumba,
    SsimByTorch,
    gaussian_blur,
    psnr,
    reconstruction_terms,
    ssim,
)


def images(seed=0, height=40, width=50):
    rng = torch.Generator().manual_seed(seed)
    a = torch.rand(height, width, 3, generator=rng)
    return a, (a + 0.1 * torch.randn(height, width, 3, generator=rng)).clamp(0, 1)


def test_ssim_of_equal_images_is_one_and_of_constants_follows_the_formula():
    a, _ = images()
    assert ssim(a, a).item() == pytest.approx(1.0, abs=1e-6)
    x, y = torch.full((400, 400, 3), 0.2), torch.full((400, 400, 3), 0.6)
    # Where no border reaches, variances vanish: (2 mx my + C1) / (mx^2 + my^2 + C1).
    expected = (2 * 0.2 * 0.6 + 1e-4) / (0.2**2 + 0.6**2 + 1e-4)
    border_share = 1 - (390 / 400) ** 2  # pixels that see the zeros outside; SSIM is in [0, 1]
    assert ssim(x, y).item() == pytest.approx(expected, abs=border_share)


def test_ssim_equals_torchmetrics_away_from_the_border():
    a, b = images(height=200, width=200)
    theirs = structural_similarity_index_measure(
        b.permute(2, 0, 1)[None], a.permute(2, 0, 1)[None], data_range=1.0
    )
    assert ssim(b, a).item() == pytest.approx(theirs.item(), abs=5e-3)


def test_blur_is_normalised_inside_and_fades_towards_the_zeros_outside():
    blurred = gaussian_blur(torch.ones(1, 30, 30))
    assert blurred[0, 15, 15].item() == pytest.approx(1.0)
    assert blurred[0, 0, 0].item() == pytest.approx(0.6330**2, abs=2e-3)


def test_terms_are_weighted_as_in_3dgs():
    a, b = images()
    terms = reconstruction_terms(a, b, 0.2)
    assert terms["l1"].item() == pytest.approx(0.8 * (a - b).abs().mean().item())
    assert terms["dssim"].item() == pytest.approx(0.2 * (1 - ssim(a, b).item()))


def test_psnr_of_a_constant_offset():
    a = torch.zeros(4, 4, 3)
    assert psnr(a + 0.1, a).item() == pytest.approx(20.0, abs=1e-4)
    assert psnr(a + 0.01, a).item() == pytest.approx(40.0, abs=1e-3)


def test_ssim_gradient_is_exact():
    rng = torch.Generator().manual_seed(1)
    image, target = torch.rand(2, 14, 13, 3, generator=rng, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: ssim(x, target), image.requires_grad_())


def test_compiled_ssim_equals_torchs_with_its_gradient():
    a, b = (image.double().requires_grad_() for image in images(height=23, width=31))
    compiled, by_torch = (
        SsimByNumba.apply(a, b),
        SsimByTorch.apply(a.movedim(-1, 0), b.movedim(-1, 0)),
    )
    torch.testing.assert_close(compiled, by_torch)
    torch.testing.assert_close(*(torch.autograd.grad(v, a)[0] for v in (compiled, by_torch)))


def test_ssim_is_the_same_to_the_bit_for_any_number_of_threads():
    def run(threads):
        numba.set_num_threads(threads)
        a, b = images()
        value = ssim(a.requires_grad_(), b)
        return [value, *torch.autograd.grad(value, a)]

    one, more = run(1), run(min(2, numba.config.NUMBA_NUM_THREADS))
    assert all(torch.equal(a, b) for a, b in zip(one, more, strict=True))
