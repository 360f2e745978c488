"""Leaving a record of a fit, see `semsplat.geometry.record`."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import Parameter, ParameterDict
from torch.optim import SGD, Optimizer

from semsplat.arrays import write_arrays
from semsplat.fit.loop import Number
from semsplat.fit.trainee import Density, Trainee
from semsplat.fit.views import View
from semsplat.geometry.record import (
    ALL,
    KEPT,
    ORIGIN,
    REFINED,
    SHAPES,
    SUMMARY,
    Record,
    Shapes,
    refined_file,
    step_file,
)
from semsplat.geometry.rgb import ColourTerms, colour_terms
from semsplat.io import write_sealed
from semsplat.params.geometry import Geometry
from semsplat.provenance import peak_ram_mb

MOST_BYTES = 2**32
"""Of one record, 4 GiB: 900 steps of 8,500 Gaussians are 0.3 GB."""


def record_fit(trainee: Trainee, record: Record | None, writer: str) -> None:
    """Let a fit leave a record where one is wanted and none is there; see `Recorder`."""
    if record and not record.exists and trainee.density:
        trainee.density = Recorder(trainee.density, record, writer)


def colours_of(trainee: Trainee) -> ColourTerms:
    """Return the losses of a fit's colours, those of one that is recorded taken down."""
    density = trainee.density
    return density.colour_terms if isinstance(density, Recorder) else colour_terms


def leave_record(trainee: Trainee, steps: int, train_s: float) -> None:
    """Finish the record of a fit that took so many steps and seconds, if it is recorded."""
    if isinstance(trainee.density, Recorder):
        trainee.density.finish(trainee.gaussians, steps, train_s)


class Recorder:
    """Stands in the place of density control and writes down what passes."""

    def __init__(self, density: Density, record: Record, writer: str) -> None:
        """Prepare a record.

        Args:
            density: whose place it takes.
            record: what is to be written; whoever ends first leaves it.
            writer: names the folder in which it lies until it is finished.
        """
        self.density, self.record = density, record
        self.partial = record.folder.with_name(f"{record.folder.name}.{writer}")
        self.losses: dict[str, Any] = {}
        self.numbers: dict[str, float] = {}
        self.bytes = 0

    def colour_terms(
        self, image: Tensor, view: View, step: int, config: Geometry
    ) -> tuple[dict[str, Tensor], dict[str, Number]]:
        """Return what `semsplat.geometry.rgb.colour_terms` does, and remember it."""
        losses, numbers = colour_terms(image, view, step, config)
        self.losses = {name: _array(loss) for name, loss in losses.items()}
        self.numbers = {n: float(one() if callable(one) else one) for n, one in numbers.items()}
        return losses, numbers

    def before_backward(
        self, gaussians: ParameterDict, optimizers: dict[str, Optimizer], step: int, info: Any
    ) -> None:
        """Write the Gaussians as this step found them."""
        self.density.before_backward(gaussians, optimizers, step, info)
        if step == 0:
            shutil.rmtree(self.partial, ignore_errors=True)
        self._write_step(step, gaussians, SHAPES)

    def after_step(
        self, gaussians: ParameterDict, optimizers: dict[str, Optimizer], step: int, info: Any
    ) -> None:
        """Let the Gaussians be refined; where that changes their rows write what became of them.

        gsplat carries an optimiser's sums along with the rows and starts new ones at 0, as it will
        those of what a training attaches.
        """
        rows = Parameter(torch.arange(len(gaussians["means"]), dtype=torch.float64))
        sums: Optimizer = SGD([rows])
        sums.state[rows][KEPT] = torch.ones_like(rows)
        gaussians[ORIGIN], optimizers[ORIGIN] = rows, sums
        self.density.after_step(gaussians, optimizers, step, info)
        after, sums = gaussians.pop(ORIGIN), optimizers.pop(ORIGIN)
        if after is not rows:
            kept = _array(sums.state[after][KEPT]) > 0
            origin = _array(after).astype(np.int32)
            self._write(refined_file(step), {ORIGIN: origin, KEPT: kept})

    def finish(self, gaussians: ParameterDict, steps: int, train_s: float) -> None:
        """Write the Gaussians after the last step, and let the record be found."""
        self._write_step(steps, gaussians, ALL)
        whole = all((self.partial / step_file(step)).exists() for step in range(steps + 1))
        if whole and not self.record.exists:
            write_sealed(self.partial / SUMMARY, self._summary(train_s))
            with suppress(OSError):  # another was there first
                os.replace(self.partial, self.record.folder)
        shutil.rmtree(self.partial, ignore_errors=True)

    def _summary(self, train_s: float) -> dict[str, Any]:
        return {
            "train_s": train_s,
            "peak_ram_mb": peak_ram_mb(),
            "losses": list(self.losses),
            "numbers": list(self.numbers),
            "refined": sorted(path.name for path in self.partial.glob(f"*{REFINED}")),
        }

    def state_dict(self) -> dict[str, Any]:
        """Return the state of density control."""
        return self.density.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from that state; the steps before it are written."""
        self.density.load_state_dict(state)

    def _write_step(self, step: int, gaussians: ParameterDict, shapes: Shapes) -> None:
        together = [_array(gaussians[name]).reshape(len(gaussians[name]), -1) for name in shapes]
        losses = np.array(list(self.losses.values()), np.float32)
        numbers = np.array(list(self.numbers.values()), np.float64)
        arrays = {"gaussians": np.hstack(together), "losses": losses, "numbers": numbers}
        self._write(step_file(step), arrays)

    def _write(self, name: str, arrays: dict[str, Any]) -> None:
        """Write a file of the record, or none any more where it has become too large."""
        self.bytes += sum(np.asarray(array).nbytes for array in arrays.values())
        if self.bytes > MOST_BYTES:
            shutil.rmtree(self.partial, ignore_errors=True)
            return
        self.partial.mkdir(parents=True, exist_ok=True)
        write_arrays(self.partial / name, arrays, compressed=False)


def _array(tensor: Tensor) -> NDArray[Any]:
    array: NDArray[Any] = tensor.detach().numpy()
    return array
