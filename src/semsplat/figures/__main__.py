"""``python -m semsplat.figures``: draw one figure or table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from semsplat.commands import run_command
from semsplat.figures import OF_TRAININGS, figure_kind
from semsplat.keys import GeometryKey, SceneKey, parse_training


def run(kind: str, runs: list[str], options: str, out: Path) -> None:
    """Draw one figure.

    Args:
        kind: a file name in semsplat/figures.
        runs: dataset/scene/seed of the runs it shows, dataset/scene of a scene, or
            dataset/scene/setting/seed of the trainings; the setting of a geometry is "geometry".
        options: the kind's options, as JSON.
        out: the file to write.
    """
    module: Any = figure_kind(kind)
    shown = _trainings(runs) if module.SCOPE in OF_TRAININGS else _places(module.SCOPE, runs)
    module.draw(shown, module.Options.model_validate(json.loads(options)), out)


def _trainings(runs: list[str]) -> list[Any]:
    return [parse_training(run) for run in runs]


def _places(scope: str, runs: list[str]) -> list[Any]:
    parts = [run.split("/") for run in runs]
    if scope == "scene":
        return [SceneKey(dataset, scene) for dataset, scene in parts]
    return [GeometryKey(dataset, scene, int(seed)) for dataset, scene, seed in parts]


if __name__ == "__main__":
    run_command(run)
