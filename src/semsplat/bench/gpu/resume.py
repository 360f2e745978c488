"""A killed run, resumed, against one that was left alone.

gsplat's kernels add up gradients in the order in which they happen to end, so that two whole runs
can differ in their last bits.  Where they do, the resumed run is asked to be as near to one of them
as they are to each other; where they are identical it has to be.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from torch import Tensor

from semsplat.bench.gpu.steps import Bench, Said
from semsplat.bench.gpu.trainings import (
    job_of,
    killed_at,
    places_of,
    reconstructed,
    short_geometry,
    trained,
)
from semsplat.splat.ply import read_ply

STEPS = 24
"""At most: what begins as a last bit grows, and would hide what was not restored."""
TIMES = 10
"""How many times as far as two whole runs a resumed one may be from one of them."""


def check(bench: Bench) -> Said:
    """Kill a reconstruction and a training of CLIP-GS half way."""
    numbers, wrong = {}, []
    steps = min(bench.size.learning, STEPS)
    for name in ("geometry", "clip_gs"):
        folders = {run: bench.folder / f"{run}_{name}" for run in ("whole", "again", "killed")}
        with killed_at(steps // 2):
            _run(bench, name, folders["killed"], steps)
        if (folders["killed"] / "run.json").exists():
            wrong.append(f"{name}: SIGTERM did not end it")
        for folder in folders.values():
            _run(bench, name, folder, steps)
        numbers[name] = _compared(folders)
        if not numbers[name]["resumed"] <= TIMES * numbers[name]["again"]:
            wrong.append(f"{name}: the resumed run is not the whole one")
    return Said(numbers, wrong)


def _run(bench: Bench, name: str, out: Path, steps: int) -> None:
    """Run to the end; nothing is refined, for one bit could then be one Gaussian more."""
    geometry = short_geometry(bench, steps, refine=False)
    if name == "geometry":
        reconstructed(bench.plane.scene_dir, job_of(geometry), out, bench.device)
    else:
        places = places_of(bench, name, bench.plane, bench.folder)
        trained(bench, name, geometry, places, out, bench.device)


def _compared(folders: dict[str, Path]) -> dict[str, float]:
    """Return how far two runs are from the whole one, 0 where their files are the same bytes."""
    far = {run: _far(folders["whole"], folders[run]) for run in ("again", "killed")}
    return {"again": far["again"], "resumed": far["killed"]}


def _far(one: Path, other: Path) -> float:
    """Return how far apart two runs are in the tensor in which they are farthest."""
    names = [path.name for path in one.iterdir() if path.suffix in (".ply", ".safetensors")]
    if all((one / name).read_bytes() == (other / name).read_bytes() for name in names):
        return 0.0
    first, second = _tensors(one), _tensors(other)
    if any(first[key].shape != second[key].shape for key in first):
        return float("inf")
    apart = [_apart(first[key], second[key]) for key in sorted(first)]
    return float(np.max(apart))  # NaN if one is


def _apart(one: Tensor, other: Tensor) -> float:
    """Return the mean difference over the mean size of the values.

    The mean, for Adam makes a whole step of a gradient that is nothing but last bits: a few numbers
    of two whole runs lie far apart.
    """
    return ((other - one).abs().mean() / one.abs().mean().clamp(min=1e-6)).item()


def _tensors(folder: Path) -> dict[str, Tensor]:
    """Return a run's Gaussians and what a method attached to them."""
    from safetensors.torch import load_file

    from semsplat.paths import FIELD_FILE

    field = folder / FIELD_FILE
    return read_ply(folder / "point_cloud.ply") | (load_file(field) if field.exists() else {})
