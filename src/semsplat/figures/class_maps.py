"""Class maps of held-out views, setting by setting, beside photograph and truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semsplat.data.scene import Frame, Scene, load_ids, load_scene, load_semantics
from semsplat.evaluate.protocols.image_mean import NAME
from semsplat.figures import PREDICTION_FILES, TRAINING_FILES, SettingSheet
from semsplat.figures.pictures import (
    add_legend,
    add_title,
    evenly,
    sheet,
    show_photograph,
)
from semsplat.figures.style import setting_keys
from semsplat.io import read_json
from semsplat.keys import GeometryKey
from semsplat.palette import ClassPalette
from semsplat.params.base import Count
from semsplat.paths import CLASSES

SCOPE = "run"
EXTENSION = "png"
NEEDS = (*PREDICTION_FILES, TRAINING_FILES[1])


class Options(SettingSheet):
    """How the sheet looks."""

    n_views: Count
    """rows, spread evenly over the held-out views"""


def draw(runs: list[GeometryKey], options: Options, out: Path) -> None:
    """Draw one run's sheet; the truth is left out where a scene has none."""
    (run,) = runs
    scene = load_scene(run.scene_dir)
    frames, palette = evenly(scene.test, options.n_views), ClassPalette(class_names(scene))
    scores = {name: read_json(run.setting_dir(name) / "scores.json") for name in options.settings}
    truth = ["truth"] if any(frame.labels_path for frame in frames) else []
    titles = ["photograph", *truth, *options.settings.values()]
    keys = setting_keys(run, options.settings)
    with sheet(out, keys, options, frames, titles, 1.1) as (figure, axes):
        for row, frame in zip(axes, frames, strict=True):
            _draw_row(row, run, frame, scores, palette)
        add_legend(figure, palette.legend())
        add_title(figure, _summary(scores, options))


def class_names(scene: Scene) -> dict[int, str]:
    """Return {class id: name} of a scene."""
    return {entry["id"]: entry["name"] for entry in load_semantics(scene)["classes"]}


def class_map(run: GeometryKey, setting: str, frame: Frame) -> NDArray[np.int32]:
    """Return the predicted class ids [H, W] of a view."""
    folder = run.setting_dir(setting) / "predictions" / CLASSES
    return load_ids(folder / f"{frame.name}.png", frame)


def percentages(scores: dict[str, Any], options: SettingSheet, metric: str) -> str:
    """Return a metric of every setting that has it."""
    return ", ".join(
        f"{label} {scores[name]['metrics'][metric]:.1%}"
        for name, label in options.settings.items()
        if metric in scores[name]["metrics"]
    )


def _draw_row(
    row: Any, run: GeometryKey, frame: Frame, scores: dict[str, Any], palette: ClassPalette
) -> None:
    """Draw one held-out view."""
    show_photograph(row[0], frame)
    if len(row) > len(scores) + 1 and frame.labels_path is not None:
        picture = palette.picture(load_ids(frame.labels_path, frame))
        row[1].imshow(picture, interpolation="nearest")
    for axis, (name, score) in zip(row[-len(scores) :], scores.items(), strict=True):
        axis.imshow(palette.picture(class_map(run, name, frame)), interpolation="nearest")
        values = score["views"][frame.name]
        if "miou" in values:
            axis.set_xlabel(f"mIoU {values['miou']:.1%}, {values['accuracy']:.1%} right")


def _summary(scores: dict[str, Any], options: Options) -> str:
    """Return the scores over all held-out views, with their protocol."""
    numbers = percentages(scores, options, "miou") or "no truth"
    return f"mIoU of held-out views: {numbers} ({NAME})"
