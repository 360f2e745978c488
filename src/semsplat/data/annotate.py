"""Annotations made from exact id maps: what a patient labeller of a procedural scene would draw.

Prompts have two granularities: the class of every object ("table"), and the parts of those that
have several ("table leg").  Stuff has none: prompts for open-vocabulary search are things, and
"stuff" is one of the canonical phrases that they are measured against, so that a prompt of stuff
would be asked to beat itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from semsplat.params.base import Count, Strict

Ids = NDArray[np.int32]

MIN_SHARE = 0.5  # of what lies inside its outline, that a piece must be itself


class Annotate(Strict):
    """What is labelled."""

    min_area_px: Count
    """a prompt whose pieces have fewer pixels in a view together is left out there"""
    min_piece_px: Count
    """smaller connected pieces are left out: nobody labels what cannot be seen"""
    also_train: bool
    """besides the held-out views as many training views: the published protocol scores views that
    were trained on"""


def annotated_places(n_views: int, test_every: int, also_train: bool) -> set[int]:
    """Return the places of the views to label, where 0, n, 2n ... are held out.

    Of the training views those half a step after a held-out one: as far from any as can be.
    """
    held_out = set(range(0, n_views, test_every))
    return held_out | set(range(test_every // 2, n_views, test_every)) if also_train else held_out


def object_prompts(
    objects: list[dict[str, Any]], stuff: Collection[str] = ()
) -> dict[str, list[int]]:
    """Return {class name: instance ids} of the ``objects`` of ``semantics.json``, without stuff."""
    ids: dict[str, list[int]] = {}
    for entry in objects:
        name = entry.get("class_name")
        if name is not None and name not in stuff:
            ids.setdefault(name, []).append(entry["id"])
    return ids


def part_prompts(
    objects: list[dict[str, Any]], stuff: Collection[str] = ()
) -> dict[str, list[int]]:
    """Return {"{class} {part}": part ids} of objects that have several parts, without stuff.

    A part that is called as its class is none ("plant" of a plant): it would be the same prompt.
    """
    ids: dict[str, list[int]] = {}
    for entry in objects:
        name, parts = entry.get("class_name"), entry.get("parts", [])
        if name is None or name in stuff or len(parts) < 2:
            continue
        for part in parts:
            if part["name"] != name:
                ids.setdefault(f"{name} {part['name']}", []).append(part["id"])
    return ids


def annotate_view(
    instances: Ids,
    parts: Ids,
    objects: list[dict[str, Any]],
    stuff: Collection[str],
    options: Annotate,
) -> list[dict[str, Any]]:
    """Return one view's objects in the layout of LERF-OVS; see `semsplat.data.annotations`.

    Args:
        instances: int32 [H, W], 0 = none.
        parts: int32 [H, W], 0 = none.
        objects: the scene's, as in ``semantics.json``.
        stuff: names of the classes without prompts.
        options: what is left out.
    """
    searches = ((instances, object_prompts(objects, stuff)), (parts, part_prompts(objects, stuff)))
    entries = []
    for ids, prompts in searches:
        for prompt, numbers in prompts.items():
            pieces = [p for n in numbers for p in _pieces(ids == n, options.min_piece_px)]
            if sum(piece.pop("area") for piece in pieces) >= options.min_area_px:
                entries += [{"category": prompt, **piece} for piece in pieces]
    return entries


def _pieces(mask: NDArray[np.bool_], min_piece_px: int) -> Iterator[dict[str, Any]]:
    """Yield the connected pieces [H, W] of something: box, external contour and pixels.

    Holes are lost, as in polygons drawn by hand.  A piece that is mostly hole is left out: the
    outline of a picture's frame would call the whole picture a frame.
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    for label, (x, y, width, height, area) in enumerate(stats.tolist()):
        if label == 0 or area < min_piece_px:
            continue
        piece = (labels[y : y + height, x : x + width] == label).astype(np.uint8)
        (contour,), _ = cv2.findContours(
            piece, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE, offset=(x, y)
        )
        if area < MIN_SHARE * cv2.fillPoly(piece, [contour], (1,), offset=(-x, -y)).sum():
            continue
        yield {
            "bbox": [x, y, x + width - 1, y + height - 1],
            "segmentation": contour[:, 0].tolist(),
            "area": area,
        }
