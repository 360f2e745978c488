"""What a fit of Gaussians was at each of its steps, on disk for fits that take the very same steps.

Semantics that stay out of the geometry leave it bit for bit what it is without them.  So trainings
of one scene, seed and schedule fit the same Gaussians again and again; the first can leave a record
(`semsplat.geometry.recorder`) that the others follow (`semsplat.train.follow`).  A record is no
result: it lies in scratch, and without it everything comes out alike, later.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semsplat.arrays import read_arrays
from semsplat.errors import SemsplatError
from semsplat.io import read_json
from semsplat.params.geometry import GeometryJob
from semsplat.provenance import Card
from semsplat.splat.gaussians import SH_COEFFICIENTS

SHAPES = {"means": (3,), "quats": (4,), "scales": (3,), "opacities": ()}
"""What it takes to blend values of Gaussians: its numbers of each."""
Shapes = Mapping[str, tuple[int, ...]]
ALL = {**SHAPES, "sh0": (1, 3), "shN": (SH_COEFFICIENTS - 1, 3)}
SUMMARY, REFINED = "record.json", ".refined.npz"
ORIGIN, KEPT = "origin", "kept"
"""Of each Gaussian after a refinement: its row before, and whether it is the one of that row."""


def geometry_card(config: GeometryJob, scene_dir: Path) -> Card:
    """Return the card of a geometry run, whose key tells which steps it takes."""
    inputs = {"scene": scene_dir / "manifest.json"}
    return Card("geometry", "semsplat.geometry.__main__", config.model_dump(), inputs)


class Step(NamedTuple):
    """What a step found, and what it said of the colours that it drew."""

    gaussians: dict[str, NDArray[np.float32]]  # `SHAPES`; `ALL` after the last step
    losses: dict[str, np.float32]
    numbers: dict[str, float]


@dataclass(frozen=True)
class Record:
    """A finished record."""

    folder: Path

    @property
    def exists(self) -> bool:
        """Tell whether it is there; its summary is written last."""
        return (self.folder / SUMMARY).is_file()

    @cached_property
    def summary(self) -> dict[str, Any]:
        """Seconds and memory of the fit, names of what it said, files of `refined`."""
        found: dict[str, Any] = read_json(self.folder / SUMMARY)
        return found

    def step(self, step: int) -> Step:
        """Return a step, or what is left after the last."""
        found = self._read(step_file(step))
        said = [dict(zip(self.summary[k], found[k], strict=True)) for k in ("losses", "numbers")]
        return Step(_apart(found["gaussians"]), *said)

    def refined(self, step: int) -> dict[str, NDArray[Any]] | None:
        """Return `ORIGIN` and `KEPT` of a step that changed the number of Gaussians, or None."""
        name = refined_file(step)
        return self._read(name) if name in self.summary["refined"] else None

    def _read(self, name: str) -> dict[str, NDArray[Any]]:
        try:
            return read_arrays(self.folder / name)
        except SemsplatError as error:
            where, advice = self.folder, "delete this folder and run again, to the same results"
            raise SemsplatError(f"{where}: damaged record ({error}); {advice}") from None


def record_of(records: Path | None, card: Card, device: str) -> Record | None:
    """Return where the record of a geometry run is or is to be; None where none is kept.

    Args:
        records: the folder of a scene's and seed's records, if there is one.
        card: of the geometry run, see `geometry_card`.
        device: that computes.  Of a GPU's steps there are none: they are many and large.
    """
    return Record(records / card.key) if records and device == "cpu" else None


def _apart(together: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """Return what lies side by side in [N, W], each by its name."""
    shapes = SHAPES if together.shape[1] == sum(map(math.prod, SHAPES.values())) else ALL
    ends = np.cumsum([math.prod(shape) for shape in shapes.values()])[:-1]
    columns = zip(shapes.items(), np.split(together, ends, axis=1), strict=True)
    return {name: part.reshape(len(part), *shape) for (name, shape), part in columns}


def step_file(step: int) -> str:
    """Return the name of a step's file."""
    return f"{step:06}.npz"


def refined_file(step: int) -> str:
    """Return the name of the file of what became of the Gaussians in a step."""
    return f"{step:06}{REFINED}"
