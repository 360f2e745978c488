"""Lifting as an inverse problem: what Gaussians have to hold for views to show what they say.

Of every level, over all pixels p of all training views that have a region there,

    min_F  sum_p |sum_g w_gp F_g - f_p|^2 + ridge sum_g D_g |F_g|^2,   D_g = sum_p w_gp,

by conjugate gradients on the normal equations (A^T A + ridge D) F = A^T f, preconditioned by D.
From F = 0 the first iteration goes along D^-1 A^T f, the weighted mean; later ones take back what
Gaussians share a pixel for.  With the penalty in units of D all eigenvalues of the preconditioned
system lie between ridge and 1 + ridge, whatever the resolution and the number of views.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from semsplat.fit.views import Camera
from semsplat.splat.gaussians import splat_values
from semsplat.train.granularity import level_maps
from semsplat.train.lifting import AT_ONCE, WeightedMean, positive
from semsplat.train.methods import Stage

if TYPE_CHECKING:
    from torch.nn import ParameterDict

VECTORS = ("solution", "residual", "direction", "image")
"""What is kept for every Gaussian, level and number: F, r, p, and A^T A p as it is added up."""


class RegularisedInverse:
    """Some conjugate gradient iterations, a pass over the training views each.

    The first pass adds up A^T f and D.  Four vectors of levels x D numbers are kept per Gaussian.
    """

    def __init__(self, stage: Stage, ridge: float, iterations: int) -> None:
        """Begin with a solution of zeros."""
        self.stage, self.ridge, self.passes = stage, ridge, 1 + iterations
        self.first = WeightedMean(stage, False)
        self.done = 0  # passes
        like = torch.zeros_like(self.first.sums)
        self.vectors = {name: like.clone() for name in VECTORS}
        self.descent = like.new_zeros(like.shape[1])  # r . D^-1 r of every level

    def add(self, camera: Camera) -> None:
        """Add a training view: to A^T f and D, or to A^T A p."""
        if self.done == 0:
            self.first.add(camera)
            return
        gaussians, maps = self.stage.gaussians, level_maps(self.stage, camera)
        for level, covered in enumerate(maps.covered):
            for start in range(0, self.vectors["image"].shape[-1], AT_ONCE):
                part = slice(start, start + AT_ONCE)
                held = self.vectors["direction"][:, level, part]
                self.vectors["image"][:, level, part] += normal(gaussians, camera, held, covered)

    def close(self) -> None:
        """End a pass: know A^T f, or take an iteration."""
        if self.done == 0:
            self.vectors["residual"].copy_(self.first.sums)
            self._turn()
        else:
            self._iterate()
        self.done += 1

    def _iterate(self) -> None:
        """Go along the direction to the least of its values, and turn."""
        solution, residual, direction, image = (self.vectors[name] for name in VECTORS)
        image += self.ridge * self.first.weights[..., None] * direction
        length = self.descent / positive(_dot(direction, image))
        solution += length[:, None] * direction
        residual -= length[:, None] * image
        self._turn()
        image.zero_()

    def _turn(self) -> None:
        """Set the next direction, conjugate to the last."""
        residual, direction = self.vectors["residual"], self.vectors["direction"]
        steepest = residual / positive(self.first.weights)[..., None]
        descent = _dot(residual, steepest)
        direction.mul_((descent / positive(self.descent))[:, None]).add_(steepest)
        self.descent.copy_(descent)

    def numbers(self) -> dict[str, float]:
        """Return the share of Gaussians that were shown, and |r| / |A^T f|, 1 at the start."""
        start = self.first.sums.norm()
        left = self.vectors["residual"].norm() / start if self.done else torch.ones(())
        return self.first.numbers() | {"residual": float(left)}

    def held(self) -> Tensor:
        """Return what every Gaussian holds, [N, levels x D]."""
        return self.vectors["solution"].flatten(1)

    def state_dict(self) -> dict[str, Any]:
        """Return all vectors and the number of passes."""
        own = {"done": self.done, "descent": self.descent, "vectors": self.vectors}
        return own | {"first": self.first.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from saved vectors."""
        self.done = state["done"]
        self.descent.copy_(state["descent"])
        self.first.load_state_dict(state["first"])
        for name, values in self.vectors.items():
            values.copy_(state["vectors"][name])


def normal(gaussians: ParameterDict, camera: Camera, held: Tensor, covered: Tensor) -> Tensor:
    """Return A^T A of what Gaussians hold, [N, E], of one view's pixels ``covered`` bool [H, W]."""
    values = held.detach().contiguous().requires_grad_()
    with torch.enable_grad():
        shown, _, _ = splat_values(gaussians, values, *camera.alone)
    return torch.autograd.grad(shown, values, shown.detach() * covered[None, ..., None])[0]


def _dot(one: Tensor, other: Tensor) -> Tensor:
    """Return the inner product of every level, [levels], of [N, levels, D]."""
    return torch.einsum("nld,nld->l", one, other)
