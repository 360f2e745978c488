"""The tiny plane with lessons: left half one class, right half another."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import yaml

from semsplat.data.manifest import write_manifest
from semsplat.data.scene import Scene
from semsplat.experiment.runs import scaled_geometry
from semsplat.features.lessons import Lesson, Lessons, open_lessons, write_lesson
from semsplat.fit.loop import Objective, Outcome
from semsplat.fit.views import View
from semsplat.params.geometry import Geometry

STEPS = 40
PARAMS = yaml.safe_load((Path(__file__).parents[3] / "params.yaml").read_text())
GEOMETRY = scaled_geometry(Geometry(**PARAMS["geometry"]), STEPS / 30_000)
CLASSES = [{"id": 3, "name": "left"}, {"id": 8, "name": "right"}]


def write_lessons_of(
    folder: Path,
    scene: Scene,
    swap: tuple[str, ...] = (),
    classes: list[dict[str, Any]] = CLASSES,
) -> Lessons:
    """Write lessons that follow the world's x; the views in ``swap`` are taught the opposite.

    With one class all is that one; of more than two the others are never taught.
    """
    train = {frame.name for frame in scene.train}
    for frame in scene.frames:
        u = np.arange(frame.width) + 0.5
        x = (u - frame.K[0, 2]) / frame.K[0, 0] * 3 - frame.viewmat[0, 3]
        right = np.broadcast_to(x > 0, (frame.height, frame.width))
        regions = right.astype(np.int32)
        labels = np.where(right != (frame.name in swap), min(2, len(classes)), 1).astype(np.int32)
        write_lesson(
            folder, frame.name, Lesson(labels, regions, regions if frame.name in train else None)
        )
    write_manifest(folder, {"classes": classes})
    return open_lessons(folder)


def stop_at(monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str, step: int) -> None:
    """Let the objective that a function of a module makes be interrupted at a step."""
    inner = getattr(module, name)

    def stopping(*arguments: Any) -> Objective:
        objective = inner(*arguments)

        def stopped(now: int, view: View) -> Outcome:
            if now == step:
                raise KeyboardInterrupt
            return objective(now, view)

        return stopped

    monkeypatch.setattr(module, name, stopping)


@pytest.fixture(scope="session")
def lessons(tiny_scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Lessons:
    """Return right lessons for the tiny scene."""
    return write_lessons_of(tmp_path_factory.mktemp("lessons"), tiny_scene)


@pytest.fixture(autouse=True)
def _by_hand(by_hand: None) -> None:
    """Files of results are written by hand here; `tests/unit/test_verified.py` has the digests."""
