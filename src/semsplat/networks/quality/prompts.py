"""Answers of a SAM to prompts, through ``SamPredictor``, against true masks."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from segment_anything import SamPredictor
from segment_anything.modeling import Sam

from semsplat.log import progress
from semsplat.networks.pictures import PictureSet
from semsplat.networks.quality.automatic import INSTANCE_PX
from semsplat.networks.quality.truth import LEVELS, Masks, overlaps, things
from semsplat.networks.tiny_sam.batches import random_cell, surroundings

CLICKS = 3  # of the prompt of several clicks; one more lies outside
Numbers = dict[str, Any]
Point = tuple[int, int]


class Click(NamedTuple):
    """A click into an object, and all that is measured there.

    ``table`` IoU float64 [3, 3] of outputs and `LEVELS`; ``distinct``: the levels' masks differ;
    ``numbers``: IoUs with the object by prompt.
    """

    table: NDArray[np.float64]
    distinct: bool
    numbers: dict[str, float]


def prompt_quality(sam: Sam, pictures: PictureSet) -> Numbers:
    """Return mean IoUs of clicks, boxes, several clicks and refinements on all large objects."""
    predictor, clicks = SamPredictor(sam), []
    for index in progress(range(len(pictures)), "prompts"):
        rng = np.random.default_rng([0, index])
        predictor.set_image(pictures.images[index])
        levels = pictures.levels(index)
        for thing in things(pictures, index, "instance", INSTANCE_PX):
            if thing.is_object:
                y, x = random_cell(thing.mask, rng)
                truths = levels == levels[:, y, x][:, None, None]
                clicks.append(answered(predictor, (y, x), truths, rng))
    means = {k: float(np.mean([c.numbers[k] for c in clicks])) for k in clicks[0].numbers}
    distinct = [click.table for click in clicks if click.distinct]
    return {
        "clicks": len(clicks),
        **means,
        "levels": level_table([click.table for click in clicks]),
        "clicks_with_distinct_levels": len(distinct),
        "distinct_levels": level_table(distinct) if distinct else None,
    }


def level_table(tables: list[NDArray[np.float64]]) -> dict[str, dict[str, float]]:
    """Return mean IoUs by output and level."""
    mean = np.mean(tables, axis=0).tolist()
    rows = [dict(zip(LEVELS, row, strict=True)) for row in mean]
    return {f"output_{k + 1}": row for k, row in enumerate(rows)}


def answered(predictor: SamPredictor, at: Point, truths: Masks, rng: np.random.Generator) -> Click:
    """Return the quality of all kinds of prompts for one object.

    Args:
        predictor: with the image set.
        at: pixel (y, x) of the click.
        truths: bool [3, H, W], what it hits at each of `LEVELS`.
        rng: chooses further clicks.
    """
    thing = truths[-1]
    masks, scores, logits = predictor.predict(*_clicks([at], [1]))
    table, top = overlaps(masks, truths), int(np.argmax(scores))
    numbers = {"best_of_3": table[:, -1].max(), "top_scored": table[top, -1]}
    numbers["single_output"] = _single(predictor, thing, *_clicks([at], [1]))
    numbers["box"] = _single(predictor, thing, box=true_box(thing))
    inside = [at, *(random_cell(thing, rng) for _ in range(CLICKS - 1))]
    several = [*inside, random_cell(surroundings(thing), rng)]
    numbers["three_clicks_and_one_outside"] = _single(
        predictor, thing, *_clicks(several, [1] * CLICKS + [0])
    )
    error = masks[top] != thing
    y, x = random_cell(error if error.any() else thing, rng)
    correction = _clicks([(y, x)], [int(thing[y, x])])
    refined = _single(predictor, thing, *correction, mask_input=logits[top][None])
    numbers["refined"] = refined
    numbers["refinement_gain"] = refined - table[top, -1]
    distinct = bool((truths[0] != truths[1]).any() and (truths[1] != truths[2]).any())
    return Click(table, distinct, {k: float(v) for k, v in numbers.items()})


def _single(predictor: SamPredictor, thing: Masks, *points: Any, **prompts: Any) -> float:
    """Return the IoU of the single mask output with a thing."""
    masks = predictor.predict(*points, **prompts, multimask_output=False)[0]
    return float(overlaps(masks, thing[None])[0, 0])


def _clicks(pixels: list[Point], labels: list[int]) -> tuple[NDArray, NDArray]:
    """Return pixels (y, x) as the predictor's coordinates [n, 2] (x, y) and labels [n]."""
    return np.array(pixels, np.float64)[:, ::-1].copy(), np.array(labels)


def true_box(thing: Masks) -> NDArray[np.float64]:
    """Return the outline (x0, y0, x1, y1) of a mask where pixel centres are whole numbers."""
    ys, xs = np.nonzero(thing)
    return np.array([xs.min() - 0.5, ys.min() - 0.5, xs.max() + 0.5, ys.max() + 0.5])
