"""How long a step and a frame take, and what memory, with many Gaussians."""

from __future__ import annotations

from itertools import cycle, islice
from pathlib import Path
from typing import Any

import torch

from semsplat.bench.gpu.steps import Bench, Said
from semsplat.bench.gpu.trainings import (
    curve,
    job_of,
    places_of,
    reconstructed,
    short_geometry,
    trained,
)
from semsplat.bench.gpu.world import WIDTH, write_plane
from semsplat.data.scene import load_scene
from semsplat.evaluate.answers import classes
from semsplat.evaluate.stopwatch import WARM_UP
from semsplat.train.model import open_gaussians

DEPTH = 1.0  # how far the cloud reaches before and behind the plane
DIM = 512  # of CLIP ViT-B/16's vectors
LINES = 4  # of the curve; the first part of the steps loads views and is left out
RUNS = "geometry", "clip_gs", "feature_3dgs"


def check(bench: Bench) -> Said:
    """Train on a cloud of Gaussians that stays as it is, in harmonics of the highest degree."""
    size = bench.size
    write_plane(bench.folder / "cloud/scene", size.width / WIDTH, size.n_gaussians, DEPTH)
    numbers: dict[str, Any] = {name: _measured(bench, name) for name in RUNS}
    return Said(numbers | {"n_gaussians": size.n_gaussians}, [])


def _measured(bench: Bench, name: str) -> dict[str, float]:
    """Return milliseconds of a step, peak memory and, of class maps, frames a second."""
    scene, out = load_scene(bench.folder / "cloud/scene"), bench.folder / "cloud" / name
    steps = bench.size.measured
    geometry = short_geometry(bench, steps, refine=False).model_copy(update={"sh_every": 1})
    every = max(1, steps // LINES)
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    if name == "geometry":
        reconstructed(scene.scene_dir, job_of(geometry, every), out, bench.device)
    else:
        places = places_of(bench, name, scene, bench.folder / "cloud", DIM)
        trained(bench, name, geometry, places, out, bench.device, every)
    numbers = {"step_ms": _step_ms(out), "peak_gpu_mb": torch.cuda.max_memory_allocated() // 2**20}
    if name == "clip_gs":
        field = open_gaussians(out, bench.device)
        frames = list(islice(cycle(scene.frames), WARM_UP + steps))
        numbers |= classes.time(field, frames)
    return numbers


def _step_ms(folder: Path) -> float:
    """Return the mean milliseconds of the steps after the first part."""
    seconds = curve(folder, "seconds")
    _, first, *_, last = sorted(seconds)
    return round(1000 * (seconds[last] - seconds[first]) / (last - first), 3)
