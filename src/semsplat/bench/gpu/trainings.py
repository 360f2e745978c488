"""Reconstructions and trainings, from files to files as the workflow runs them."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

from semsplat.bench.gpu import world
from semsplat.bench.gpu.steps import Bench
from semsplat.data.scene import Scene
from semsplat.fit.trainee import Trainee
from semsplat.geometry.__main__ import reconstruct
from semsplat.io import read_json_lines
from semsplat.params.geometry import Geometry, GeometryJob
from semsplat.params.methods import OnGeometry, Taught, TrainingJob
from semsplat.params.scaling import scaled_geometry
from semsplat.train.methods import method_options
from semsplat.train.run import Places, train
from semsplat.verified import verified

NEVER_S = 1e9  # between two saved states
PLACE: dict[str, Any] = {"dataset": "made", "scene": "plane", "seed": 0, "run_seed": 11}
CLIP = "tiny"
"""The CLIP that is part of the package, by its name in params.yaml."""
FEATURES = {
    "feature_3dgs": "dense", "cgc": "masks", "le_gaussians": "dense", "goi": "dense",
}  # fmt: skip
"""What methods learn from beside lessons and geometry; levels are all others on finished one."""
RATES = {"semantics": 0.02, "decoder": 0.01}
SMALL: dict[str, dict[str, Any]] = {
    "clip_gs": {"lr": RATES},
    "feature_3dgs": {"lr": 0.02},
    "cgc": {
        "lr": 0.02,
        "contrast": {"more_than_px": 20, "pixels_of": 1, "every": 2},
        "spatial": {"every": 4},
    },
    "gaussian_grouping": {"classes": 4, "lr": RATES},
    "le_gaussians": {"lr": RATES, "codebook": {"entries": 2, "epochs": 3}},
    "gags": {"lr": RATES, "image_scale": 1.0, "decoder": {"hidden_share": 4.0}},
    "n2f2": {"lr": RATES, "image_scale": 1.0},
    "goi": {"lr": RATES, "table": {"entries": 2, "start_every": 1}},
    "langsplat": {"lr": 0.02, "autoencoder": {"encoder": [4, 3], "decoder": [4], "epochs": 2}},
    "langsplat_v2": {"lr": {"semantics": 0.05, "decoder": 0.001}, "entries": 4},
}
"""Options of methods that learn two classes from a few small views in a few steps."""


def short_geometry(bench: Bench, steps: int, refine: bool = True) -> Geometry:
    """Return params.yaml's geometry in so many steps."""
    geometry = Geometry(**bench.params["geometry"])
    geometry = scaled_geometry(geometry, steps / geometry.steps)
    if refine:
        return geometry
    never = {"start": steps + 1, "stop": steps + 2, "reset_every": steps + 1}
    return geometry.model_copy(update={"densify": geometry.densify.model_copy(update=never)})


def job_of(geometry: Geometry, log_every: int = 1) -> GeometryJob:
    """Return a reconstruction's parameters."""
    return GeometryJob(**PLACE, steps_scaler=1.0, geometry=geometry, log_every=log_every)


def reconstructed(scene: Path, job: GeometryJob, out: Path, device: str) -> Path:
    """Reconstruct and return the folder."""
    reconstruct(scene, out, scratch_of(out), job.model_dump_json(), NEVER_S, device)
    return out


def scratch_of(out: Path) -> Path:
    """Return where a run's state lies."""
    return out.with_name(f"{out.name}_scratch")


def options_of(bench: Bench, name: str, steps: int) -> dict[str, Any]:
    """Return a method's options in params.yaml, with those of `SMALL` in their places."""
    options = dict(bench.params["methods"][name])
    for key, value in SMALL.get(name, {}).items():
        merge = isinstance(value, dict) and isinstance(options[key], dict)
        options[key] = options[key] | value if merge else value
    if name == "clip_gs":
        options["coherent"] = options["coherent"] | {"start": steps // 2}
    if "steps" in options:
        options["steps"] = steps
    return options


def trained(
    bench: Bench, name: str, geometry: Geometry, places: Places, out: Path, device: str,
    log_every: int = 1,
) -> Path:  # fmt: skip
    """Train a method and return the folder."""
    job = TrainingJob(
        **PLACE, setting=name, steps_scaler=1.0, rates_scaler=1.0, method=name,
        options=options_of(bench, name, geometry.steps), teacher=None, geometry=geometry,
        log_every=log_every,
    )  # fmt: skip
    train(places, out, scratch_of(out), job.model_dump_json(), NEVER_S, device)
    return out


def places_of(bench: Bench, name: str, scene: Scene, folder: Path, dim: int = 64) -> Places:
    """Write what a method learns from, where it is not there yet, and return the folders.

    ``dim``: of the vectors in dense maps; those of levels are of the embedded CLIP's 64.
    """
    options = method_options(name)
    kind = FEATURES.get(name, "levels" if issubclass(options, OnGeometry) else None)
    lessons = folder / "lessons" if issubclass(options, Taught) else None
    features = folder / kind if kind else None
    geometry = folder / "geometry" if issubclass(options, OnGeometry) else None
    if lessons and not lessons.exists():
        world.write_lessons_of(lessons, scene)
    if geometry and not geometry.exists():
        world.write_geometry(geometry, scene, Geometry(**bench.params["geometry"]))
    if features and not features.exists():
        _write_features(bench, features, scene, dim)
    return Places(scene.scene_dir, lessons, features, geometry)


def _write_features(bench: Bench, folder: Path, scene: Scene, dim: int) -> None:
    if folder.name == "levels":
        clip = bench.params["features"]["clip_models"][CLIP]
        world.write_levels(folder, scene, dim, {"models": {"clip": clip}, "templates": ["{}"]})
    elif folder.name == "masks":
        world.write_masks(folder, scene)
    else:
        world.write_dense(folder, scene, dim)


def curve(folder: Path, key: str) -> dict[int, float]:
    """Return a column of ``metrics.jsonl`` by its step."""
    return {line["step"]: line[key] for line in read_json_lines(verified(folder / "metrics.jsonl"))}


def farthest(losses: dict[int, float], expected: dict[int, float], steps: int) -> float:
    """Return how far the first losses are from others, the largest share of these."""
    return max(abs(losses[step] / expected[step] - 1) for step in range(steps))


@contextmanager
def killed_at(step: int) -> Iterator[None]:
    """Let SIGTERM come at the beginning of a step of what is trained meanwhile."""
    inner = Trainee.set_rates

    def set_rates(trainee: Trainee, now: int) -> None:
        if now == step:
            signal.raise_signal(signal.SIGTERM)
        inner(trainee, now)

    with patch.object(Trainee, "set_rates", set_rates), suppress(SystemExit):
        yield
