"""The tiny plane with lessons: left half one class, right half another."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from semsplat.bench.gpu.world import write_lessons_of
from semsplat.data.scene import Scene
from semsplat.features.lessons import Lessons
from semsplat.fit.loop import Objective, Outcome
from semsplat.fit.views import View
from semsplat.params.geometry import Geometry
from semsplat.params.scaling import scaled_geometry

STEPS = 40
PARAMS = yaml.safe_load((Path(__file__).parents[3] / "params.yaml").read_text())
GEOMETRY = scaled_geometry(Geometry(**PARAMS["geometry"]), STEPS / 30_000)


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


@pytest.fixture
def world(tiny_scene: Scene, lessons: Lessons, tmp_path: Path) -> Any:
    """Return a `World` of the tiny scene, whose module reads this one."""
    from tests.unit.train.follow_helpers import World

    return World(tiny_scene, lessons, tmp_path)


@pytest.fixture(autouse=True)
def _by_hand(by_hand: None) -> None:
    """Files of results are written by hand here; `tests/unit/test_verified.py` has the digests."""
