"""What a geometry run was at each of its steps, on disk for trainings that take the very same ones.

Semantics that stay out of the geometry leave it bit for bit what it is without them.  So trainings
of one scene, seed and schedule would fit the same Gaussians again and again; the geometry run
leaves a record (`semsplat.geometry.recorder`) that they follow (`semsplat.train.follow`).  A record
is no result: it lies in scratch, and without it everything comes out alike, later.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semsplat.arrays import read_arrays
from semsplat.errors import SemsplatError
from semsplat.io import canonical_json, read_json, sha256_text
from semsplat.params.geometry import GeometryJob
from semsplat.paths import RECORD_FILE
from semsplat.provenance import Card, machine
from semsplat.splat.gaussians import SH_COEFFICIENTS

SHAPES = {"means": (3,), "quats": (4,), "scales": (3,), "opacities": ()}
"""What it takes to blend values of Gaussians: its numbers of each."""
Shapes = Mapping[str, tuple[int, ...]]
ALL = {**SHAPES, "sh0": (1, 3), "shN": (SH_COEFFICIENTS - 1, 3)}


class Refined(NamedTuple):
    """What became of the Gaussians in a step that made, split or removed some."""

    origin: NDArray[np.int32]  # [N], of each its row before
    kept: NDArray[np.bool_]  # [N], whether it is the one that was there


class Step(NamedTuple):
    """What a step found, what it said of the colours that it drew, and what it changed."""

    gaussians: dict[str, NDArray[np.float32]]  # `SHAPES`; `ALL` after the last step
    losses: dict[str, np.float32]
    numbers: dict[str, float]
    refined: Refined | None


def geometry_card(config: GeometryJob, scene_dir: Path) -> Card:
    """Return the card of a geometry run, whose key tells which steps it takes."""
    inputs = {"scene": scene_dir / "manifest.json"}
    return Card("geometry", "semsplat.geometry.__main__", config.model_dump(), inputs)


@dataclass(frozen=True)
class Record:
    """A record, which is there or not."""

    folder: Path

    @property
    def exists(self) -> bool:
        """Tell whether it is there, whole: its summary is written last."""
        return (self.folder / RECORD_FILE).is_file()

    @cached_property
    def summary(self) -> dict[str, Any]:
        """Seconds and memory of the fit, and the names of what it said."""
        with self._undamaged():
            found: dict[str, Any] = read_json(self.folder / RECORD_FILE)
        return found

    def step(self, step: int) -> Step:
        """Return a step, or what is left after the last."""
        with self._undamaged():
            found = read_arrays(self.folder / step_file(step))
        said = [dict(zip(self.summary[k], found[k], strict=True)) for k in ("losses", "numbers")]
        refined = Refined(found["origin"], found["kept"]) if "origin" in found else None
        return Step(_apart(found["gaussians"]), said[0], said[1], refined)

    @contextmanager
    def _undamaged(self) -> Iterator[None]:
        try:
            yield
        except SemsplatError as error:
            why = str(error).removeprefix(f"{self.folder}/").partition(";")[0]
            raise SemsplatError(
                f"{self.folder}: damaged record of steps ({why}); delete this folder and run again:"
                " nothing depends on it but time"
            ) from None


def record_of(records: Path, card: Card) -> Record:
    """Return where the record of a geometry run is, or is to be.

    Bits differ between kinds of processors and versions of libraries, so it is theirs alone.

    Args:
        records: the folder of a scene's and seed's records.
        card: of the geometry run, see `geometry_card`.
    """
    here = machine()
    told = {"key": card.key, "cpu": here["cpu"], "packages": here["packages"]}
    return Record(records / sha256_text(canonical_json(told))[:32])


def _apart(together: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """Return what lies side by side in [N, W], each by its name."""
    shapes = SHAPES if together.shape[1] == sum(map(math.prod, SHAPES.values())) else ALL
    ends = np.cumsum([math.prod(shape) for shape in shapes.values()])[:-1]
    columns = zip(shapes.items(), np.split(together, ends, axis=1), strict=True)
    return {name: part.reshape(len(part), *shape) for (name, shape), part in columns}


def step_file(step: int) -> str:
    """Return the name of a step's file."""
    return f"{step:06}.npz"
