"""A recipe's regions on a few training views: the id map of every layer over the photograph."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from semsplat.features.store import SceneFeatures, open_features
from semsplat.figures import FEATURE_FILES, FeatureSheet
from semsplat.keys import SceneKey
from semsplat.params.base import Count

if TYPE_CHECKING:
    from semsplat.data.scene import Frame
SCOPE = "scene"
EXTENSION = "png"
NEEDS = FEATURE_FILES


class Options(FeatureSheet):
    """How the contact sheet looks."""

    n_views: Count
    """rows, spread evenly over the training views"""


def draw(shown: list[SceneKey], options: Options, out: Path) -> None:
    """Draw one scene's contact sheet."""
    from semsplat.data.scene import load_scene
    from semsplat.figures.pictures import evenly, picture_grid
    from semsplat.figures.style import save_figure, scene_sources, styled

    (place,) = shown
    features = open_features(place.features_dir(options.recipe))
    frames = evenly(load_scene(place.scene_dir).train, options.n_views)
    titles = ["photograph", *(f"layer {layer}" for layer in features.layers)]
    with styled():
        aspect = frames[0].width / frames[0].height
        figure, axes = picture_grid(len(frames), titles, aspect, options.row_height_in)
        for row, frame in zip(axes, frames, strict=True):
            _draw_row(row, frame, features, round(options.row_height_in * options.dpi))
        save_figure(figure, out, scene_sources(place, options.recipe), options.dpi)


def _draw_row(row: Any, frame: Frame, features: SceneFeatures, height_px: int) -> None:
    """Draw one view: the photograph, then every layer."""
    from semsplat.data.scene import load_image
    from semsplat.figures.pictures import show_regions

    photograph = load_image(frame)
    row[0].imshow(photograph)
    row[0].set_ylabel(frame.name)
    for axis, ids in zip(row[1:], features.view(frame.name).ids, strict=True):
        show_regions(axis, photograph, ids, height_px)
