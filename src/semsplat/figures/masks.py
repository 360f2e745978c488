"""A recipe's regions on a few training views: the id map of every layer over the photograph."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from semsplat.data.scene import Frame, load_scene
from semsplat.features.store import SceneFeatures, open_features
from semsplat.figures import FEATURE_FILES, FeatureSheet
from semsplat.figures.pictures import evenly, sheet, show_photograph, show_regions
from semsplat.figures.style import scene_sources
from semsplat.keys import SceneKey
from semsplat.params.base import Count

SCOPE = "scene"
EXTENSION = "png"
NEEDS = FEATURE_FILES


class Options(FeatureSheet):
    """How the contact sheet looks."""

    n_views: Count
    """rows, spread evenly over the training views"""


def draw(shown: list[SceneKey], options: Options, out: Path) -> None:
    """Draw one scene's contact sheet."""
    (place,) = shown
    features = open_features(place.features_dir(options.recipe))
    frames = evenly(load_scene(place.scene_dir).train, options.n_views)
    titles = ["photograph", *(f"layer {layer}" for layer in features.layers)]
    sources = scene_sources(place, options.recipe)
    with sheet(out, sources, options, frames, titles) as (_, axes):
        for row, frame in zip(axes, frames, strict=True):
            _draw_row(row, frame, features, options.row_px)


def _draw_row(row: Any, frame: Frame, features: SceneFeatures, height_px: int) -> None:
    """Draw one view: the photograph, then every layer."""
    photograph = show_photograph(row[0], frame)
    for axis, ids in zip(row[1:], features.view(frame.name).ids, strict=True):
        show_regions(axis, photograph, ids, height_px)
