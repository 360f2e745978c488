"""The vector that is closest to most of what views say of a Gaussian, where a mean is of all."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from semsplat.fit.views import Camera
from semsplat.splat.cpu.rays import GatedRays
from semsplat.train.lifting import GiveBack, WeightedMean, positive, unit_or_zero
from semsplat.train.methods import Stage

CLOSEST = 1e-2
"""Below this distance regions weigh alike: at an estimate that is one of them a weight is 1 / 0."""


class CosineMedian(WeightedMean):
    """argmin over unit vectors F_g of sum_r w_gr |F_g - f_r|, by Weiszfeld's iterations.

    w_gr is the Gaussian's summed weight in region r of a view, f_r that region's vector, and
    |F - f|^2 = 2 - 2 cos(F, f).  The first pass makes the mean; each further one is a mean in which
    region r weighs w_gr / |F_g - f_r|.  A Gaussian holds unit vectors; kept are two of them.  With
    a ``gate`` a pixel adds to w_gr of those Gaussians alone that its ray counts.
    """

    def __init__(self, stage: Stage, iterations: int, gate: float | None) -> None:
        """Begin with sums of nothing; ``gate`` is a share as `GatedRays` takes it, or None."""
        super().__init__(stage, True)
        self.gate = gate
        self.passes = 1 + iterations
        self.estimate = torch.zeros_like(self.sums)
        self.done = 0  # passes

    def rays(self, camera: Camera) -> GiveBack:
        """Return how a view's pixels speak to Gaussians: through the gate, if there is one."""
        if self.gate is None:
            return super().rays(camera)
        size, gaussians = (camera.width, camera.height), self.stage.gaussians
        return GatedRays(gaussians, camera.viewmat, camera.K, size, self.gate).adjoint

    def reweighted(self, level: int, weights: Tensor, vectors: Tensor) -> Tensor:
        """Return weights [N, R] over the distances of their vectors from the estimate."""
        if self.done == 0:
            return weights
        cosines = self.estimate[:, level] @ vectors.T
        return weights / (2 - 2 * cosines).clamp(min=CLOSEST**2).sqrt()

    def close(self) -> None:
        """End a pass: the weighted mean, at length 1, is the next estimate."""
        means = self.sums.div_(positive(self.weights)[..., None])
        self.estimate.copy_(unit_or_zero(means))
        self.done += 1
        if self.done < self.passes:
            self.sums.zero_()
            self.weights.zero_()

    def held(self) -> Tensor:
        """Return the last estimate, [N, levels x D]."""
        return self.estimate.flatten(1)

    def state_dict(self) -> dict[str, Any]:
        """Return the sums so far, and the estimate."""
        return super().state_dict() | {"estimate": self.estimate, "done": self.done}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from saved sums."""
        super().load_state_dict(state)
        self.estimate.copy_(state["estimate"])
        self.done = state["done"]
