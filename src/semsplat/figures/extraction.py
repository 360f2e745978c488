"""One object taken out of the scene: the Gaussians that a click selects, alone.

The paper's Fig. 4.  A Gaussian is taken by its own feature; what does not belong shows as clutter.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from semsplat.data.images import read_rgb
from semsplat.data.scene import Scene, load_image, load_scene
from semsplat.errors import SemsplatError
from semsplat.evaluate.selections import Clicked, extracted_name, read_places
from semsplat.figures import PREDICTION_FILES, ClickSheet
from semsplat.figures.pictures import evenly, sheet, show_click
from semsplat.figures.style import setting_keys
from semsplat.keys import GeometryKey
from semsplat.params.base import Count
from semsplat.paths import EXTRACTED

SCOPE = "run"
EXTENSION = "png"
NEEDS = PREDICTION_FILES


class Options(ClickSheet):
    """How the sheet looks."""

    n_prompts: Count
    """rows, spread evenly over the prompts"""


def draw(runs: list[GeometryKey], options: Options, out: Path) -> None:
    """Draw one run's sheet: a row per prompt."""
    (run,) = runs
    scene = load_scene(run.scene_dir)
    places = {
        setting: read_places(run.setting_dir(setting) / "predictions", scene)[options.grounder]
        for setting in options.settings
    }
    prompts = evenly(list(next(iter(places.values()))), options.n_prompts)
    if not prompts:
        raise SemsplatError(f"{run.dataset}/{run.scene}: nothing was clicked to take out")
    views, titles = scene.test[:1] * len(prompts), ["clicked", *options.settings.values()]
    with sheet(out, setting_keys(run, options.settings), options, views, titles) as (_, axes):
        for row, prompt in zip(axes, prompts, strict=True):
            _draw_row(row, run, scene, prompt, places, options)


def _draw_row(
    row: Any,
    run: GeometryKey,
    scene: Scene,
    prompt: str,
    places: dict[str, dict[str, Clicked]],
    options: Options,
) -> None:
    """Draw the clicked view, and what every setting selects, seen from there."""
    frames = {frame.name: frame for frame in scene.frames}
    clicked = next(iter(places.values()))[prompt]
    show_click(row[0], load_image(frames[clicked.view]), clicked.pixel)
    row[0].set_ylabel(f"“{prompt}”")
    for axis, (setting, asked) in zip(row[1:], places.items(), strict=True):
        if prompt not in asked:
            axis.imshow(np.full((1, 1, 3), 255, np.uint8))
            axis.set_xlabel("no prediction")
            continue
        frame = frames[asked[prompt].view]
        folder = run.setting_dir(setting) / "predictions" / EXTRACTED / options.grounder
        axis.imshow(read_rgb(folder / extracted_name(asked, prompt), (frame.width, frame.height)))
