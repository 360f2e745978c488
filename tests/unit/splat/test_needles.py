"""Needles in single precision, against double, and against gsplat's own formula in single."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from semsplat.splat.rasterizer import rasterize
from semsplat.splat.reference import rasterize_reference

SIZE = (320, 240)
AXES = [(1e2, 1e-6), (1.0, 1e-4), (3.0, 1e-3), (30.0, 3e-2)]
ANGLES = range(0, 180, 20)
NAMES = ("means", "quats", "scales")


def needle(axes: tuple[float, float], degrees: float, dtype: torch.dtype) -> dict[str, Tensor]:
    """Return one Gaussian, 5 units away, that lies across the view at an angle."""
    half = math.radians(degrees) / 2
    values = {
        "means": [[0.01, 0.02, 5.0]],
        "quats": [[math.cos(half), 0, 0, math.sin(half)]],
        "scales": [[axes[0], axes[1], axes[1]]],
    }
    return {k: torch.tensor(v).to(dtype).requires_grad_() for k, v in values.items()}


def drawn(axes: tuple[float, float], degrees: float, dtype: torch.dtype, draw: Any) -> list[Tensor]:
    """Return the image and the gradients of a weighted sum of it, in double precision."""
    shape = needle(axes, degrees, dtype)
    others = {"opacities": torch.tensor([0.9], dtype=dtype), "colors": torch.ones(1, 1).to(dtype)}
    K = torch.tensor([[250.0, 0, 160], [0, 250, 120], [0, 0, 1]], dtype=dtype)
    image = draw({**shape, **others}, torch.eye(4, dtype=dtype), K)
    weights = torch.rand(image.shape, generator=torch.Generator().manual_seed(0)).to(dtype)
    (image * weights).sum().backward()
    grads = [shape[name].grad for name in NAMES]
    return [t.detach().double() for t in [image, *grads] if t is not None]


def ours(gaussians: dict[str, Tensor], viewmat: Tensor, K: Tensor) -> Tensor:
    return rasterize(**gaussians, viewmats=viewmat[None], Ks=K[None], width=SIZE[0],
                     height=SIZE[1])[0][0]  # fmt: skip


def gsplats(gaussians: dict[str, Tensor], viewmat: Tensor, K: Tensor) -> Tensor:
    return rasterize_reference(**gaussians, viewmat=viewmat, K=K, width=SIZE[0], height=SIZE[1])[0]


def errors(axes: tuple[float, float], draw: Any) -> tuple[float, float]:
    """Return the worst error of pixels, and of gradients relative to the largest of each."""
    image, gradient = 0.0, 0.0
    for degrees in ANGLES:
        truth = drawn(axes, degrees + 3.0, torch.float64, ours)
        found = drawn(axes, degrees + 3.0, torch.float32, draw)
        gaps = [
            (a - b).abs().nan_to_num(torch.inf).max() for a, b in zip(found, truth, strict=True)
        ]
        image = max(image, float(gaps[0]))
        scaled = [float(g / t.abs().max()) for g, t in zip(gaps[1:], truth[1:], strict=True)]
        gradient = max(gradient, *scaled)
    return image, gradient


@pytest.mark.parametrize("axes", AXES)
def test_needles_are_at_least_as_accurate_as_by_gsplats_formula(axes: tuple[float, float]) -> None:
    image, gradient = errors(axes, ours)
    theirs = errors(axes, gsplats)
    print(f"{axes}: image {image:.1e} (gsplat {theirs[0]:.1e}),"
          f" gradient {gradient:.1e} (gsplat {theirs[1]:.1e})")  # fmt: skip
    assert image < 1e-4 and gradient < 0.05
    assert image <= theirs[0] + 1e-6 and gradient <= theirs[1] + 1e-6


def test_double_precision_agrees_with_gsplats_formula() -> None:
    for axes in AXES[1:]:
        truth = drawn(axes, 33.0, torch.float64, ours)
        found = drawn(axes, 33.0, torch.float64, gsplats)
        for a, b in zip(found, truth, strict=True):
            assert float((a - b).abs().max() / b.abs().max()) < 1e-5


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["means", "quats", "scales", "opacities", "colors"])
def test_a_gaussian_that_is_not_finite_is_not_drawn(name: str, value: float) -> None:
    plain = {
        "means": torch.tensor([[0.0, 0, 5], [1, 0, 6]]),
        "quats": torch.tensor([[1.0, 0, 0, 0]]).repeat(2, 1),
        "scales": torch.full((2, 3), 0.3),
        "opacities": torch.tensor([0.8, 0.7]),
        "colors": torch.ones(2, 3),
    }
    viewmat, K = torch.eye(4), torch.tensor([[20.0, 0, 16], [0, 20, 12], [0, 0, 1]])
    alone = {key: tensor[1:] for key, tensor in plain.items()}
    plain[name].view(2, -1)[0, 0] = value
    image = [
        rasterize(**given, viewmats=viewmat[None], Ks=K[None], width=32, height=24)[0]
        for given in (plain, alone)
    ]
    assert torch.equal(image[0], image[1]) and image[1].max() > 0.5
