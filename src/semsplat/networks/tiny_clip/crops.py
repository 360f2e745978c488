"""Training crops for the tiny CLIP: what regions look like, well and badly cut out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from semsplat.data.world.primitives import CLASSES
from semsplat.data.world.vocabulary import ANY, STUFF
from semsplat.features.crops import region_crop
from semsplat.networks.pictures import MAX_PRIMITIVES, NOTHING, PictureSet

SMALLEST = 30  # pixels; smaller things are not shown
STUFF_WEIGHT = 0.6  # of floor, wall and rug against things: they are easy
PART_SHARE, PRIMITIVE_SHARE = 0.23, 0.12
ROUGH_SHARE, CUT_SHARE, TEXTURE_SHARE = 0.4, 0.25, 0.08
BLACK_SHARE, GRAY_SHARE = 0.68, 0.12  # of backgrounds; the rest keeps its surroundings
GRAY = 127


@dataclass(frozen=True)
class Crop:
    """What CLIP sees and what is known about it; `ANY` where it is not."""

    image: NDArray[np.uint8]  # [S, S, 3]
    class_id: int
    color: int
    part: int
    texture: bool


class CropSource:
    """Draws crops of all classes alike from a set of pictures."""

    def __init__(self, pictures: PictureSet) -> None:
        """List every visible instance of at least `SMALLEST` pixels."""
        self.pictures = pictures
        self.places: list[list[tuple[int, int]]] = [[] for _ in CLASSES]
        for index in range(len(pictures)):
            for instance, class_id in visible_instances(pictures, index):
                self.places[class_id].append((index, instance))
        weights = np.array([STUFF_WEIGHT if name in STUFF else 1.0 for name in CLASSES])
        weights *= [bool(places) for places in self.places]
        self.shares = weights / weights.sum()

    def draw(self, size: int, rng: np.random.Generator, vary_light: bool = True) -> Crop:
        """Return a random crop with the faults that real masks have."""
        vary = _varied if vary_light else _mirrored
        class_id = int(rng.choice(len(CLASSES), p=self.shares))
        places = self.places[class_id]
        index, instance = places[int(rng.integers(len(places)))]
        image, seen = self.pictures.images[index], self.pictures.primitives[index]
        table = self.pictures.tables[index]
        whole = table[1][seen % MAX_PRIMITIVES] == instance
        color = int(table[3][np.flatnonzero(table[1] == instance)[0]])
        if rng.random() < TEXTURE_SHARE:
            patch = _inner_square(whole, rng)
            if patch is not None:
                crop = region_crop(image, patch, size)
                return Crop(vary(crop, rng), class_id, color, ANY, True)
        mask, part = _part(whole, seen, table, rng)
        mask = _faulty(mask, rng)
        crop = vary(region_crop(image, mask, size, _background(rng)), rng)
        # A part can have another colour than the thing is named after.
        return Crop(crop, class_id, color if part == ANY else ANY, part, False)


def visible_instances(pictures: PictureSet, index: int) -> list[tuple[int, int]]:
    """Return (instance id, class) of the things of at least `SMALLEST` pixels in a picture."""
    seen, table = pictures.primitives[index], pictures.tables[index]
    sizes = np.bincount(seen[seen != NOTHING].ravel(), minlength=MAX_PRIMITIVES)
    known = table[1] >= 0
    areas = np.bincount(table[1][known], weights=sizes[:MAX_PRIMITIVES][known])
    classes = {int(i): int(c) for i, c in zip(table[1][known], table[2][known], strict=True)}
    return [(i, classes[i]) for i in np.flatnonzero(areas >= SMALLEST).tolist()]


def _part(
    whole: NDArray[np.bool_], seen: NDArray[np.uint8], table: NDArray[Any], rng: np.random.Generator
) -> tuple[NDArray[np.bool_], int]:
    """Return the whole, or sometimes one of its parts or primitives with the part's name."""
    draw = rng.random()
    if draw >= PART_SHARE + PRIMITIVE_SHARE:
        return whole, ANY
    primitive = int(rng.choice(seen[whole]))
    if draw < PRIMITIVE_SHARE:
        piece = seen == primitive
    else:
        piece = table[0][seen % MAX_PRIMITIVES] == table[0][primitive]
    if not SMALLEST <= piece.sum() < 0.9 * whole.sum():
        return whole, ANY
    return piece, int(table[4][primitive])


def _faulty(mask: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Grow, shrink or cut off a mask, as a segmenter would; never below `SMALLEST` pixels."""
    if rng.random() < ROUGH_SHARE:
        kernel = np.ones((int(rng.choice([3, 3, 5])),) * 2, np.uint8)
        change = cv2.dilate if rng.random() < 0.6 else cv2.erode
        rough = change(mask.astype(np.uint8), kernel).astype(bool)
        mask = rough if rough.sum() >= SMALLEST else mask
    if rng.random() < CUT_SHARE:
        rest = mask.copy()
        at = np.argwhere(mask)[int(rng.integers(mask.sum()))]
        side = int(rng.integers(4))
        rest[(np.s_[: at[0]], np.s_[at[0] :], np.s_[:, : at[1]], np.s_[:, at[1] :])[side]] = False
        mask = rest if rest.sum() >= max(SMALLEST, 0.4 * mask.sum()) else mask
    return mask


def _inner_square(mask: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_] | None:
    """Return a square wholly inside the mask, or None where not even a small one fits."""
    for half in (12, 8, 6, 4):
        kernel = np.ones((2 * half + 1,) * 2, np.uint8)
        inside = np.argwhere(cv2.erode(mask.astype(np.uint8), kernel, borderValue=0))
        if len(inside):
            y, x = inside[int(rng.integers(len(inside)))]
            square = np.zeros_like(mask)
            square[y - half : y + half + 1, x - half : x + half + 1] = True
            return square
    return None


def _background(rng: np.random.Generator) -> int | None:
    draw = rng.random()
    if draw < BLACK_SHARE:
        return 0
    return GRAY if draw < BLACK_SHARE + GRAY_SHARE else None


def _varied(crop: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Mirror half of the crops and change light and tint a little."""
    crop = _mirrored(crop, rng)
    gain = rng.uniform(0.8, 1.2) * rng.uniform(0.93, 1.07, 3)
    return np.clip(crop * gain, 0, 255).astype(np.uint8)


def _mirrored(crop: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Mirror half of the crops."""
    return crop[:, ::-1] if rng.random() < 0.5 else crop
