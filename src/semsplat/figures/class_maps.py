"""Class maps of held-out views, setting by setting, beside photograph and truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semsplat.figures import PREDICTION_FILES, SettingSheet
from semsplat.io import read_json
from semsplat.keys import GeometryKey
from semsplat.params.base import Count
from semsplat.paths import CLASSES

if TYPE_CHECKING:
    from semsplat.data.scene import Frame, Scene
    from semsplat.figures.pictures import ClassPalette
SCOPE = "run"
EXTENSION = "png"
NEEDS = (
    *PREDICTION_FILES,
    "results/evaluate/{dataset}/{scene}/{setting}/{seed}/scores.json",
)


class Options(SettingSheet):
    """How the sheet looks."""

    n_views: Count
    """rows, spread evenly over the held-out views"""


def draw(runs: list[GeometryKey], options: Options, out: Path) -> None:
    """Draw one run's sheet; the truth is left out where a scene has none."""
    from semsplat.data.scene import load_scene
    from semsplat.figures.pictures import ClassPalette, add_legend, add_title, evenly, picture_grid
    from semsplat.figures.style import save_figure, setting_keys, styled

    (run,) = runs
    scene = load_scene(run.scene_dir)
    frames, palette = evenly(scene.test, options.n_views), ClassPalette(class_names(scene))
    scores = {name: read_json(run.setting_dir(name) / "scores.json") for name in options.settings}
    truth = ["truth"] if any(frame.labels_path for frame in frames) else []
    titles = ["photograph", *truth, *options.settings.values()]
    with styled():
        aspect = frames[0].width / frames[0].height
        figure, axes = picture_grid(len(frames), titles, aspect, options.row_height_in, 1.1)
        for row, frame in zip(axes, frames, strict=True):
            _draw_row(row, run, frame, scores, palette)
        add_legend(figure, palette.legend())
        add_title(figure, _summary(scores, options))
        save_figure(figure, out, setting_keys(run, list(options.settings)), options.dpi)


def class_names(scene: Scene) -> dict[int, str]:
    """Return {class id: name} of a scene."""
    from semsplat.data.scene import load_semantics

    return {entry["id"]: entry["name"] for entry in load_semantics(scene)["classes"]}


def class_map(run: GeometryKey, setting: str, frame: Frame) -> NDArray[np.int32]:
    """Return the predicted class ids [H, W] of a view."""
    from semsplat.data.scene import load_ids

    folder = run.setting_dir(setting) / "predictions" / CLASSES
    return load_ids(folder / f"{frame.name}.png", frame)


def _draw_row(
    row: Any, run: GeometryKey, frame: Frame, scores: dict[str, Any], palette: ClassPalette
) -> None:
    """Draw one held-out view."""
    from semsplat.data.scene import load_ids, load_image

    row[0].imshow(load_image(frame))
    row[0].set_ylabel(frame.name)
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
    from semsplat.evaluate.protocols.image_mean import NAME

    found = [
        f"{label} {scores[name]['metrics']['miou']:.1%}"
        for name, label in options.settings.items()
        if "miou" in scores[name]["metrics"]
    ]
    return f"mIoU of held-out views: {', '.join(found) or 'no truth'} ({NAME})"
