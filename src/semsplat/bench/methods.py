"""How fast trained settings draw class maps, answer queries or select objects (METHODS 2.5, 4).

CLIP-GS reports frames a second, GAGS the seconds of a query's two parts (its Table 3), CGC the
seconds of a mask (its section 4.2).
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from itertools import cycle, islice
from typing import Any

import torch
from torch import Tensor

from semsplat.data.scene import Frame, load_scene
from semsplat.errors import SemsplatError
from semsplat.evaluate.relevancy import relevancy
from semsplat.evaluate.selection import THRESHOLD, cosine, selected
from semsplat.log import progress
from semsplat.paths import scene_dir, train_dir
from semsplat.provenance import git_state, machine
from semsplat.train.methods import CLASSES, RELEVANCY, SIMILARITY, method
from semsplat.train.model import SemanticField, open_field

WARM_UP = 3
"""Frames drawn before the clock starts: kernels load, caches fill."""
N_CANONICAL = 4
"""Phrases against which a relevancy is measured (GAGS, Eq. 8)."""


def benchmark(runs: list[str], repeats: int, device: str) -> dict[str, Any]:
    """Return the speed of every training, ``dataset/scene/setting/seed``, on this machine."""
    return {
        "protocol": "held-out views, or training views where none is, in turn at the scene's"
        " resolution; a frame: projection, blending of colours and semantics in one pass,"
        " decoder, argmax; a query: render is projection and blending of features, predict all that"
        " follows to one prompt's relevancy, its text encoded before; a mask: projection and"
        " blending of features, comparison with one of them; no reading or writing; median of"
        f" {repeats} after {WARM_UP}, synchronised",
        "machine": machine(),
        "git": git_state(),
        "device": device,
        "torch_threads": torch.get_num_threads(),
        "runs": {run: measure(run, repeats, device) for run in progress(runs, "speed")},
    }


def measure(run: str, repeats: int, device: str) -> dict[str, Any]:
    """Return the times and the sizes of one training."""
    try:
        dataset, scene_name, setting, seed = run.split("/")
        number = int(seed)
    except ValueError:
        raise SemsplatError(f"'{run}' is no dataset/scene/setting/seed") from None
    field = open_field(train_dir(dataset, scene_name, setting, number), device)
    scene = load_scene(scene_dir(dataset, scene_name))
    frames = scene.test or scene.train  # some benchmarks train on every view
    shown = list(islice(cycle(frames), WARM_UP + repeats))
    times = {CLASSES: frame_times, RELEVANCY: query_times, SIMILARITY: mask_times}
    return {
        **times[method(field.facts.method).ANSWERS](field, shown),
        "size_px": [frames[0].width, frames[0].height],
        "n_gaussians": len(field.semantics),
        "semantic_dim": field.semantics.shape[1],
    }


def frame_times(field: SemanticField, frames: list[Frame]) -> dict[str, float]:
    """Return FPS and milliseconds of a frame with its class map."""
    median = median_seconds(field.render, frames, field.trained.device)
    return {"fps": round(1 / median, 2), "frame_ms": round(1000 * median, 3)}


@torch.no_grad()
def query_times(field: SemanticField, frames: list[Frame]) -> dict[str, float]:
    """Return milliseconds of one prompt asked of one view, and of the two parts of that."""
    device, kind = field.trained.device, method(field.facts.method)
    texts = torch.eye(field.facts.shape["out"], device=device)[: 1 + N_CANONICAL]

    def ask(frame: Frame) -> Tensor:
        return relevancy(kind.vectors(field, frame).maps, texts[:1], texts[1:])

    render = median_seconds(field.blend, frames, device)
    whole = median_seconds(ask, frames, device)
    return {
        "query_ms": round(1000 * whole, 3),
        "render_ms": round(1000 * render, 3),
        "predict_ms": round(1000 * (whole - render), 3),
    }


@torch.no_grad()
def mask_times(field: SemanticField, frames: list[Frame]) -> dict[str, float]:
    """Return milliseconds of one object's mask in one view (CGC, Eq. 6)."""

    def select(frame: Frame) -> Tensor:
        return selected(cosine(field.blend(frame), field.semantics[:1]), THRESHOLD)

    median = median_seconds(select, frames, field.trained.device)
    return {"mask_ms": round(1000 * median, 3)}


def median_seconds(work: Callable[[Frame], object], frames: list[Frame], device: str) -> float:
    """Return the median seconds that work takes on a frame, the first few left out."""
    seconds = [timed(partial(work, frame), device) for frame in frames]
    return statistics.median(seconds[WARM_UP:])


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
