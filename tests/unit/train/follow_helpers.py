"""A scene with lessons, reconstructed with a record of the steps, and trainings along it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from semsplat.geometry import __main__ as program
from semsplat.io import read_json
from semsplat.params.geometry import Geometry, GeometryJob
from semsplat.train.run import Places, train
from tests.unit.train.conftest import GEOMETRY
from tests.unit.train.test_run import SEED

FILES = ("point_cloud.ply", "semantics.safetensors")
GROWING = GEOMETRY.progressive.model_dump() | {"enabled": True}
PLACE = {"dataset": "made", "scene": "plane", "seed": 0, "run_seed": SEED, "steps_scaler": 1.0}


def lively(**changes: Any) -> Geometry:
    """Return a schedule that clones, splits, prunes and resets within 40 steps."""
    densify = {
        "start": 4, "stop": 36, "every": 7, "every_floor": 1, "grad_threshold": 1e-6,
        "split_scale": 0.02, "prune_opacity": 0.09, "reset_every": 20, "reset_floor": 1,
    }  # fmt: skip
    told = GEOMETRY.model_dump()
    return Geometry(**{**told, "densify": {**told["densify"], **densify}, **changes})


class World:
    """A scene with lessons, and trainings of it that share records or do not."""

    def __init__(self, scene: Any, lessons: Any, folder: Path) -> None:
        self.scene, self.lessons, self.folder = scene.scene_dir, lessons.folder, folder
        self.records = folder / "records"

    def reconstruct(
        self, geometry: Geometry, job: GeometryJob | None = None, every_s: float = 1e9
    ) -> Path:
        out = self.folder / "geometry"
        told = job or GeometryJob(**PLACE, geometry=geometry, log_every=5)
        places = self.scene, out, self.folder / "scratch_geometry"
        program.reconstruct(*places, told.model_dump_json(), every_s, "cpu", self.records)
        return out

    def train(self, name: str, told: str, records: bool = True, every_s: float = 1e9) -> Path:
        out = self.folder / name
        places = Places(self.scene, self.lessons, None, None, self.records if records else None)
        train(places, out, self.folder / f"scratch_{name}", told, every_s, "cpu")
        return out


def curves(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in lines(folder)]


def lines(folder: Path) -> list[str]:
    """Return the curves as they are written, but for the seconds."""
    text = (folder / "metrics.jsonl").read_text()
    return [re.sub(r'"seconds": [0-9.]+, ', "", line) for line in text.splitlines()]


def assert_alike(one: Path, other: Path) -> None:
    for name in FILES:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name
    assert lines(one) == lines(other)


def follows(folder: Path) -> bool:
    return "recorded_s" in read_json(folder / "run.json")["numbers"]
