"""Zero-shot labels of a few training views beside the truth, in one palette."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semsplat.features.store import open_features
from semsplat.figures import FEATURE_FILES, FeatureSheet
from semsplat.io import read_json
from semsplat.keys import SceneKey
from semsplat.params.base import Count

if TYPE_CHECKING:
    from semsplat.data.scene import Frame
    from semsplat.evaluate.labeller import Labeller
SCOPE = "scene"
EXTENSION = "png"
NEEDS = (
    *FEATURE_FILES,
    "results/evaluate/{dataset}/{scene}/features/{recipe}/scores.json",
)
Maps = dict[str, NDArray[np.int32]]


class Options(FeatureSheet):
    """How the sheet looks."""

    n_views: Count
    """rows, spread evenly over the training views"""


def draw(shown: list[SceneKey], options: Options, out: Path) -> None:
    """Draw one scene's sheet; a column that no view has is left out."""
    from semsplat.data.scene import load_image, load_scene
    from semsplat.evaluate.labeller import Labeller
    from semsplat.evaluate.protocols.feature_labels import KINDS
    from semsplat.figures.pictures import ClassPalette, add_legend, evenly, picture_grid
    from semsplat.figures.style import save_figure, scene_sources, styled

    (place,) = shown
    labeller = Labeller(open_features(place.features_dir(options.recipe)))
    scores = read_json(place.scores_dir(options.recipe) / "scores.json")
    frames = evenly(load_scene(place.scene_dir).train, options.n_views)
    maps = [label_maps(frame, labeller) for frame in frames]
    kinds = [k for k in ("truth", *KINDS) if any(k in row for row in maps)]
    palette = ClassPalette(labeller.class_names)
    with styled():
        aspect, titles = frames[0].width / frames[0].height, ["photograph", *map(_title, kinds)]
        figure, axes = picture_grid(len(frames), titles, aspect, options.row_height_in, 0.8)
        for axis_row, frame, row in zip(axes, frames, maps, strict=True):
            axis_row[0].imshow(load_image(frame))
            axis_row[0].set_ylabel(frame.name)
            for axis, kind in zip(axis_row[1:], kinds, strict=True):
                _draw_map(axis, kind, row, scores["views"][frame.name], palette)
        add_legend(figure, palette.legend())
        figure.suptitle(_summary(scores))
        save_figure(figure, out, scene_sources(place, options.recipe), options.dpi)


def label_maps(frame: Frame, labeller: Labeller) -> Maps:
    """Return the truth and all kinds of labels int32 [H, W] that a view has; 0 = none."""
    from semsplat.data.scene import load_ids

    truth = {} if frame.labels_path is None else {"truth": load_ids(frame.labels_path, frame)}
    return truth | labeller.labels(frame.name)


def _draw_map(axis: Any, kind: str, maps: Maps, scores: dict[str, float], palette: Any) -> None:
    """Draw one map with its accuracy, or nothing where this view has none."""
    if kind not in maps:
        axis.set_visible(False)
        return
    axis.imshow(palette.picture(maps[kind]), interpolation="nearest")
    accuracy = scores.get(f"{kind}_accuracy")
    if accuracy is not None:
        axis.set_xlabel(f"{accuracy:.1%} of pixels right")


def _title(kind: str) -> str:
    return kind if kind == "truth" else f"{kind} labels"


def _summary(scores: dict[str, Any]) -> str:
    """Return the scores over all training views, with their protocol."""
    from semsplat.evaluate.protocols.feature_labels import KINDS

    metrics = scores["metrics"]
    found = {kind: metrics[f"{kind}_miou"] for kind in KINDS if f"{kind}_miou" in metrics}
    values = [f"{kind} mIoU {value:.3f}" for kind, value in found.items()]
    views = f"recipe {scores['recipe']}, {scores['n_views']} training views"
    return f"{views}: {', '.join(values or ['no truth'])} ({scores['protocol']})"
