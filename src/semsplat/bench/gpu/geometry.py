"""A reconstruction on the GPU against the CPU's: the first steps, and a finished run where named.

Both see the same views in one order from the same Gaussians, so that curves compare step by step.
"""

from __future__ import annotations

from pathlib import Path
from statistics import mean
from typing import Any

from semsplat.bench.gpu.steps import Bench, Said
from semsplat.bench.gpu.trainings import (
    curve,
    farthest,
    job_of,
    killed_at,
    reconstructed,
    scratch_of,
    short_geometry,
)
from semsplat.data.datasets import procedural
from semsplat.errors import SemsplatError
from semsplat.io import read_json, sha256_file
from semsplat.params.geometry import GeometryJob

FIRST = 10
"""Steps that the CPU takes as well."""
LOSS, PSNR_DB, GAUSSIANS = 1e-3, 0.3, 0.05
"""How far loss (a share), PSNR and the number of Gaussians (a share) may be apart."""


def check(bench: Bench) -> Said:
    """Reconstruct the room or the scene that was named."""
    scene, job = _asked(bench)
    here, there = bench.folder / "room_cpu", bench.folder / "room_cuda"
    with killed_at(FIRST):
        reconstructed(scene, job, here, "cpu")
    reconstructed(scene, job, there, bench.device)
    losses = curve(there, "loss")
    far = farthest(losses, curve(scratch_of(here), "loss"), FIRST)
    wrong = [] if far <= LOSS else [f"loss of the first {FIRST} steps differs by {far:.1e}"]
    ends = _ends(there, list(losses))
    start = curve(there, "psnr")[0]
    wrong += [] if ends["psnr"] > start else [f"PSNR does not rise, {start} to {ends['psnr']} dB"]
    numbers: dict[str, Any] = {"steps": len(losses), "loss_differs": float(f"{far:.2g}"), **ends}
    if bench.cpu_run:
        finished = _ends(bench.cpu_run, list(losses))
        numbers["cpu"] = finished
        wrong += _apart(ends, finished)
    return Said(numbers, wrong)


def _asked(bench: Bench) -> tuple[Path, GeometryJob]:
    """Return the scene and the run, that of the finished one where it is named."""
    if not bench.cpu_run:
        return bench.scene or _room(bench), job_of(short_geometry(bench, bench.size.steps))
    card = read_json(bench.cpu_run / "run.json")
    job = GeometryJob.model_validate(card["config"]).model_copy(update={"log_every": 1})
    scene = bench.scene or Path("data") / job.dataset / job.scene
    if sha256_file(scene / "manifest.json") != card["inputs"]["scene"]:
        raise SemsplatError(f"{scene}: not the scene of {bench.cpu_run}; name that by --scene")
    return scene, job


def _room(bench: Bench) -> Path:
    """Draw the demo's room."""
    entry, out = bench.params["datasets"]["procedural"], bench.folder / "data/procedural/room"
    told = entry["options"] | entry["scenes"]["room"] | bench.size.room
    options = procedural.Options.model_validate(told)
    procedural.draw(options, procedural.native_dir(out))
    procedural.import_scene("room", options, out)
    return out


def _ends(folder: Path, steps: list[int]) -> dict[str, float]:
    """Return the mean PSNR over the last fifth of the steps, where logged, and the Gaussians."""
    psnr, n_gaussians = curve(folder, "psnr"), curve(folder, "n_gaussians")
    last = [value for step, value in psnr.items() if step >= 0.8 * len(steps)]
    return {"psnr": round(mean(last), 3), "n_gaussians": n_gaussians[max(n_gaussians)]}


def _apart(found: dict[str, float], expected: dict[str, float]) -> list[str]:
    """Return what differs too much from a finished run."""
    wrong, more = [], found["n_gaussians"] / expected["n_gaussians"] - 1
    if abs(found["psnr"] - expected["psnr"]) > PSNR_DB:
        wrong.append(f"PSNR is {found['psnr']} dB, the CPU's {expected['psnr']}")
    if abs(more) > GAUSSIANS:
        wrong.append(f"{100 * more:+.1f} % Gaussians against the CPU's")
    return wrong
