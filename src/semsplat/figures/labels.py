"""Zero-shot labels of a few training views beside the truth, in one palette."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semsplat.data.scene import Frame, load_ids, load_scene
from semsplat.evaluate.labeller import Labeller
from semsplat.evaluate.protocols.feature_labels import KINDS
from semsplat.features.store import open_features
from semsplat.figures import FEATURE_FILES, FeatureSheet
from semsplat.figures.pictures import add_legend, evenly, sheet, show_photograph
from semsplat.figures.style import scene_sources
from semsplat.io import read_json
from semsplat.keys import SceneKey
from semsplat.palette import ClassPalette
from semsplat.params.base import Count

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
    (place,) = shown
    labeller = Labeller(open_features(place.features_dir(options.recipe)))
    scores = read_json(place.scores_dir(options.recipe) / "scores.json")
    frames = evenly(load_scene(place.scene_dir).train, options.n_views)
    maps = [label_maps(frame, labeller) for frame in frames]
    kinds = [k for k in ("truth", *KINDS) if any(k in row for row in maps)]
    palette, titles = ClassPalette(labeller.class_names), ["photograph", *map(_title, kinds)]
    sources = scene_sources(place, options.recipe)
    with sheet(out, sources, options, frames, titles, 0.8) as (figure, axes):
        for axis_row, frame, row in zip(axes, frames, maps, strict=True):
            show_photograph(axis_row[0], frame)
            for axis, kind in zip(axis_row[1:], kinds, strict=True):
                _draw_map(axis, kind, row, scores["views"][frame.name], palette)
        add_legend(figure, palette.legend())
        figure.suptitle(_summary(scores))


def label_maps(frame: Frame, labeller: Labeller) -> Maps:
    """Return the truth and all kinds of labels int32 [H, W] that a view has; 0 = none."""
    truth = {} if frame.labels_path is None else {"truth": load_ids(frame.labels_path, frame)}
    return truth | labeller.labels(frame.name)


def _draw_map(
    axis: Any, kind: str, maps: Maps, scores: dict[str, float], palette: ClassPalette
) -> None:
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
    metrics = scores["metrics"]
    shares = {kind: metrics[f"{kind}_miou"] for kind in KINDS if f"{kind}_miou" in metrics}
    values = [f"{kind} mIoU {value:.3f}" for kind, value in shares.items()]
    views = f"recipe {scores['recipe']}, {scores['n_views']} training views"
    return f"{views}: {', '.join(values or ['no truth'])} ({scores['protocol']})"
