"""One object taken out of the scene: the Gaussians that a click selects, alone.

The paper's Fig. 4.  A Gaussian is taken by its own feature; what does not belong shows as clutter.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from semsplat.errors import SemsplatError
from semsplat.figures import PREDICTION_FILES, SettingSheet
from semsplat.params.base import Count

if TYPE_CHECKING:
    from semsplat.data.scene import Scene
    from semsplat.figures.style import FigureRun

SCOPE = "run"
EXTENSION = "png"
NEEDS = PREDICTION_FILES
CLICK, CLICK_POINTS = "#FF00AA", 8


class Options(SettingSheet):
    """How the sheet looks."""

    grounder: Literal["clicks", "points", "clip_regions"]
    """whose clicks"""
    n_prompts: Count
    """rows, spread evenly over the prompts"""


def draw(runs: list[FigureRun], options: Options, out: Path) -> None:
    """Draw one run's sheet: a row per prompt."""
    from semsplat.data.scene import load_scene
    from semsplat.evaluate.selections import read_places
    from semsplat.figures.pictures import evenly, picture_grid
    from semsplat.figures.style import save_figure, setting_keys, styled

    (run,) = runs
    scene = load_scene(run.scene_dir)
    first = next(iter(options.settings))
    places = read_places(run.setting_dir(first) / "predictions", scene)[options.grounder]
    prompts = evenly(list(places), options.n_prompts)
    if not prompts:
        raise SemsplatError(f"{run.dataset}/{run.scene}: nothing was clicked to take out")
    with styled():
        aspect = scene.test[0].width / scene.test[0].height
        titles = ["clicked", *options.settings.values()]
        figure, axes = picture_grid(len(prompts), titles, aspect, options.row_height_in)
        for row, prompt in zip(axes, prompts, strict=True):
            _draw_row(row, run, scene, prompt, options)
        save_figure(figure, out, setting_keys(run, list(options.settings)), options.dpi)


def _draw_row(row: Any, run: FigureRun, scene: Scene, prompt: str, options: Options) -> None:
    """Draw the clicked view, and what every setting selects, seen from there."""
    from semsplat.data.images import read_rgb
    from semsplat.data.scene import load_image
    from semsplat.evaluate.selections import read_places
    from semsplat.paths import EXTRACTED

    frames = {frame.name: frame for frame in scene.frames}
    row[0].set_ylabel(f"“{prompt}”")
    for axis, setting in zip(row[1:], options.settings, strict=True):
        folder = run.setting_dir(setting) / "predictions"
        places = read_places(folder, scene)[options.grounder]
        if prompt not in places:
            axis.imshow(np.full((1, 1, 3), 255, np.uint8))
            axis.set_xlabel("no prediction")
            continue
        frame = frames[places[prompt].view]
        row[0].imshow(load_image(frame))
        row[0].plot(*places[prompt].pixel, "o", ms=CLICK_POINTS, mfc="none", mec=CLICK, mew=2)
        path = folder / EXTRACTED / options.grounder / f"{sorted(places).index(prompt)}.png"
        axis.imshow(read_rgb(path, (frame.width, frame.height)))
