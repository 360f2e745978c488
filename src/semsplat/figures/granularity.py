"""Which level GAGS chose where: shares of sub-part, part and whole in annotated held-out views.

The granularity map of the paper's Fig. 4, in the mixture of three colours.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.ImageColor import getrgb

from semsplat.arrays import read_arrays
from semsplat.data.scene import Frame, load_scene
from semsplat.figures import PREDICTION_FILES, SettingSheet
from semsplat.figures.pictures import add_legend, sheet, show_photograph
from semsplat.figures.relevancy import annotated_views
from semsplat.figures.style import setting_keys
from semsplat.keys import GeometryKey
from semsplat.params.base import Count
from semsplat.paths import RELEVANCY

SCOPE = "run"
EXTENSION = "png"
NEEDS = PREDICTION_FILES
LEVELS = {"sub-part": "#CC3311", "part": "#009988", "whole": "#0077BB"}


class Options(SettingSheet):
    """How the sheet looks."""

    n_views: Count
    """rows, spread evenly over the annotated held-out views"""


def draw(runs: list[GeometryKey], options: Options, out: Path) -> None:
    """Draw one run's sheet."""
    (run,) = runs
    frames = [frame for frame, _ in annotated_views(load_scene(run.scene_dir), options.n_views)]
    titles = ["photograph", *options.settings.values()]
    keys = setting_keys(run, options.settings)
    with sheet(out, keys, options, frames, titles, 0.4) as (figure, axes):
        for row, frame in zip(axes, frames, strict=True):
            _draw_row(row, run, frame, options)
        add_legend(figure, list(LEVELS.items()))


def mixture(shares: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the colours [H, W, 3] in [0, 1] of shares [3, H, W] that sum to 1."""
    colours = np.array([getrgb(colour) for colour in LEVELS.values()]) / 255
    return np.einsum("lhw,lc->hwc", shares, colours)


def _draw_row(row: Any, run: GeometryKey, frame: Frame, options: Options) -> None:
    """Draw one view: the photograph, then every setting's map with the mean shares."""
    show_photograph(row[0], frame)
    for axis, setting in zip(row[1:], options.settings, strict=True):
        folder = run.setting_dir(setting) / "predictions" / RELEVANCY
        shares = read_arrays(folder / f"{frame.name}.npz")["factors"].astype(np.float32)
        axis.imshow(mixture(shares).clip(0, 1))
        means = zip(LEVELS, shares.mean(axis=(1, 2)), strict=True)
        axis.set_xlabel(", ".join(f"{name} {mean:.0%}" for name, mean in means))
