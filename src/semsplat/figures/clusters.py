"""The instances of a scene without a query: clusters of Gaussians in views, beside the truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from semsplat.data.scene import Frame, load_ids, load_scene
from semsplat.evaluate.protocols import instances
from semsplat.figures import PREDICTION_FILES, SettingSheet
from semsplat.figures.pictures import add_title, evenly, sheet, show_photograph, show_regions
from semsplat.figures.style import setting_keys
from semsplat.io import read_json
from semsplat.keys import GeometryKey
from semsplat.params.base import Count
from semsplat.paths import CLUSTERS
from semsplat.verified import verified

SCOPE = "run"
EXTENSION = "png"
NEEDS = (
    *PREDICTION_FILES[:2],
    "results/evaluate/{dataset}/{scene}/{setting}/{seed}/clusters/manifest.json",
)


class Options(SettingSheet):
    """How the sheet looks."""

    n_views: Count
    """rows, spread evenly over the held-out views"""


def draw(runs: list[GeometryKey], options: Options, out: Path) -> None:
    """Draw one run's sheet."""
    (run,) = runs
    frames = evenly(load_scene(run.scene_dir).test, options.n_views)
    truth = ["true objects"] if any(frame.instances_path for frame in frames) else []
    titles = ["photograph", *options.settings.values(), *truth]
    keys = setting_keys(run, options.settings)
    with sheet(out, keys, options, frames, titles, 0.4) as (figure, axes):
        for row, frame in zip(axes, frames, strict=True):
            _draw_row(row, run, frame, options)
        if truth:
            add_title(figure, f"ARI: agreement with the true objects, {instances.NAME}")


def _draw_row(row: Any, run: GeometryKey, frame: Frame, options: Options) -> None:
    """Draw one view: photograph, every setting's clusters, true objects if they are known."""
    photograph = show_photograph(row[0], frame)
    paths = [
        run.setting_dir(setting) / CLUSTERS / "maps" / f"{frame.name}.png"
        for setting in options.settings
    ]
    paths += [frame.instances_path] if frame.instances_path else []
    for axis, path in zip(row[1:], paths, strict=False):
        ids = load_ids(path, frame) - 1
        show_regions(axis, photograph, ids.astype(np.int16), options.row_px)
    for axis, setting in zip(row[1:], options.settings, strict=False):
        scores = read_json(verified(run.setting_dir(setting) / CLUSTERS / "scores.json"))
        ari = scores["ari"][frame.name]
        count = axis.get_xlabel().split(",")[0]
        axis.set_xlabel(count if ari is None else f"{count}, ARI {ari:.2f}")
