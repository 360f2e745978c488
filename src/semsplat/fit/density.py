"""Adaptive density control: gsplat's DefaultStrategy, driven by our schedules on both backends."""

from __future__ import annotations

from typing import Any

import torch
from gsplat.strategy import DefaultStrategy
from gsplat.strategy.ops import reset_opa
from torch import Tensor
from torch.nn import ParameterDict
from torch.optim import Optimizer

from semsplat.fit.schedules import refine_steps
from semsplat.params.geometry import Densify, Progressive

NEVER = 10**9


def grad_threshold(densify: Densify, height_px: int) -> float:
    """Return the gradient threshold for images of this height.

    3DGS's 2e-4 is for photographs.  The loss is a mean over pixels, so a Gaussian of the size of a
    few pixels has a gradient (in units of half the image) that grows as 1 / height: at 120 pixels
    the same number would clone nearly everything at every refinement.
    """
    return densify.grad_threshold * max(1.0, densify.reference_height_px / height_px)


class _Strategy(DefaultStrategy):
    """gsplat's, which counts what a view sees without asking the GPU which that is."""

    def _update_state(
        self, params: Any, state: dict[str, Any], info: dict[str, Any], packed: bool = False
    ) -> None:
        """Add the norms of this step's screen-space gradients, and which Gaussians had one."""
        gradients = info[self.key_for_gradient].grad.clone()  # [C, N, 2]
        for axis, pixels in enumerate((info["width"], info["height"])):
            gradients[..., axis] *= pixels / 2 * info["n_cameras"]
        seen = (info["radii"] > 0).all(dim=-1)  # [C, N]
        norms = torch.where(seen, gradients.norm(dim=-1), 0.0).sum(dim=0)
        for name, new in (("grad2d", norms), ("count", seen.sum(dim=0).to(norms.dtype))):
            state[name] = new if state[name] is None else state[name] + new


class DensityControl:
    """Splits, clones, prunes and resets Gaussians as 3DGS does.

    The strategy's own clock cannot follow a changing interval, so it is told step by step whether
    to refine.  Its opacity reset never fires in gsplat 1.5.3 (``step % n == 0 & step > 0`` is a
    chained comparison with ``0 & step``), so the reset is done here.
    """

    def __init__(
        self,
        densify: Densify,
        progressive: Progressive,
        extent: float,
        height_px: int,
        device: str = "cpu",
    ) -> None:
        """Prepare the schedule for a scene's extent (world units) and image height."""
        self.device = device
        self.config = densify
        self.refine_at = frozenset(refine_steps(densify, progressive))
        self.strategy = _Strategy(
            prune_opa=densify.prune_opacity,
            grow_grad2d=grad_threshold(densify, height_px),
            grow_scale3d=densify.split_scale,
            prune_scale3d=densify.prune_scale,
            refine_start_iter=0,
            refine_stop_iter=densify.stop,
            reset_every=densify.reset_every,
        )
        self.state: dict[str, Any] = self.strategy.initialize_state(scene_scale=extent)

    def before_backward(
        self,
        gaussians: ParameterDict,
        optimizers: dict[str, Optimizer],
        step: int,
        info: dict[str, Any],
    ) -> None:
        """Ask autograd to keep the screen-space gradients."""
        self.strategy.step_pre_backward(gaussians, optimizers, self.state, step, info)

    def after_step(
        self,
        gaussians: ParameterDict,
        optimizers: dict[str, Optimizer],
        step: int,
        info: dict[str, Any],
    ) -> None:
        """Collect gradients; at the scheduled steps refine, and reset opacities."""
        self.strategy.refine_every = 1 if step in self.refine_at else NEVER
        self.strategy.step_post_backward(
            gaussians, optimizers, self.state, step, info, packed=False
        )
        if 0 < step < self.config.stop and step % self.config.reset_every == 0:
            twice = 2 * self.config.prune_opacity  # 3DGS resets to just above the pruning threshold
            reset_opa(gaussians, optimizers, self.state, value=twice)

    def state_dict(self) -> dict[str, Tensor | float | None]:
        """Return the running sums, for a saved state."""
        return dict(self.state)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from saved running sums."""
        self.state = {
            name: value.to(self.device) if isinstance(value, Tensor) else value
            for name, value in state.items()
        }
