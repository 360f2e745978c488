"""Small random Gaussians in front of one camera."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor


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


@pytest.fixture(autouse=True)
def _restore_numba_threads() -> Any:
    import numba

    before = numba.get_num_threads()
    yield
    numba.set_num_threads(before)
