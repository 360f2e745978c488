"""What a click selects: the view that was clicked, and the masks of settings in other views.

The paper's Fig. 3.  A prompt has one click, in one view; its masks elsewhere follow from it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from semsplat.data.scene import Frame, Scene, load_image, load_scene
from semsplat.errors import SemsplatError
from semsplat.evaluate.boundary import Mask
from semsplat.evaluate.named_objects import Truth
from semsplat.evaluate.selections import read_masks, read_places, read_references
from semsplat.figures import PREDICTION_FILES, ClickSheet
from semsplat.figures.pictures import (
    CLICK,
    add_legend,
    enlarged,
    evenly,
    lit,
    outlined,
    sheet,
    show_click,
)
from semsplat.figures.style import setting_keys
from semsplat.io import read_json
from semsplat.keys import GeometryKey
from semsplat.params.base import Count

SCOPE = "run"
EXTENSION = "png"
NEEDS = (*PREDICTION_FILES, "results/evaluate/{dataset}/{scene}/{setting}/{seed}/scores.json")
MASK, TRUTH = "#0077FF", "#FFDD00"


class Options(ClickSheet):
    """What the sheet shows."""

    n_prompts: Count
    """prompts, those that most settings were asked first, then those that most views show"""
    n_views: Count
    """other held-out views per prompt, spread evenly over those that show it"""


class Row(NamedTuple):
    """A prompt, where it was clicked, and another view."""

    prompt: str
    clicked: Frame
    pixel: tuple[int, int]
    shown: Frame
    truth: Mask | None  # of the other view
    masks: list[Mask | None]  # there, of every setting
    scores: list[float | None]


def draw(runs: list[GeometryKey], options: Options, out: Path) -> None:
    """Draw one run's sheet: a row per prompt and other view."""
    (run,) = runs
    rows = shown_rows(run, options)
    titles = ["clicked", "held-out view", *options.settings.values()]
    labelled = any(row.truth is not None for row in rows)
    legend = [("click", CLICK), ("selected", MASK), *([("truth", TRUTH)] if labelled else [])]
    keys, views = setting_keys(run, options.settings), [row.shown for row in rows]
    with sheet(out, keys, options, views, titles, 0.5) as (figure, axes):
        for axis, row in zip(axes, rows, strict=True):
            _draw_row(axis, row, options)
        add_legend(figure, legend)


def shown_rows(run: GeometryKey, options: Options) -> list[Row]:
    """Return prompts with their clicks and other views; raise where nothing was clicked.

    Clicks are the first setting's; where it has none, another setting may have one.
    """
    scene = load_scene(run.scene_dir)
    truth, metric = Truth(scene), f"{options.grounder}_mask_miou"
    pairs = [read_json(run.setting_dir(s) / "scores.json")["queries"] for s in options.settings]
    masks = {setting: _masks(run, scene, setting, options) for setting in options.settings}
    first = next(iter(options.settings))
    places = read_places(run.setting_dir(first) / "predictions", scene)[options.grounder]
    showing = {p: [f for f in scene.test if p in masks[first][f.name]] for p in places}
    frames = {frame.name: frame for frame in scene.frames}
    rows = []
    for prompt in _chosen(showing, masks, options.n_prompts):
        clicked, pixel = frames[places[prompt].view], places[prompt].pixel
        others = [frame for frame in showing[prompt] if frame is not clicked]
        for frame in evenly(others or showing[prompt], options.n_views):
            there = [masks[setting][frame.name].get(prompt) for setting in options.settings]
            mask = truth.masks(frame).get(prompt) if truth.has(frame) else None
            scores = [of.get(frame.name, {}).get(prompt, {}).get(metric) for of in pairs]
            rows.append(Row(prompt, clicked, pixel, frame, mask, there, scores))
    if not rows:
        raise SemsplatError(
            f"{run.dataset}/{run.scene}: nothing was clicked by '{options.grounder}'; name clicks"
            " in evaluate.clicks, or data sets with labels in 'datasets'"
        )
    return rows


def _chosen(
    showing: dict[str, list[Frame]], masks: dict[str, dict[str, dict[str, Mask]]], n: int
) -> list[str]:
    """Return the prompts that most settings were asked, among these those that most views show."""

    def asked(prompt: str) -> int:
        return sum(any(prompt in view for view in views.values()) for views in masks.values())

    return sorted(showing, key=lambda prompt: (-asked(prompt), -len(showing[prompt])))[:n]


def _masks(
    run: GeometryKey, scene: Scene, setting: str, options: Options
) -> dict[str, dict[str, Mask]]:
    """Return {held-out view: {prompt: mask}} of a setting."""
    folder = run.setting_dir(setting) / "predictions"
    references = read_references(folder, scene)
    return {
        frame.name: read_masks(folder, frame, references)[options.grounder] for frame in scene.test
    }


def _draw_row(axes: Any, row: Row, options: Options) -> None:
    """Draw the clicked view, the other one with its truth, and every setting's mask."""
    show_click(axes[0], load_image(row.clicked), row.pixel)
    axes[0].set_ylabel(f"“{row.prompt}”")
    axes[0].set_xlabel(row.clicked.name)
    picture = enlarged(load_image(row.shown), options.row_px)
    axes[1].imshow(picture if row.truth is None else outlined(picture, row.truth, TRUTH))
    axes[1].set_xlabel(row.shown.name)
    for axis, mask, score in zip(axes[2:], row.masks, row.scores, strict=True):
        if mask is None:
            axis.imshow(np.full_like(picture, 255))
            axis.set_xlabel("no prediction")
            continue
        axis.imshow(outlined(lit(picture, mask), mask, MASK))
        share = f"{mask.mean():.1%} of the picture"
        axis.set_xlabel(share if score is None else f"IoU {score:.1%}")
