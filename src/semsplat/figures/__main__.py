"""``python -m semsplat.figures``: draw one figure or table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import tyro

from semsplat.errors import SemsplatError, did_you_mean, one_line_errors
from semsplat.figures import figure_kind, figure_kinds


def run(kind: str, runs: list[str], options: str, out: Path) -> None:
    """Draw one figure.

    Args:
        kind: a file name in semsplat/figures.
        runs: dataset/scene/seed of the runs it shows, or dataset/scene of a scene.
        options: the kind's options, as JSON.
        out: the file to write.
    """
    with one_line_errors():
        if kind not in figure_kinds():
            raise SemsplatError(f"no figure kind '{kind}'{did_you_mean(kind, figure_kinds())}")
        from semsplat.figures.style import FigureRun, FigureScene

        module: Any = figure_kind(kind)
        parts = [run.split("/") for run in runs]
        shown = (
            [FigureScene(dataset, scene) for dataset, scene in parts]
            if module.SCOPE == "scene"
            else [FigureRun(dataset, scene, int(seed)) for dataset, scene, seed in parts]
        )
        module.draw(shown, module.Options.model_validate(json.loads(options)), out)


if __name__ == "__main__":
    tyro.cli(run)
