"""What settings learned of masks: features as colours beside a view's own regions and the truth.

The paper's Figs. 2 and 3.  Colours of one setting mean the same in all views of a scene.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from semsplat.data.images import read_rgb
from semsplat.data.scene import Frame, load_ids, load_scene
from semsplat.features.store import SceneFeatures, open_features
from semsplat.figures import FEATURE_FILES, PREDICTION_FILES, SettingSheet
from semsplat.figures.pictures import evenly, sheet, show_photograph, show_regions
from semsplat.figures.style import setting_keys
from semsplat.keys import GeometryKey
from semsplat.params.base import Count
from semsplat.paths import FEATURES, features_dir

SCOPE = "run"
EXTENSION = "png"
NEEDS = (*PREDICTION_FILES, FEATURE_FILES[1])


class Options(SettingSheet):
    """How the sheet looks."""

    recipe: str
    """whose regions are shown"""
    n_views: Count
    """rows, spread evenly over the held-out views"""


def draw(runs: list[GeometryKey], options: Options, out: Path) -> None:
    """Draw one run's sheet."""
    (run,) = runs
    frames = evenly(load_scene(run.scene_dir).test, options.n_views)
    features = open_features(features_dir(run.dataset, run.scene, *options.recipe.split("/")))
    truth = ["true objects"] if any(frame.instances_path for frame in frames) else []
    titles = ["photograph", "regions", *options.settings.values(), *truth]
    keys = setting_keys(run, options.settings)
    with sheet(out, keys, options, frames, titles) as (_, axes):
        for row, frame in zip(axes, frames, strict=True):
            _draw_row(row, run, frame, features, options)


def _draw_row(
    row: Any, run: GeometryKey, frame: Frame, features: SceneFeatures, options: Options
) -> None:
    """Draw one view: photograph, regions, every setting's features, true objects if known."""
    photograph = show_photograph(row[0], frame)
    show_regions(row[1], photograph, features.ids(frame.name)[-1], options.row_px)
    for axis, setting in zip(row[2:], options.settings, strict=False):
        path = run.setting_dir(setting) / "predictions" / FEATURES / f"{frame.name}.png"
        axis.imshow(read_rgb(path, (frame.width, frame.height)))
    if frame.instances_path:
        ids = load_ids(frame.instances_path, frame).astype(np.int16) - 1
        show_regions(row[-1], photograph, ids, options.row_px)
