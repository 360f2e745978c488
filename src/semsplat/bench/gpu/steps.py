"""What the steps are told, and what they say."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from semsplat.bench.gpu.world import write_plane
from semsplat.data.scene import Scene, load_scene

STEPS = (
    "environment", "build", "parity", "geometry", "methods", "resume", "speed", "bars",
)  # fmt: skip
"""Files of this folder, in the order in which they are asked."""


class Size(NamedTuple):
    """How much is computed."""

    room: dict[str, Any]  # of the data set's options, those that differ
    steps: int  # of the room's geometry
    learning: int  # steps of every method
    times: float  # size of the pictures that methods learn from, over 48 x 36
    n_gaussians: int  # of the measurements of speed
    width: int  # of their pictures, 4 : 3
    measured: int  # steps, and frames
    bars: bool  # whether the stated bars apply


SIZES = {
    "full": Size({}, 900, 300, 4.0, 1_500_000, 640, 100, True),
    "small": Size(
        {"n_views": 6, "width_px": 32, "height_px": 24, "n_points": 100, "sweep": None},
        *(12, 12, 0.5, 200, 24, 8, False),
    ),
}


class Said(NamedTuple):
    """What a step says."""

    numbers: dict[str, Any]
    wrong: list[str]  # what is not as it has to be, a line each
    skipped: str | None = None  # why nothing was judged


@dataclass(frozen=True)
class Bench:
    """What every step is told."""

    folder: Path  # to write in
    params: dict[str, Any]  # params.yaml
    size: Size
    scene: Path | None
    cpu_run: Path | None
    cpu: bool
    device: str
    found: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The numbers of the steps before."""

    @cached_property
    def plane(self) -> Scene:
        """The plane that methods learn from."""
        write_plane(self.folder / "plane", self.size.times)
        return load_scene(self.folder / "plane")
