"""gsplat's code path against our CPU rasteriser: images, gradients, and those of centres."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from semsplat.splat.rasterize import rasterize
from tests.pretend_cuda.device import pretended_gpu
from tests.pretend_cuda.kernels import pretended_kernels
from tests.unit.splat.conftest import make_gaussians

LEARNED = ("means", "quats", "scales", "opacities", "colors", "extra_signals")
N = 60
Drawn = dict[str, Tensor | None]


def told(channels: int, **options: Any) -> dict[str, Any]:
    """Return arguments of `rasterize`; some Gaussians lie behind the camera or are too faint."""
    extra, harmonics = options.pop("extra", 0), options.get("sh_degree") is not None
    told = make_gaussians(N, channels, 3, torch.float32) | options
    random = torch.Generator().manual_seed(1)
    told["means"][:5, 2], told["opacities"][5:9] = -1.0, 0.003
    if harmonics:
        told["colors"] = 0.3 * torch.randn(N, 16, 3, generator=random)
    if extra:
        told["extra_signals"] = torch.randn(N, extra, generator=random)
    if told.pop("two_cameras", False):
        moved = told["viewmats"].clone()
        moved[0, 0, 3] += 0.3
        told["viewmats"] = torch.cat([told["viewmats"], moved])
        told["Ks"] = told["Ks"].repeat(2, 1, 1)
    if told.pop("background", False):
        shape = len(told["viewmats"]), (3 if harmonics else channels) + extra
        told["backgrounds"] = torch.rand(shape, generator=random)
    if told.pop("nothing_visible", False):
        told["means"][:, 2] = -1.0
    return told


def rendered(told: dict[str, Any], device: str) -> Drawn:
    """Return image and alpha, and the gradients of a random sum of both."""
    leaves = {k: told[k].clone().requires_grad_() for k in LEARNED if k in told}
    moved = {k: v.to(device) if isinstance(v, Tensor) else v for k, v in (told | leaves).items()}
    image, alpha, meta = rasterize(**moved)
    meta["means2d"].retain_grad()
    weights = torch.randn(image.shape, generator=torch.Generator().manual_seed(5)).to(device)
    ((image * weights).sum() + alpha.square().sum()).backward()
    found = {name: leaf.grad for name, leaf in leaves.items()} | {"means2d": meta["means2d"].grad}
    values = {"image": image.detach(), "alpha": alpha.detach(), **found}
    return {name: None if value is None else value.cpu() for name, value in values.items()}


CASES: dict[str, dict[str, Any]] = {
    "colours": {"channels": 3},
    "depth": {"channels": 3, "render_mode": "D"},
    "expected depth": {"channels": 3, "render_mode": "ED"},
    "colours and depth": {"channels": 5, "render_mode": "RGB+D"},
    "colours and expected depth": {"channels": 3, "render_mode": "RGB+ED", "background": True},
    **{f"harmonics {d}": {"channels": 3, "sh_degree": d, "background": True} for d in range(4)},
    "harmonics and signals": {"channels": 3, "sh_degree": 2, "extra": 16, "background": True},
    "signals that move nothing": {
        "channels": 3, "sh_degree": 3, "extra": 16, "geometry_channels": 3,
    },
    "and expected depth": {
        "channels": 3, "sh_degree": 1, "extra": 70, "geometry_channels": 3, "render_mode": "RGB+ED",
        "background": True,
    },
    "one channel": {"channels": 1},
    "seventy": {"channels": 70},
    "512": {"channels": 512},
    "nothing visible": {"channels": 3, "nothing_visible": True, "background": True},
    "two cameras": {
        "channels": 3, "sh_degree": 2, "extra": 4, "two_cameras": True, "background": True,
    },
}  # fmt: skip


def agree(found: Drawn, expected: Drawn, bars: tuple[float, float]) -> None:
    """Ask for images within the first bar of their largest value, gradients within the second."""
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        other = found[name]
        if value is None or other is None:  # a gradient that one leaves out is zero for the other
            assert not any(one is not None and one.any() for one in (value, other)), name
            continue
        scale = value.abs().max().clamp(min=1e-6)
        bar = bars[0] if name in ("image", "alpha") else bars[1]
        assert ((other - value).abs().max() / scale).item() < bar, name


@pytest.mark.parametrize("case", CASES)
def test_both_draw_the_same_and_learn_the_same(case: str) -> None:
    given = told(**CASES[case])
    expected = rendered(given, "cpu")
    with pretended_gpu(), pretended_kernels():
        found = rendered(given, "cuda")
    agree(found, expected, (1e-5, 1e-4))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
@pytest.mark.parametrize("case", CASES)
def test_a_gpu_draws_the_same_and_learns_the_same(case: str) -> None:
    given = told(**CASES[case])
    agree(rendered(given, "cuda"), rendered(given, "cpu"), (1e-3, 1e-2))


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_no_channels_are_an_empty_image(device: str) -> None:
    given = told(3)
    with pretended_gpu(), pretended_kernels():
        moved = {k: v.to(device) if isinstance(v, Tensor) else v for k, v in given.items()}
        image, alpha, _ = rasterize(**moved | {"colors": moved["colors"][:, :0]})
    assert image.shape == (1, 21, 28, 0) and alpha.shape == (1, 21, 28, 1)
    assert alpha.cpu().max() > 0.1
