"""What the training of a network needs beside the network: optimiser, gradient clipping, state."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import Optimizer

MAX_NORM = 1.0


class NetworkLearner:
    """A network and its optimiser, as `semsplat.fit.steps` saves and resumes them."""

    def __init__(self, network: nn.Module, optimizer: Optimizer) -> None:
        """Keep both; nothing is copied."""
        self.network, self.optimizer = network, optimizer

    def set_rate(self, rate: float) -> None:
        """Set the learning rate of all parameters."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    def minimise(self, loss: Tensor) -> None:
        """Take one step down the loss, its gradient clipped to norm `MAX_NORM`."""
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        clip_grad_norm_(self.network.parameters(), MAX_NORM)
        self.optimizer.step()

    def state_dict(self) -> dict[str, Any]:
        """Return weights and moments."""
        return {"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a saved state."""
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
