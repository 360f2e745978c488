"""Where the labels of neighbouring training views contradict each other."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL.ImageColor import getrgb

from semsplat.arrays import read_arrays
from semsplat.data.scene import Frame, load_image, load_scene
from semsplat.errors import SemsplatError
from semsplat.evaluate.labeller import Labeller
from semsplat.evaluate.pairs import DIFFERS, NOT_COMPARED
from semsplat.features.store import open_features
from semsplat.figures import FEATURE_FILES, FeatureSheet
from semsplat.figures.pictures import add_legend, evenly, grey_picture, sheet
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
    "results/evaluate/{dataset}/{scene}/features/{recipe}/inconsistency.npz",
)


class Options(FeatureSheet):
    """What the sheet shows."""

    labels: Literal["region", "dense", "pseudo"]
    """which of its labels"""
    n_pairs: Count
    """rows, spread evenly over the pairs of neighbouring training views"""


MEANINGS = {"same label": "#A0A0A0", "another label": "#D55E00", "not compared": "#FFFFFF"}
TITLES = ("view", "next view", "difference")


def draw(shown: list[SceneKey], options: Options, out: Path) -> None:
    """Draw one scene's pairs; where none can be compared only the labels, and the reason."""
    (place,) = shown
    labeller = Labeller(open_features(place.features_dir(options.recipe)))
    scores = read_json(place.scores_dir(options.recipe) / "scores.json")
    frames = {frame.name: frame for frame in load_scene(place.scene_dir).train}
    pairs = _pairs(place, scores, list(frames), options)
    compared = pairs[0].verdict is not None
    firsts, palette = [frames[pair.names[0]] for pair in pairs], ClassPalette(labeller.class_names)
    titles, sources = TITLES[: 3 if compared else 2], scene_sources(place, options.recipe)
    with sheet(out, sources, options, firsts, titles, 0.8) as (figure, axes):
        for row, pair in zip(axes, pairs, strict=True):
            _draw_pair(row, pair, [frames[name] for name in pair.names], labeller, palette, options)
        add_legend(figure, [*palette.legend(), *(MEANINGS.items() if compared else ())])
        figure.suptitle(_summary(scores, options))


class _Pair(NamedTuple):
    """Two neighbouring views; ``verdict`` uint8 [H, W] and its ``share`` where compared."""

    names: list[str]
    verdict: NDArray[np.uint8] | None
    share: float | None


def _pairs(
    place: SceneKey, scores: dict[str, Any], names: list[str], options: Options
) -> list[_Pair]:
    """Return the chosen pairs, with what was compared if anything was."""
    key = f"{options.labels}_inconsistency"
    if key not in scores["metrics"]:
        neighbours = evenly(list(pairwise(names)), options.n_pairs)
        if not neighbours:
            raise SemsplatError(f"{place.scene_dir}: one training view has no neighbour to draw")
        return [_Pair(list(pair), None, None) for pair in neighbours]
    chosen = evenly(list(enumerate(scores["pairs"])), options.n_pairs)
    maps = read_arrays(place.scores_dir(options.recipe) / "inconsistency.npz")
    return [
        _Pair(row["views"], maps[f"{options.labels}_{index}"], row.get(key))
        for index, row in chosen
    ]


def _draw_pair(
    row: Any,
    pair: _Pair,
    frames: list[Frame],
    labeller: Labeller,
    palette: ClassPalette,
    options: Options,
) -> None:
    """Draw the labels of both views, photographs where there are none, and the differences."""
    for axis, frame in zip(row[:2], frames, strict=True):
        labels = labeller.labels(frame.name).get(options.labels)
        picture = load_image(frame) if labels is None else palette.picture(labels)
        axis.imshow(picture, interpolation="nearest")
        axis.set_xlabel(frame.name)
    if pair.verdict is not None:
        row[2].imshow(
            difference_picture(load_image(frames[0]), pair.verdict), interpolation="nearest"
        )
        share = (
            "none compared" if pair.share is None else f"{pair.share:.1%} of compared pixels differ"
        )
        row[2].set_xlabel(share)


def difference_picture(
    photograph: NDArray[np.uint8], verdict: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Return the grey photograph, with differing and not compared pixels in their colours."""
    picture = 80 + grey_picture(photograph) // 2  # never white: that means not compared
    for value, meaning in ((DIFFERS, "another label"), (NOT_COMPARED, "not compared")):
        picture[verdict == value] = getrgb(MEANINGS[meaning])
    return picture


def _summary(scores: dict[str, Any], options: Options) -> str:
    """Return the pooled number with its protocol, or why there is none."""
    key = f"{options.labels}_inconsistency"
    what = f"recipe {scores['recipe']}, {options.labels} labels"
    if key not in scores["metrics"]:
        return f"{what}: inconsistency absent, {scores['absent'][key]} ({scores['protocol']})"
    number = f"{scores['metrics'][key]:.1%} differ over all {scores['n_pairs']} pairs"
    return f"{what}: {number} ({scores['protocol']})"
