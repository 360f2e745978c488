"""Where the segmenter was asked, and what it found there and on a grid (GAGS Figs. 3 and 6)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from semsplat.data.scene import Frame, load_scene
from semsplat.errors import SemsplatError
from semsplat.features.store import SceneFeatures, ViewFeatures, open_features
from semsplat.figures import FEATURE_FILES, FeatureSheet
from semsplat.figures.pictures import evenly, sheet, show_photograph, show_regions
from semsplat.figures.style import scene_sources
from semsplat.keys import SceneKey
from semsplat.params.base import Count

SCOPE = "scene"
EXTENSION = "png"
NEEDS = FEATURE_FILES


class Options(FeatureSheet):
    """What the sheet compares."""

    beside: str
    """name of the feature recipe to compare with"""
    layer: str
    """whose regions: a layer that both recipes have"""
    n_views: Count
    """rows, spread evenly over the training views"""


def draw(shown: list[SceneKey], options: Options, out: Path) -> None:
    """Draw one scene's sheet."""
    (place,) = shown
    names = (options.recipe, options.beside)
    features = [open_features(place.features_dir(name)) for name in names]
    frames = evenly(load_scene(place.scene_dir).train, options.n_views)
    titles = ["photograph", f"depth and points of {features[0].manifest['recipe']}"]
    titles += [_title(of_recipe, options.layer) for of_recipe in features]
    sources = scene_sources(place, *names)
    with sheet(out, sources, options, frames, titles) as (_, axes):
        for row, frame in zip(axes, frames, strict=True):
            _draw_row(row, frame, features, options)


def _title(features: SceneFeatures, layer: str) -> str:
    """Return what a column of regions shows, and the points of a grid, which are never drawn."""
    side = features.manifest["config"]["segmenter"]["options"].get("points_per_side")
    grid = f"\n{side} x {side} points" if side else ""
    return f"{features.manifest['recipe']}, layer {layer}{grid}"


def _draw_row(row: Any, frame: Frame, features: list[SceneFeatures], options: Options) -> None:
    """Draw one view: the photograph, the points over the depth, the regions of both recipes."""
    photograph = show_photograph(row[0], frame)
    views = [of_recipe.view(frame.name) for of_recipe in features]
    _show_points(row[1], views[0], features[0].manifest["recipe"])
    for axis, of_recipe, view in zip(row[2:], features, views, strict=True):
        if options.layer not in of_recipe.layers:
            layers = ", ".join(of_recipe.layers)
            raise SemsplatError(
                f"{of_recipe.folder}: no layer '{options.layer}'; there is {layers}"
            )
        ids = view.ids[of_recipe.layers.index(options.layer)]
        show_regions(axis, photograph, ids, options.row_px)


def _show_points(axis: Any, view: ViewFeatures, recipe: str) -> None:
    """Draw the depth, near bright and far dark, and every point at which the segmenter was asked.

    A depth beyond the 1st or 99th percentile is drawn as that.
    """
    if view.points is None or view.depth is None:
        raise SemsplatError(f"recipe {recipe} has no prompt points; name one of sam_granular")
    depth = view.depth.astype(np.float32)
    seen = depth[depth > 0]
    low, high = np.percentile(seen, [1, 99]) if seen.size else (0.0, 1.0)
    axis.imshow(np.where(depth > 0, depth, np.nan), cmap="viridis_r", vmin=low, vmax=high)
    axis.autoscale(False)  # points at the border would widen the picture
    axis.scatter(*view.points.T, s=2.2, c="white", edgecolors="black", linewidths=0.3)
    axis.set_xlabel(f"{len(view.points)} points, depth {low:.1f} to {high:.1f}")
