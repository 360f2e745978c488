"""Leaving a record of a geometry run, see `semsplat.geometry.record`."""

from __future__ import annotations

import math
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
from semsplat.fit.trainee import Density
from semsplat.fit.views import View
from semsplat.geometry.record import ALL, SHAPES, Record, Shapes, step_file
from semsplat.geometry.rgb import colour_terms
from semsplat.io import write_sealed
from semsplat.params.geometry import Geometry
from semsplat.paths import RECORD_FILE
from semsplat.provenance import peak_ram_mb

MOST_BYTES = 2**32
"""Of one record, 4 GiB: 900 steps of 8,500 Gaussians are 0.3 GB."""
ROWS = "rows"


class Recorder:
    """Stands in the place of density control and writes down what passes.

    Until it is finished a record has another name.  It never costs the run: where it becomes too
    large or cannot be written, it is given up, with a line that says so.
    """

    def __init__(self, density: Density, record: Record) -> None:
        """Prepare a record; ``density`` is what stood there."""
        self.density, self.record = density, record
        self.partial = record.folder.with_name(f"{record.folder.name}.partial")
        self.bytes = sum(path.stat().st_size for path in self.partial.glob("*"))
        self.given_up = False
        self.step: dict[str, Any] = {}
        self.names: dict[str, list[str]] = {}

    def colour_terms(
        self, image: Tensor, view: View, step: int, config: Geometry
    ) -> tuple[dict[str, Tensor], dict[str, Number]]:
        """Return what `semsplat.geometry.rgb.colour_terms` does, and remember it."""
        losses, numbers = colour_terms(image, view, step, config)
        last = sorted(numbers, key=lambda name: callable(numbers[name]))  # as the loop logs them
        said = [float(n() if callable(n) else n) for n in map(numbers.__getitem__, last)]
        self.names = {"losses": list(losses), "numbers": last}
        self.step = {
            "losses": np.array([loss.item() for loss in losses.values()], np.float32),
            "numbers": np.array(said, np.float64),
        }
        return losses, numbers

    def before_backward(
        self, gaussians: ParameterDict, optimizers: dict[str, Optimizer], step: int, info: Any
    ) -> None:
        """Remember the Gaussians as this step found them; the first begins a new record."""
        if step == 0:
            shutil.rmtree(self.partial, ignore_errors=True)
            self.bytes = 0
        self.density.before_backward(gaussians, optimizers, step, info)
        self.step["gaussians"] = _together(gaussians, SHAPES)

    def after_step(
        self, gaussians: ParameterDict, optimizers: dict[str, Optimizer], step: int, info: Any
    ) -> None:
        """Let the Gaussians be refined, and write the step with what became of their rows.

        gsplat carries an optimiser's sums along with the rows and starts new ones at 0, as it will
        those of what a training attaches.
        """
        rows = Parameter(torch.arange(len(gaussians["means"]), dtype=torch.float64))
        sums: Optimizer = SGD([rows])
        sums.state[rows]["kept"] = torch.ones_like(rows)
        gaussians[ROWS], optimizers[ROWS] = rows, sums
        self.density.after_step(gaussians, optimizers, step, info)
        after, sums = gaussians.pop(ROWS), optimizers.pop(ROWS)
        if after is not rows:
            self.step["origin"] = _array(after).astype(np.int32)
            self.step["kept"] = _array(sums.state[after]["kept"]) > 0
        self._write(step_file(step), self.step)

    def finish(self, gaussians: ParameterDict, steps: int, train_s: float) -> None:
        """Write the Gaussians after the last step, and let the record be found if it is whole."""
        last = {name: self.step[name] for name in self.names}  # none where no step was left to take
        self._write(step_file(steps), {**last, "gaussians": _together(gaussians, ALL)})
        files = (self.partial / step_file(step) for step in range(steps + 1))
        if last and all(file.exists() for file in files):
            cost = {"train_s": train_s, "peak_ram_mb": peak_ram_mb()}
            with suppress(OSError):  # a full disk
                write_sealed(self.partial / RECORD_FILE, {**self.names, **cost})
                shutil.rmtree(self.record.folder, ignore_errors=True)
                os.replace(self.partial, self.record.folder)
        shutil.rmtree(self.partial, ignore_errors=True)

    def state_dict(self) -> dict[str, Any]:
        """Return the state of density control."""
        return self.density.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from that state; the steps before it are written."""
        self.density.load_state_dict(state)

    def _write(self, name: str, arrays: dict[str, Any]) -> None:
        """Write a file of the record, unless it was given up."""
        if self.given_up:
            return
        self.bytes += sum(array.nbytes for array in arrays.values())
        if self.bytes > MOST_BYTES:
            self._give_up(f"it takes more than {MOST_BYTES / 2**30:g} GiB")
            return
        try:
            write_arrays(self.partial / name, arrays, compressed=False)
        except OSError as error:
            self._give_up(str(error))

    def _give_up(self, why: str) -> None:
        self.given_up = True
        shutil.rmtree(self.partial, ignore_errors=True)
        print(f"no record of the steps is left: {why}", flush=True)


def _together(gaussians: ParameterDict, shapes: Shapes) -> NDArray[np.float32]:
    """Return the named tensors side by side, [N, W]; a copy."""
    parts = (_array(gaussians[k]).reshape(-1, math.prod(shape)) for k, shape in shapes.items())
    return np.concatenate([*parts], axis=1)


def _array(tensor: Tensor) -> NDArray[Any]:
    array: NDArray[Any] = tensor.detach().numpy()
    return array
