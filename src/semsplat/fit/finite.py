"""No result without finite numbers: what is no longer finite is named, with its likely cause."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from semsplat.errors import SemsplatError
from semsplat.fit.trainee import Trainee

KEPT = "the last good state is kept and no result is written"


class Watch:
    """Keeps the losses of steps, to say which was the first that is not finite.

    Asking a GPU would make each step wait for it, so `check` asks now and then, for all together.
    """

    def __init__(self) -> None:
        """Begin where nothing was seen yet."""
        self._seen: list[tuple[int, Tensor]] = []

    def note(self, step: int, loss: Tensor) -> None:
        """Keep the loss of a step, a scalar."""
        self._seen.append((step, loss.detach()))

    def check(self, step: int, trainee: Trainee, losses: dict[str, Tensor]) -> None:
        """Raise a `SemsplatError` if a loss since the last time or a parameter is not finite.

        Args:
            step: the last that was taken.
            trainee: whose Gaussians and decoder are looked at.
            losses: those of this step, by name.
        """
        found = list(parameters(trainee))
        # One question to the GPU as a rule: whatever spoils a sum is looked for one by one.
        seen = [taken for taken, _ in self._seen]
        asked = [loss for _, loss in self._seen] + [values.sum() for _, values, _ in found]
        said = torch.stack([value.double() for value in asked]).tolist() if asked else []
        bad = [taken for taken, loss in zip(seen, said, strict=False) if not math.isfinite(loss)]
        self._seen.clear()
        sound = math.isfinite(sum(said[len(seen) :]))
        where = f"step {bad[0] if bad else step}"
        for name, values, _ in [] if sound else found:
            if not is_finite(values):
                share = f"{int((~torch.isfinite(values)).sum())} of {values.numel()} values"
                raise SemsplatError(
                    f"{where}: parameter '{name}' is not finite ({share}); likely cause:"
                    f" {_cause(name, trainee)}: {KEPT}"
                )
        if bad:
            names = [name for name, loss in losses.items() if not is_finite(loss)]
            raise SemsplatError(
                f"{where}: loss '{', '.join(names) or 'total'}' is not finite though all parameters"
                f" are; look at the weights and options of it in params.yaml: {KEPT}"
            )


def _cause(name: str, trainee: Trainee) -> str:
    """Return what most likely spoiled a parameter; one that is spoiled soon spoils the others.

    Adam moves each value by about its rate a step: a rate over 1 leaves any range.
    """
    rates = {other: rate for other, _, rate in parameters(trainee)}
    fastest = max(rates, key=lambda other: rates[other])
    if rates[fastest] > 1:
        return f"the learning rate of '{fastest}', {rates[fastest]:g}; lower it in params.yaml"
    return f"its learning rate {rates[name]:g}, or adam_eps; lower the first, raise the second"


def check_start(trainee: Trainee) -> None:
    """Raise a `SemsplatError` if a parameter is not finite before the first step."""
    for name, values, _ in parameters(trainee):
        if not is_finite(values):
            raise SemsplatError(
                f"before the first step: parameter '{name}' is not finite; look at geometry.init in"
                " params.yaml and at the scene's points"
            )


def check_numbers(step: int, numbers: dict[str, float]) -> None:
    """Raise a `SemsplatError` if a number that a step has to say is not finite."""
    for name, value in numbers.items():
        if not math.isfinite(value):
            raise SemsplatError(f"step {step}: {name} is {value}; lower the learning rate: {KEPT}")


def parameters(trainee: Trainee) -> Iterator[tuple[str, Tensor, float]]:
    """Yield all that learns: name, values and learning rate."""
    for name, optimizer in trainee.optimizers.items():
        yield name, trainee.gaussians[name].detach(), optimizer.param_groups[0]["lr"]
    decoder = trainee.decoder
    if decoder and decoder.optimizer:
        rate = decoder.optimizer.param_groups[0]["lr"]
        for name, weights in decoder.module.named_parameters():
            yield f"decoder.{name}", weights.detach(), rate


def is_finite(values: Tensor) -> bool:
    """Tell whether all values are finite; a sum, which is as a rule enough, costs a fifth."""
    values = values.detach()
    return math.isfinite(float(values.sum())) or bool(torch.isfinite(values).all())
