"""How fast trained settings draw class maps, answer queries or select objects (METHODS 2.5, 4).

CLIP-GS reports frames a second, GAGS the seconds of a query's two parts (its Table 3), CGC the
seconds of a mask (its section 4.2).
"""

from __future__ import annotations

from itertools import cycle, islice
from typing import Any

from semsplat.data.scene import load_scene
from semsplat.evaluate.answers import answer
from semsplat.evaluate.stopwatch import WARM_UP
from semsplat.keys import parse_training
from semsplat.log import progress
from semsplat.paths import scene_dir
from semsplat.provenance import measured_on
from semsplat.train.methods import method
from semsplat.train.model import open_field


def benchmark(runs: list[str], repeats: int, device: str) -> dict[str, Any]:
    """Return the speed of every training, ``dataset/scene/setting/seed``, on this machine."""
    return {
        "protocol": "held-out views, or training views where none is, in turn at the scene's"
        " resolution; a frame: projection, blending of colours and semantics in one pass,"
        " decoder, argmax; a query: render is projection and blending of features, predict all that"
        " follows to one prompt's relevancy, its text encoded before; a mask: projection and"
        " blending of features, comparison with one of them; no reading or writing; median of"
        f" {repeats} after {WARM_UP}, synchronised",
        **measured_on(device),
        "runs": {run: measure(run, repeats, device) for run in progress(runs, "speed")},
    }


def measure(run: str, repeats: int, device: str) -> dict[str, Any]:
    """Return the times and the sizes of one training."""
    key = parse_training(run)
    field = open_field(key.folder, device)
    scene = load_scene(scene_dir(key.dataset, key.scene))
    frames = scene.test or scene.train  # some benchmarks train on every view
    shown = list(islice(cycle(frames), WARM_UP + repeats))
    times: dict[str, float] = {}
    for kind in map(answer, method(field.facts.method).ANSWERS):
        times |= kind.time(field, shown) if hasattr(kind, "time") else {}
    return {
        **times,
        "size_px": [frames[0].width, frames[0].height],
        "n_gaussians": len(field.semantics),
        "semantic_dim": field.semantics.shape[1],
    }


def report_lines(report: dict[str, Any]) -> list[str]:
    """Return a line for every training of a report."""
    units = {"fps": "FPS", "query_ms": "ms a query", "mask_ms": "ms a mask"}
    lines = []
    for run, row in report["runs"].items():
        size = "x".join(map(str, row["size_px"]))
        speeds = ", ".join(f"{row[name]:.2f} {unit}" for name, unit in units.items() if name in row)
        lines.append(f"{run:<44}{speeds:>18} at {size} on {report['device']}")
    return lines
