"""Class maps of neighbouring training views and where they contradict each other, per setting."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from semsplat.arrays import read_arrays
from semsplat.data.scene import Frame, load_image, load_scene
from semsplat.errors import SemsplatError
from semsplat.evaluate.protocols.consistency import NAME
from semsplat.figures import SettingSheet
from semsplat.figures.class_maps import NEEDS as MAPS
from semsplat.figures.class_maps import class_map, class_names, percentages
from semsplat.figures.inconsistency import MEANINGS, difference_picture
from semsplat.figures.pictures import add_legend, add_title, evenly, sheet
from semsplat.figures.style import setting_keys
from semsplat.io import read_json
from semsplat.keys import GeometryKey
from semsplat.palette import ClassPalette
from semsplat.params.base import Count

SCOPE = "run"
EXTENSION = "png"
NEEDS = MAPS


class Options(SettingSheet):
    """What the sheet shows."""

    n_pairs: Count
    """rows, spread evenly over the pairs of neighbouring training views"""


def draw(runs: list[GeometryKey], options: Options, out: Path) -> None:
    """Draw one run's pairs; without depth nothing is compared, and only the maps are shown."""
    (run,) = runs
    scene = load_scene(run.scene_dir)
    frames, palette = {f.name: f for f in scene.train}, ClassPalette(class_names(scene))
    scores = {name: read_json(run.setting_dir(name) / "scores.json") for name in options.settings}
    pairs = _pairs(scores, list(frames), options.n_pairs)
    if not pairs:
        raise SemsplatError(f"{run.scene_dir}: one training view has no neighbour to draw")
    compared = all(score["pairs"] for score in scores.values())
    columns = ("view", "next", "difference") if compared else ("view", "next")
    titles = [f"{label}\n{what}" for label in options.settings.values() for what in columns]
    keys, firsts = setting_keys(run, options.settings), [frames[names[0]] for _, names in pairs]
    with sheet(out, keys, options, firsts, titles, 1.1) as (figure, axes):
        for row, (index, names) in zip(axes, pairs, strict=True):
            views = [frames[name] for name in names]
            for part, name in zip(np.split(row, len(scores)), scores, strict=True):
                _draw_pair(part, run, name, index, views, palette, scores[name])
        meanings = MEANINGS.items() if compared else ()
        add_legend(figure, [*palette.legend(), *meanings])
        add_title(figure, _summary(scores, options))


def _pairs(scores: dict[str, Any], names: list[str], n_pairs: int) -> list[tuple[int, list[str]]]:
    """Return the place and the views of the chosen pairs."""
    rows = next(iter(scores.values()))["pairs"]
    known = [row["views"] for row in rows] or [list(pair) for pair in pairwise(names)]
    return evenly(list(enumerate(known)), n_pairs)


def _draw_pair(
    axes: Any,
    run: GeometryKey,
    setting: str,
    index: int,
    views: list[Frame],
    palette: ClassPalette,
    scores: Any,
) -> None:
    """Draw the class maps of both views, and the differences on the first."""
    for axis, frame in zip(axes[:2], views, strict=True):
        axis.imshow(palette.picture(class_map(run, setting, frame)), interpolation="nearest")
        axis.set_xlabel(frame.name)
    if len(axes) > 2:
        verdict = read_arrays(run.setting_dir(setting) / "inconsistency.npz")[str(index)]
        axes[2].imshow(difference_picture(load_image(views[0]), verdict), interpolation="nearest")
        share = scores["pairs"][index].get("inconsistency")
        axes[2].set_xlabel("none compared" if share is None else f"{share:.1%} differ")


def _summary(scores: dict[str, Any], options: Options) -> str:
    """Return the pooled numbers with their protocol."""
    absent = next(iter(scores.values()))["absent"]
    numbers = percentages(scores, options, "inconsistency") or absent["inconsistency"]
    return f"differing pixels of neighbouring training views: {numbers} ({NAME})"
