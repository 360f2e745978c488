"""Forward and backward times of the rasteriser, with its yardsticks in the same run."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from semsplat.bench.plain import rasterize_plain
from semsplat.provenance import git_state, machine
from semsplat.splat.rasterizer import rasterize
from semsplat.splat.reference import rasterize_reference

LEAVES = ("means", "quats", "scales", "opacities", "colors")
Render = Callable[[dict[str, Any]], tuple[Tensor, Tensor]]


class Size(NamedTuple):
    """One benchmark case."""

    n_gaussians: int
    width: int
    height: int
    channels: int
    views: int = 1

    def __str__(self) -> str:
        """Return "30k@320x240x6", and where there are several views their number."""
        views = f", {self.views} views" if self.views > 1 else ""
        return f"{self.n_gaussians // 1000}k@{self.width}x{self.height}x{self.channels}{views}"


SIZES = (
    Size(10_000, 160, 120, 6),
    Size(30_000, 320, 240, 6),
    Size(100_000, 640, 480, 6),
    Size(30_000, 320, 240, 16),
    Size(30_000, 320, 240, 64),
)
GROWTH = {
    "Gaussians": (Size(10_000, 320, 240, 6), Size(30_000, 320, 240, 6), Size(90_000, 320, 240, 6)),
    "pixels": (Size(30_000, 160, 120, 6), Size(30_000, 320, 240, 6), Size(30_000, 640, 480, 6)),
    "channels": (Size(30_000, 320, 240, 4), Size(30_000, 320, 240, 16), Size(30_000, 320, 240, 64)),
    "views": tuple(Size(30_000, 320, 240, 6, views) for views in (1, 2, 4)),
}
"""Cases of which one number alone grows."""
REFERENCE = Size(2_000, 80, 60, 6)
"""The largest case that brute force holds comfortably: 2,000 x 4,800 floats per intermediate."""


def random_scene(size: Size, device: str = "cpu") -> dict[str, Any]:
    """Return a seeded cloud of Gaussians before one camera, as arguments of `rasterize`."""
    rng = torch.Generator().manual_seed(0)
    n, width, height = size.n_gaussians, size.width, size.height
    spread, centre = torch.tensor([1.5, 1.2, 1.0]), torch.tensor([0.0, 0.0, 4.0])
    K = torch.tensor([[0.9 * width, 0, width / 2], [0, 0.9 * width, height / 2], [0, 0, 1]])
    tensors = {
        "means": torch.randn(n, 3, generator=rng) * spread + centre,
        "quats": torch.randn(n, 4, generator=rng),
        "scales": (0.5 + torch.rand(n, 3, generator=rng)) * 1.2 / math.sqrt(n),
        "opacities": torch.full((n,), 0.5),
        "colors": torch.rand(n, size.channels, generator=rng),
        "viewmats": torch.eye(4).repeat(size.views, 1, 1),
        "Ks": K.repeat(size.views, 1, 1),
    }
    scene: dict[str, Any] = {key: value.to(device) for key, value in tensors.items()}
    for name in LEAVES:
        scene[name].requires_grad_()
    return {**scene, "width": width, "height": height}


def ours(scene: dict[str, Any]) -> tuple[Tensor, Tensor]:
    """Render with `rasterize`; of several views all, one after the other."""
    image, alpha, _ = rasterize(**scene)
    return image.flatten(0, 1), alpha[..., 0].flatten(0, 1)


def plain(scene: dict[str, Any]) -> tuple[Tensor, Tensor]:
    """Render with torch projection and the straightforward kernel."""
    return rasterize_plain(**scene)


def brute_force(scene: dict[str, Any]) -> tuple[Tensor, Tensor]:
    """Render with the torch reference."""
    rest = {k: v for k, v in scene.items() if k not in ("viewmats", "Ks")}
    return rasterize_reference(**rest, viewmat=scene["viewmats"][0], K=scene["Ks"][0])


def measure(render: Render, size: Size, repeats: int, device: str = "cpu") -> dict[str, Any]:
    """Return median forward, backward and total milliseconds over the repeats, after a warm-up."""
    scene = random_scene(size, device)
    forward, backward = [], []
    for _ in range(repeats + 2):
        start = _now(device)
        image, alpha = render(scene)
        middle = _now(device)
        torch.autograd.grad(image.sum() + alpha.sum(), [scene[name] for name in LEAVES])
        forward.append(middle - start)
        backward.append(_now(device) - middle)
    times = {"forward": forward[2:], "backward": backward[2:]}
    times["total"] = [f + b for f, b in zip(times["forward"], times["backward"], strict=True)]
    medians = {f"{k}_ms": round(1000 * statistics.median(v), 2) for k, v in times.items()}
    return {"size": str(size), **medians, "repeats": repeats}


def _now(device: str) -> float:
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def parity(first: Render, second: Render, size: Size, devices: tuple[str, str]) -> dict[str, float]:
    """Return the largest difference of image, alpha and each gradient, over the maximum."""
    results = []
    for render, device in zip((first, second), devices, strict=True):
        scene = random_scene(size, device)
        image, alpha = render(scene)
        loss = (image**2).sum() + alpha.sum()
        grads = torch.autograd.grad(loss, [scene[name] for name in LEAVES])
        results.append([t.detach().cpu() for t in (image, alpha, *grads)])
    names = ("image", "alpha", *(f"grad_{name}" for name in LEAVES))
    return {
        name: float((a - b).abs().max() / b.abs().max())
        for name, a, b in zip(names, *results, strict=True)
    }


def growth(sizes: tuple[Size, ...], repeats: int) -> float:
    """Return the exponent with which the time grows over cases of which one number grows."""
    totals = [measure(ours, size, repeats)["total_ms"] for size in sizes]
    scale = [math.prod(size) for size in sizes]
    return round(float(np.polyfit(np.log(scale), np.log(totals), 1)[0]), 2)


def peak_gflops(repeats: int) -> float:
    """Return the rate of a product of two single-precision matrices: what the vector units give."""
    a = torch.rand(1024, 1024)
    times = []
    for _ in range(repeats + 2):
        start = _now("cpu")
        a @ a
        times.append(_now("cpu") - start)
    return round(2 * 1024**3 / min(times) / 1e9, 1)


def share_of_peak(row: dict[str, Any], size: Size, peak: float) -> float:
    """Return the share of the peak that the forward pass makes use of.

    Counted are 2 (16 + D) operations for each pixel of a tile and each Gaussian that the tile
    holds: so many are done where a Gaussian covers its tile, fewer where it covers a part.
    """
    with torch.no_grad():
        meta = rasterize(**random_scene(size))[2]
    pairs = sum(len(ids) for ids in meta["flatten_ids"])
    operations = pairs * meta["tile_size"] ** 2 * 2 * (16 + size.channels)
    return round(operations / (row["forward_ms"] * 1e6) / peak, 2)


def benchmark(repeats: int) -> dict[str, Any]:
    """Measure everything this machine can."""
    peak, few = peak_gflops(repeats), max(2, repeats // 3)
    rows = [measure(ours, size, repeats) for size in SIZES]
    simple = [measure(plain, size, few) for size in SIZES]
    for row, other, size in zip(rows, simple, SIZES, strict=True):
        row["times_faster"] = round(other["total_ms"] / row["total_ms"], 1)
        row["share_of_peak"] = share_of_peak(row, size, peak)
    report: dict[str, Any] = {
        "machine": machine(),
        "git": git_state(),
        "torch_threads": torch.get_num_threads(),
        "peak_gflops": peak,
        "cpu": rows,
        "straightforward": simple,
        "brute_force": measure(brute_force, REFERENCE, few),
        "ours_at_brute_force_size": measure(ours, REFERENCE, repeats),
        "parity_with_brute_force": parity(ours, brute_force, REFERENCE, ("cpu", "cpu")),
        "growth": {name: growth(sizes, few) for name, sizes in GROWTH.items()},
    }
    if torch.cuda.is_available():
        report["cuda"] = [measure(ours, size, repeats, "cuda") for size in SIZES]
        report["parity_with_gsplat"] = {
            str(size): parity(ours, ours, size, ("cpu", "cuda")) for size in SIZES
        }
    return report
