"""How fast trained settings draw colours and class maps (METHODS 4, CLIP-GS's FPS)."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from itertools import cycle, islice
from typing import Any

import torch

from semsplat.data.scene import load_scene
from semsplat.errors import SemsplatError
from semsplat.log import progress
from semsplat.paths import scene_dir, train_dir
from semsplat.provenance import git_state, machine
from semsplat.train.model import open_field

WARM_UP = 3
"""Frames drawn before the clock starts: kernels load, caches fill."""


def benchmark(runs: list[str], repeats: int, device: str) -> dict[str, Any]:
    """Return the speed of every training, ``dataset/scene/setting/seed``, on this machine."""
    return {
        "protocol": "frames a second of held-out views in turn at the scene's resolution:"
        " projection, blending of colours and semantics in one pass, decoder, argmax; no reading or"
        f" writing; median of {repeats} after {WARM_UP}, synchronised",
        "machine": machine(),
        "git": git_state(),
        "device": device,
        "torch_threads": torch.get_num_threads(),
        "runs": {run: measure(run, repeats, device) for run in progress(runs, "speed")},
    }


def measure(run: str, repeats: int, device: str) -> dict[str, Any]:
    """Return FPS, milliseconds a frame and the size of one training's frames."""
    try:
        dataset, scene_name, setting, seed = run.split("/")
        number = int(seed)
    except ValueError:
        raise SemsplatError(f"'{run}' is no dataset/scene/setting/seed") from None
    field = open_field(train_dir(dataset, scene_name, setting, number), device)
    frames = load_scene(scene_dir(dataset, scene_name)).test
    if not frames:
        raise SemsplatError(f"{scene_dir(dataset, scene_name)}: no held-out view; set test_every")
    shown = islice(cycle(frames), WARM_UP + repeats)
    seconds = [timed(lambda f=frame: field.render(f), device) for frame in shown]  # type: ignore[misc]
    median = statistics.median(seconds[WARM_UP:])
    return {
        "fps": round(1 / median, 2),
        "frame_ms": round(1000 * median, 3),
        "size_px": [frames[0].width, frames[0].height],
        "n_gaussians": len(field.semantics),
        "semantic_dim": field.semantics.shape[1],
    }


def timed(work: Callable[[], object], device: str) -> float:
    """Return the seconds that work takes, until the device has finished it."""
    _wait(device)
    start = time.perf_counter()
    work()
    _wait(device)
    return time.perf_counter() - start


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()
