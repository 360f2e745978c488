"""Views in which a class is asked for by its name: truth, what settings render, what votes say.

CLIP-GS's Figs. 1 and 3.  Training views come first, from which was learned, then held-out ones.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from semsplat.arrays import read_arrays
from semsplat.data.scene import Frame, Scene, load_ids, load_image, load_scene
from semsplat.errors import SemsplatError
from semsplat.evaluate.answers.classes import VOTES_FILE
from semsplat.evaluate.protocols import pooled
from semsplat.figures import SettingSheet
from semsplat.figures.class_maps import NEEDS as NEEDS
from semsplat.figures.class_maps import class_map, class_names
from semsplat.figures.pictures import (
    add_legend,
    add_title,
    enlarged,
    evenly,
    lit,
    outlined,
    sheet,
)
from semsplat.figures.style import setting_keys
from semsplat.io import read_json
from semsplat.keys import GeometryKey
from semsplat.params.base import Count

SCOPE = "run"
EXTENSION = "png"
MASK, VOTED, TRUTH = "#0077FF", "#CC4400", "#FFDD00"
SEEN = 0.01  # of a view, below which it does not show a class
Mask = NDArray[np.bool_]


class Options(SettingSheet):
    """What the sheet shows."""

    classes: list[str]
    """names; those that the scene shows, and where it shows none of them the one most seen"""
    n_views: Count
    """held-out views of each class, spread evenly over those that show it"""
    n_train_views: int = Field(ge=0)
    """the same of training views"""
    votes_of: str | None
    """the setting whose votes are drawn beside training views, where it is one of those shown"""

    @property
    def voting(self) -> str | None:
        """The setting whose votes are drawn."""
        return self.votes_of if self.votes_of in self.settings else None


class Row(NamedTuple):
    """A class in a view."""

    frame: Frame
    name: str
    class_id: int
    trained_on: bool


def draw(runs: list[GeometryKey], options: Options, out: Path) -> None:
    """Draw one run's sheet: a row per class and view."""
    (run,) = runs
    scene = load_scene(run.scene_dir)
    rows = shown_rows(scene, run, options)
    votes = _votes(run, options)
    further = [f"votes of {options.settings[options.voting]}"] if options.voting else []
    titles = ["photograph", *options.settings.values(), *further]
    legend = [("rendered", MASK), *([("voted", VOTED)] if further else []), ("truth", TRUTH)]
    keys = setting_keys(run, options.settings)
    with sheet(out, keys, options, [r.frame for r in rows], titles, 1.1) as (figure, axes):
        for axis, row in zip(axes, rows, strict=True):
            _draw_row(axis, run, row, votes, options)
        add_legend(figure, legend)
        add_title(figure, _summary(run, [row.name for row in rows], options))


def shown_rows(scene: Scene, run: GeometryKey, options: Options) -> list[Row]:
    """Return the views in which classes are shown; raise where no view shows any."""
    first = next(iter(options.settings))
    groups = {True: scene.train, False: scene.test}
    maps = {
        frame.name: class_map(run, first, frame)
        if frame.labels_path is None
        else load_ids(frame.labels_path, frame)
        for frames in groups.values()
        for frame in frames
    }
    names = class_names(scene)
    seen = {i: sum(int((m == i).sum()) for m in maps.values()) for i in names}
    asked = [i for i, name in names.items() if name in options.classes]
    chosen = [i for i in asked if seen[i]] or [max(seen, key=lambda i: seen[i])]
    rows = []
    for class_id in chosen:
        for trained_on, frames in groups.items():
            showing = [f for f in frames if (maps[f.name] == class_id).mean() >= SEEN]
            count = options.n_train_views if trained_on else options.n_views
            rows += [
                Row(frame, names[class_id], class_id, trained_on)
                for frame in evenly(showing, count)
            ]
    if not rows:
        raise SemsplatError(f"{run.scene_dir}: no view shows a class; leave the figure out")
    return rows


def _votes(run: GeometryKey, options: Options) -> dict[str, NDArray[Any]]:
    """Return the votes of every training view of the setting that is asked for."""
    if options.voting is None:
        return {}
    return read_arrays(run.setting_dir(options.voting) / VOTES_FILE)


def _draw_row(
    axes: Any, run: GeometryKey, row: Row, votes: dict[str, NDArray[Any]], options: Options
) -> None:
    """Draw a view with its truth, every setting's mask, and that of the votes."""
    frame = row.frame
    picture = enlarged(load_image(frame), options.row_px)
    truth = None if frame.labels_path is None else load_ids(frame.labels_path, frame)
    shown = picture if truth is None else outlined(picture, truth == row.class_id, TRUTH)
    axes[0].imshow(shown)
    axes[0].set_ylabel(f"{frame.name}\n“{row.name}”")
    axes[0].set_xlabel("trained on" if row.trained_on else "held out")
    masks = [(class_map(run, name, frame) == row.class_id, MASK) for name in options.settings]
    if options.voting and row.trained_on:
        masks.append((votes[frame.name] == row.class_id, VOTED))
    for axis, (mask, colour) in zip(axes[1:], masks, strict=False):
        axis.imshow(outlined(lit(picture, mask), mask, colour))
    for axis in axes[1 + len(masks) :]:
        axis.set_visible(False)


def _summary(run: GeometryKey, names: list[str], options: Options) -> str:
    """Return the IoU of every class over all held-out views, per setting."""
    found = {
        label: read_json(run.setting_dir(name) / "scores.json")["classes"].get("iou", {})
        for name, label in options.settings.items()
    }
    lines = []
    for name in dict.fromkeys(names):
        values = [f"{label} {iou[name]:.1%}" for label, iou in found.items() if name in iou]
        lines.append(f"IoU of “{name}” in held-out views: {', '.join(values) or 'no truth'}")
    return "\n".join([*lines, f"({pooled.NAME})"])
