"""All kernels of a training on a CPU, called once: compiled, or found compiled."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import Parameter

from semsplat.fit.losses import reconstruction_terms
from semsplat.kernel_cache import compiled_once
from semsplat.splat.gaussians import gaussians_from_points, random_points, splat

SIZE_PX = 16


def compile_kernels() -> None:
    """Compile what every training calls, as it calls it; a second time costs half a second.

    A workflow does so while it draws scenes, which leaves a core without work.
    """
    draw = torch.Generator().manual_seed(0)
    points = random_points(10, torch.zeros(3).numpy(), 1.0, draw)
    gaussians = gaussians_from_points(*points, 0.5, 1.0, draw)
    viewmats = torch.eye(4)[None]
    viewmats[0, 2, 3] = 4.0
    Ks = torch.tensor([[[SIZE_PX, 0, SIZE_PX / 2], [0, SIZE_PX, SIZE_PX / 2], [0, 0, 1.0]]])
    signals = Parameter(torch.ones(10, 1))
    with compiled_once():
        image: Tensor = splat(
            gaussians, viewmats, Ks, SIZE_PX, SIZE_PX, 1,
            backgrounds=torch.zeros(1, 4), extra_signals=signals,
        )[0][0]  # fmt: skip
        terms = reconstruction_terms(image[..., :3], torch.zeros(SIZE_PX, SIZE_PX, 3), 0.2)
        torch.stack([*terms.values(), image.sum()]).sum().backward()
