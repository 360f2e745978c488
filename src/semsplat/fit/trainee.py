"""What is fitted: Gaussians, their optimisers, density control, and the state of all three."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch.nn import Module, Parameter, ParameterDict
from torch.optim import Adam, AdamW, Optimizer


@dataclass
class Decoder:
    """A network that learns beside the Gaussians; ``optimizer`` is None where it has no weights."""

    module: Module
    optimizer: Optimizer | None

    def state_dict(self) -> dict[str, Any]:
        """Return weights, buffers and the optimiser's sums."""
        optimizer = self.optimizer.state_dict() if self.optimizer else None
        return {"module": self.module.state_dict(), "optimizer": optimizer}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a saved state."""
        self.module.load_state_dict(state["module"])
        if self.optimizer:
            self.optimizer.load_state_dict(state["optimizer"])


class Density(Protocol):
    """What changes the number of Gaussians, as `semsplat.fit.density.DensityControl` does."""

    def before_backward(
        self, gaussians: ParameterDict, optimizers: dict[str, Optimizer], step: int, info: Any
    ) -> None:
        """Prepare for the gradients of a step."""

    def after_step(
        self, gaussians: ParameterDict, optimizers: dict[str, Optimizer], step: int, info: Any
    ) -> None:
        """Change Gaussians, with their optimisers' sums, in place."""

    def state_dict(self) -> dict[str, Any]:
        """Return tensors and plain numbers."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from what `state_dict` returned."""


@dataclass
class Trainee:
    """Gaussians with one Adam per tensor, as gsplat's strategies want them.

    A tensor without an optimiser stays as it is and is no part of the state.
    """

    gaussians: ParameterDict
    optimizers: dict[str, Optimizer]
    density: Density | None  # None: the geometry stays as it is
    rates: dict[str, Callable[[int], float]]  # learning rates that change with the step
    decoder: Decoder | None = None  # None: colours only

    def set_rates(self, step: int) -> None:
        """Set the learning rates of this step."""
        for key, rate in self.rates.items():
            self.optimizers[key].param_groups[0]["lr"] = rate(step)

    @property
    def all_optimizers(self) -> list[Optimizer]:
        """The optimisers of the Gaussians, then the decoder's."""
        further = [self.decoder.optimizer] if self.decoder and self.decoder.optimizer else []
        return [*self.optimizers.values(), *further]

    def step(self) -> None:
        """Apply and clear the gradients of all tensors."""
        for optimizer in self.all_optimizers:
            optimizer.step()
        self.clear()

    def clear(self) -> None:
        """Clear the gradients of all tensors."""
        for optimizer in self.all_optimizers:
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    parameter.grad = None

    def state_dict(self) -> dict[str, Any]:
        """Return all tensors and running sums, for `semsplat.fit.steps`."""
        return {
            "gaussians": {k: self.gaussians[k].detach() for k in self.optimizers},
            "optimizers": {k: v.state_dict() for k, v in self.optimizers.items()},
            "density": self.density.state_dict() if self.density else None,
            "decoder": self.decoder.state_dict() if self.decoder else None,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a saved state; the number of Gaussians may differ from the start's."""
        for key, value in state["gaussians"].items():
            parameter = Parameter(value.to(self.gaussians[key].device))
            self.gaussians[key] = parameter
            self.optimizers[key].param_groups[0]["params"] = [parameter]
            self.optimizers[key].load_state_dict(state["optimizers"][key])
        if self.density:
            self.density.load_state_dict(state["density"])
        if self.decoder:
            self.decoder.load_state_dict(state["decoder"])


def adam_per_tensor(
    gaussians: ParameterDict, rates: dict[str, float], eps: float
) -> dict[str, Optimizer]:
    """Return one fused Adam per tensor."""
    return {key: adam([gaussians[key]], rate, eps) for key, rate in rates.items()}


def adam(weights: list[Parameter], rate: float, eps: float, decay: float = 0.0) -> Adam:
    """Return a fused Adam over one group of weights, AdamW where they decay."""
    kind = AdamW if decay else Adam
    return kind([{"params": weights, "lr": rate}], eps=eps, weight_decay=decay, fused=True)


def seed_everything(seed: int) -> torch.Generator:
    """Seed torch's global generator (gsplat's splits draw from it) and return one of our own."""
    torch.manual_seed(seed)
    return torch.Generator().manual_seed(seed)
