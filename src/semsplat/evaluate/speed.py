"""How fast trained settings draw class maps, answer queries or select objects (METHODS 2.5, 4).

CLIP-GS reports frames a second, GAGS the seconds of a query's two parts (its Table 3), CGC the
seconds of a mask (its section 4.2).
"""

from __future__ import annotations

from itertools import cycle, islice
from statistics import median
from typing import Any

from semsplat.data.scene import load_scene
from semsplat.evaluate.answers import answer
from semsplat.evaluate.others import Others
from semsplat.evaluate.stopwatch import ENOUGH, ENOUGH_S, WARM_UP
from semsplat.keys import parse_training
from semsplat.log import progress
from semsplat.paths import scene_dir
from semsplat.provenance import measured_on
from semsplat.train.methods import method
from semsplat.train.model import open_field

TURNS = 3
"""Times that all trainings are measured one after the other, every other time in reverse: what
slows a machine for a while then slows one turn, and not the trainings that came last."""


def benchmark(runs: list[str], repeats: int, device: str) -> dict[str, Any]:
    """Return the speed of every training, ``dataset/scene/setting/seed``, on this machine.

    ``turns`` says of each turn ``others_busy``, the share in [0, 1] of the device that other
    processes used meanwhile, None where a GPU does not tell.
    """
    rows: dict[str, list[dict[str, Any]]] = {run: [] for run in runs}
    turns = []
    for turn in range(TURNS):
        others = Others(device)
        for run in progress(runs if turn % 2 == 0 else runs[::-1], f"speed, turn {turn + 1}"):
            rows[run].append(measure(run, repeats, device))
        turns.append({"others_busy": others.share()})
    return {
        "protocol": "held-out views, or training views where none is, in turn at the scene's"
        " resolution; a frame: projection, blending of colours and semantics in one pass,"
        " decoder, argmax; a query: render is projection and blending of features, predict all that"
        " follows to one prompt's relevancy, its text encoded before; a mask: projection and"
        " blending of features, comparison with one of them; no reading or writing; median of"
        f" {repeats} after {WARM_UP}, or of as many as {ENOUGH_S} s hold but at least {ENOUGH},"
        f" synchronised, and of {TURNS} turns through all trainings",
        **measured_on(device),
        "turns": turns,
        "runs": {run: _of_turns(of_run) for run, of_run in rows.items()},
    }


def _of_turns(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the row of a training with the medians of its turns' times."""
    times = {k: median(row[k] for row in rows) for k, v in rows[0].items() if isinstance(v, float)}
    return {**rows[0], **times}


def measure(run: str, repeats: int, device: str) -> dict[str, Any]:
    """Return the times, in one turn, and the sizes of one training."""
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
        **field.sizes,
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
