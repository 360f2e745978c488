"""The rasteriser of the CPU against the GPU's: images and gradients of a list of cases."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from semsplat.bench.gpu.steps import Bench, Said
from semsplat.splat.rasterizer import rasterize

BARS = 1e-3, 1e-2
"""How far images and gradients may be apart, over the largest value."""


def make_gaussians(
    n: int,
    channels: int,
    seed: int,
    dtype: torch.dtype = torch.float64,
    size: tuple[int, int] = (28, 21),
) -> dict[str, Any]:
    """Return arguments of `rasterize`: n Gaussians, one camera that is not axis-aligned."""
    rng = torch.Generator().manual_seed(seed)

    def uniform(*shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        return torch.rand(*shape, generator=rng, dtype=dtype) * (high - low) + low

    width, height = size
    angle = torch.tensor(0.3, dtype=dtype)
    viewmat = torch.eye(4, dtype=dtype)
    viewmat[0, 0] = viewmat[2, 2] = angle.cos()
    viewmat[0, 2], viewmat[2, 0] = angle.sin(), -angle.sin()
    viewmat[:3, 3] = torch.tensor([-0.9, 0.05, 0.3], dtype=dtype)
    focal = 0.9 * width
    K = torch.tensor(
        [[focal, 0, 0.52 * width], [0, 1.1 * focal, 0.47 * height], [0, 0, 1]], dtype=dtype
    )
    return {
        "means": torch.cat([uniform(n, 2, low=-1.2, high=1.2), uniform(n, 1, low=1.5, high=4)], -1),
        "quats": uniform(n, 4, low=-1) * 2,
        "scales": uniform(n, 3, low=0.03, high=0.25),
        "opacities": uniform(n, low=0.1, high=0.98),
        "colors": uniform(n, channels),
        "viewmats": viewmat[None],
        "Ks": K[None],
        "width": width,
        "height": height,
    }


LEARNED = ("means", "quats", "scales", "opacities", "colors", "extra_signals")
N = 60
Drawn = dict[str, Tensor | None]


def given(channels: int, **options: Any) -> dict[str, Any]:
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
    leaves: dict[str, Any] = {k: told[k].clone().requires_grad_() for k in LEARNED if k in told}
    moved: dict[str, Any] = {
        k: v.to(device) if isinstance(v, Tensor) else v for k, v in (told | leaves).items()
    }
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


def differences(found: Drawn, expected: Drawn) -> dict[str, float]:
    """Return how far each tensor is from the expected one, over its largest value.

    A gradient that one of them leaves out is zeros.
    """
    far = {}
    for name in expected.keys() | found.keys():
        value, other = expected.get(name), found.get(name)
        value = torch.zeros(1) if value is None else value
        other = torch.zeros_like(value) if other is None else other
        scale = value.abs().max().clamp(min=1e-6)
        far[name] = ((other - value).abs().max() / scale).item()
    return far


def beyond(far: dict[str, float], bars: tuple[float, float]) -> list[str]:
    """Return the tensors that are not within the bar of images or of gradients."""
    bar_of = {name: bars[name not in ("image", "alpha")] for name in far}
    return [name for name, value in sorted(far.items()) if not value < bar_of[name]]


def check(bench: Bench) -> Said:
    """Draw every case on both devices."""
    numbers, wrong = {}, []
    for case, options in CASES.items():
        told = given(**options)
        far = differences(rendered(told, bench.device), rendered(told, "cpu"))
        numbers[case] = {name: float(f"{value:.2g}") for name, value in sorted(far.items())}
        wrong += [f"{case}: {name} differs by {far[name]:.1e}" for name in beyond(far, BARS)]
    return Said(numbers, wrong)
