"""Where settings see what was asked for: relevancy and mask of prompts in held-out views."""

from __future__ import annotations

from itertools import chain, zip_longest
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from semsplat.data.annotations import Annotation, load_annotations
from semsplat.data.scene import Frame, Scene, load_image, load_scene
from semsplat.errors import SemsplatError
from semsplat.evaluate.prompt_kinds import parts_of
from semsplat.evaluate.protocols import segmentation, segmentation_frozen
from semsplat.evaluate.relevancy_maps import read_relevancy
from semsplat.figures import SettingSheet
from semsplat.figures.class_maps import NEEDS as NEEDS
from semsplat.figures.class_maps import percentages
from semsplat.figures.pictures import (
    RELEVANCY_COLOURS,
    add_legend,
    add_title,
    enlarged,
    evenly,
    grey_picture,
    outlined,
    sheet,
    tinted,
)
from semsplat.figures.style import setting_keys
from semsplat.io import read_json
from semsplat.keys import GeometryKey
from semsplat.params.base import Count

SCOPE = "run"
EXTENSION = "png"
TRUTH, MASK = "#FFDD00", "#000000"


class Options(SettingSheet):
    """What the sheet shows."""

    n_views: Count
    """views, spread evenly over the held-out ones that show anything annotated"""
    n_prompts: Count
    """prompts of each view: those of the largest annotated area, objects and parts by turns; parts
    that fill more than half of their object come last, because they look like it"""
    protocol: Literal["lerf_ovs/segmentation@1", "lerf_ovs/segmentation_frozen@1"]
    """by which masks are cut and scored"""


Row = tuple[Frame, str, Annotation]
"""A view, a prompt, and where it is in truth."""
Panels = dict[str, list[NDArray[np.float16] | None]]
"""Per setting the relevancy [L, H, W] of every row, None where there is no prediction."""


def draw(runs: list[GeometryKey], options: Options, out: Path) -> None:
    """Draw one run's sheet: a row per view and prompt."""
    (run,) = runs
    rows = shown_rows(load_scene(run.scene_dir), options)
    scores = {name: read_json(run.setting_dir(name) / "scores.json") for name in options.settings}
    panels: Panels = {name: _read(run, name, rows) for name in options.settings}
    reach = _reach(panels, _protocol(options))
    titles = ["photograph and truth", *options.settings.values()]
    keys, views = setting_keys(run, options.settings), [frame for frame, _, _ in rows]
    with sheet(out, keys, options, views, titles, 1.1) as (figure, axes):
        for index, row in enumerate(rows):
            _draw_row(axes[index], row, options)
            for axis, name in zip(axes[index, 1:], options.settings, strict=True):
                _draw_panel(axis, row, panels[name][index], scores[name], options, reach)
        _add_scale(figure, axes, reach)
        add_legend(figure, [("truth", TRUTH), ("predicted mask", MASK)])
        add_title(figure, _summary(scores, options))


def shown_rows(scene: Scene, options: Options) -> list[Row]:
    """Return the chosen views and prompts; no result is looked at."""
    views, parts = annotated_views(scene, options.n_views), parts_of(scene)
    return [
        (frame, prompt, annotations[prompt])
        for frame, annotations in views
        for prompt in chosen_prompts(annotations, parts)[: options.n_prompts]
    ]


def annotated_views(scene: Scene, count: int) -> list[tuple[Frame, dict[str, Annotation]]]:
    """Return held-out views that show anything annotated, spread evenly; raise where none does."""
    labelled = [(f, load_annotations(f)) for f in scene.test if f.annotations_path]
    views = evenly([(frame, annotations) for frame, annotations in labelled if annotations], count)
    if not views:
        raise SemsplatError(
            f"{scene.scene_dir}: no held-out view is annotated; name data sets in 'datasets'"
        )
    return views


def chosen_prompts(annotations: dict[str, Annotation], parts: set[str]) -> list[str]:
    """Return a view's prompts in the order in which they are shown; see `Options.n_prompts`."""
    area = {prompt: int(annotation.mask.sum()) for prompt, annotation in annotations.items()}
    largest = sorted(annotations, key=lambda prompt: (-area[prompt], prompt))
    objects = [prompt for prompt in largest if prompt not in parts]

    def fills(part: str) -> bool:
        return any(part.startswith(f"{o} ") and 2 * area[part] > area[o] for o in objects)

    turns = zip_longest(objects, sorted((p for p in largest if p in parts), key=fills))
    return [prompt for prompt in chain.from_iterable(turns) if prompt is not None]


def _protocol(options: Options) -> ModuleType:
    """Return the protocol that the options name."""
    known = {module.NAME: module for module in (segmentation, segmentation_frozen)}
    return known[options.protocol]


def _metric(protocol: ModuleType) -> str:
    """Return the name of the one number that a protocol of masks gives."""
    (name,) = protocol.METRICS
    return str(name)


def _read(run: GeometryKey, setting: str, rows: list[Row]) -> list[NDArray[np.float16] | None]:
    """Return a setting's relevancy of every row."""
    folder = run.setting_dir(setting) / "predictions"
    views = {frame.name: read_relevancy(folder, frame) for frame, _, _ in rows}
    return [views[frame.name].get(prompt) for frame, prompt, _ in rows]


def _reach(panels: Panels, protocol: ModuleType) -> float:
    """Return how far from 0.5 the colours must reach, for all panels alike."""
    maps = [m for several in panels.values() for m in several if m is not None]
    distances = [float(np.abs(protocol.smoothed(relevancy) - 0.5).max()) for relevancy in maps]
    return max([0.01, *distances])


def _draw_row(row: Any, view: Row, options: Options) -> None:
    """Draw the photograph with the outline of the truth, and name the row."""
    frame, prompt, truth = view
    picture = enlarged(load_image(frame), options.row_px)
    row[0].imshow(outlined(picture, truth.mask, TRUTH))
    row[0].set_ylabel(f"{frame.name}\n“{prompt}”")


def _draw_panel(
    axis: Any,
    view: Row,
    relevancy: NDArray[np.float16] | None,
    scores: Any,
    options: Options,
    reach: float,
) -> None:
    """Draw what one setting says to one prompt."""
    frame, prompt, _ = view
    protocol = _protocol(options)
    grey = enlarged(grey_picture(load_image(frame)), options.row_px)
    if relevancy is None:
        axis.imshow(np.full_like(grey, 255))
        axis.set_xlabel("no prediction: IoU 0")
        return
    picture = tinted(grey, protocol.smoothed(relevancy), reach)
    axis.imshow(outlined(picture, protocol.mask_of(relevancy), MASK))
    values = scores["queries"][frame.name][prompt]
    axis.set_xlabel(f"IoU {values[_metric(protocol)]:.1%}")


def _add_scale(figure: Any, axes: Any, reach: float) -> None:
    """Put the scale of the colours beside the pictures."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    colours = ScalarMappable(Normalize(0.5 - reach, 0.5 + reach), RELEVANCY_COLOURS)
    bar = figure.colorbar(colours, ax=axes, shrink=min(1.0, 3 / len(axes)), aspect=30, pad=0.01)
    bar.set_label("smoothed relevancy; 0.5: as similar to a canonical phrase")


def _summary(scores: dict[str, Any], options: Options) -> str:
    """Return the scores over all held-out pairs, with their protocol."""
    numbers = percentages(scores, options, _metric(_protocol(options)))
    return f"mIoU of all prompts in held-out views: {numbers} ({options.protocol})"
