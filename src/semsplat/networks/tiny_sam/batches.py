"""Training batches for the tiny SAM: augmented pictures, prompts, and the masks they mean.

Masks are compared on square cells, of which the picture fills the upper part; ids are read at cell
centres.  At first the cells are those of the decoder's own grid of 4g x 4g, at last pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from semsplat.networks.pictures import PictureSet
from semsplat.networks.tiny_sam.model import Prompts

SMALLEST_PX = 24  # a smaller thing is no target
UNIFORM_CLICKS = 0.2  # share of clicks anywhere, as the automatic mode's grid clicks


Levels = tuple[float, float, float]
"""How often a prompt means a sub-part, a part, a whole."""


@dataclass(frozen=True)
class Batch:
    """Pictures with the ids of their cells.

    ``images`` float32 [B, 3, H, W] in 0..255; ``ids`` int64 [B, 3, h, w]: primitive, part,
    instance; ``cell`` pixels per cell.
    """

    images: Tensor
    ids: Tensor
    cell: int

    @property
    def smallest(self) -> float:
        """Cells that a thing must fill to be a target."""
        return SMALLEST_PX / self.cell**2


@dataclass(frozen=True)
class Task:
    """Prompts and what their masks should be.

    ``targets`` float32 [B * P, 4, h, w], one per decoder output.  ``ambiguous``: a prompt can mean
    several things, and the outputs are to answer with different ones.
    """

    prompts: Prompts
    targets: Tensor
    ambiguous: bool


def picture_batch(
    pictures: PictureSet, indices: NDArray[np.int64], cell: int, rng: np.random.Generator | None
) -> Batch:
    """Return a batch of pictures, augmented if ``rng`` is given (mirror, light, colour)."""
    images, ids = [], []
    for index in indices:
        image = pictures.images[index]
        levels = pictures.levels(index)[:, cell // 2 :: cell, cell // 2 :: cell]
        if rng is not None:
            image, levels = _augment(image, levels, rng)
        images.append(np.moveaxis(np.asarray(image, np.float32), 2, 0))
        ids.append(levels.astype(np.int64))
    return Batch(torch.from_numpy(np.stack(images)), torch.from_numpy(np.stack(ids)), cell)


def _augment(
    image: NDArray[Any], levels: NDArray[Any], rng: np.random.Generator
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Mirror half of the pictures, change light and tint, and swap channels of a third."""
    if rng.random() < 0.5:
        image, levels = image[:, ::-1], levels[:, :, ::-1]
    image = image * (rng.uniform(0.8, 1.2) * rng.uniform(0.92, 1.08, 3))
    if rng.random() < 0.3:
        image = image[:, :, rng.permutation(3)]
    return image.clip(0, 255), levels


def on_cells(logits: Tensor, batch: Batch) -> Tensor:
    """Return the decoder's logits [N, K, 4g, 4g] on a batch's cells [N, K, h, w].

    They are enlarged as SAM enlarges them, so an outline learns where it lies between two cells.
    """
    side = max(batch.images.shape[2:]) // batch.cell
    height, width = batch.ids.shape[2:]
    enlarged = F.interpolate(logits, (side, side), mode="bilinear", align_corners=False)
    return enlarged[:, :, :height, :width]


def click_task(
    batch: Batch, count: int, levels: Levels, rng: np.random.Generator, jitter: bool = True
) -> Task:
    """Return one click a mask: outputs 1 to 3 mean its three levels, output 0 the whole."""
    points, targets = [], []
    for ids in batch.ids.numpy():
        for _ in range(count):
            y, x = _click_cell(ids, levels, batch.smallest, rng)
            points.append(_pixels(np.array([[x, y]]), batch.cell, rng if jitter else None))
            answers = [ids[level] == ids[level, y, x] for level in range(3)]
            targets.append(np.stack([answers[2], *answers]))
    prompts = Prompts(points=_floats(points), point_labels=_floats([[1.0]] * len(points)))
    return Task(prompts, _masks(targets), ambiguous=True)


def box_task(batch: Batch, count: int, levels: Levels, rng: np.random.Generator) -> Task:
    """Return the loose bounding box of one thing a mask: all outputs mean that thing."""
    boxes, targets = [], []
    for ids in batch.ids.numpy():
        for _ in range(count):
            thing = _thing(ids, levels, batch.smallest, rng)
            ys, xs = np.nonzero(thing)
            box = np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]) * batch.cell
            size = np.tile(box[2:] - box[:2], 2)
            boxes.append(box + rng.normal(0.0, 0.04, 4) * size - 0.5)
            targets.append(np.stack([thing] * 4))
    return Task(Prompts(boxes=_floats(boxes)), _masks(targets), ambiguous=False)


def points_task(batch: Batch, count: int, levels: Levels, rng: np.random.Generator) -> Task:
    """Return two or three clicks inside one thing and one close outside: all outputs mean it."""
    points, targets = [], []
    inside = int(rng.integers(2, 4))
    for ids in batch.ids.numpy():
        for _ in range(count):
            thing = _thing(ids, levels, batch.smallest, rng)
            cells = [random_cell(thing, rng) for _ in range(inside)]
            cells.append(random_cell(surroundings(thing), rng))
            points.append(_pixels(np.array(cells)[:, ::-1], batch.cell, rng))
            targets.append(np.stack([thing] * 4))
    labels = [[1.0] * inside + [0.0]] * len(points)
    prompts = Prompts(points=_floats(points), point_labels=_floats(labels))
    return Task(prompts, _masks(targets), ambiguous=False)


def refinement_task(
    batch: Batch, clicks: Task, logits: Tensor, levels: Levels, rng: np.random.Generator
) -> Task:
    """Return a previous answer as mask prompt with one click into its error.

    Args:
        batch: the pictures.
        clicks: the clicks that were answered.
        logits: the answers, [B * P, 4, 4g, 4g].
        levels: how often each level is meant.
        rng: chooses the level that is meant, and the corrective click.
    """
    points, labels, targets, chosen = [], [], [], []
    masks = on_cells(logits, batch) > 0
    for answer, mask, wanted in zip(logits, masks, clicks.targets, strict=True):
        output = int(rng.choice(3, p=levels)) + 1
        target = wanted[output].numpy() > 0.5
        error = target != mask[output].numpy()
        y, x = random_cell(error if error.any() else target, rng)
        points.append(_pixels(np.array([[x, y]]), batch.cell, rng))
        labels.append([float(target[y, x])])
        targets.append(np.stack([target] * 4))
        chosen.append(answer[output])
    prompts = Prompts(_floats(points), _floats(labels), masks=torch.stack(chosen)[:, None])
    return Task(prompts, _masks(targets), ambiguous=False)


def _click_cell(
    ids: NDArray[np.int64], levels: Levels, smallest: float, rng: np.random.Generator
) -> tuple[int, int]:
    """Return the cell (y, x) of a click: anywhere, or in a thing chosen whatever its size."""
    if rng.random() < UNIFORM_CLICKS:
        return int(rng.integers(ids.shape[1])), int(rng.integers(ids.shape[2]))
    return random_cell(_thing(ids, levels, smallest, rng), rng)


def _thing(
    ids: NDArray[np.int64], levels: Levels, smallest: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Return the cells [h, w] of a primitive, part or instance of at least ``smallest`` cells."""
    level = ids[int(rng.choice(3, p=levels))]
    values, sizes = np.unique(level, return_counts=True)
    large = values[sizes >= smallest]
    return level == large[rng.integers(len(large))]


def surroundings(thing: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the cells outside a thing within half its size of its bounding box."""
    ys, xs = np.nonzero(thing)
    height, width = np.ptp(ys) // 2 + 2, np.ptp(xs) // 2 + 2
    near = np.zeros_like(thing)
    rows = slice(max(0, ys.min() - height), ys.max() + height + 1)
    near[rows, max(0, xs.min() - width) : xs.max() + width + 1] = True
    return near & ~thing


def random_cell(cells: NDArray[np.bool_], rng: np.random.Generator) -> tuple[int, int]:
    """Return one of the cells (y, x) that are set."""
    y, x = divmod(int(rng.choice(np.flatnonzero(cells))), cells.shape[1])
    return y, x


def _pixels(
    cells: NDArray[np.int64], cell: int, rng: np.random.Generator | None
) -> NDArray[np.floating]:
    """Return pixel positions [n, 2] in cells (x, y): their centres, or anywhere near them."""
    shift = rng.uniform(-0.3, 0.3, cells.shape) if rng is not None else 0.0
    return (cells + 0.5 + shift) * cell - 0.5


def _floats(values: Any) -> Tensor:
    return torch.from_numpy(np.asarray(values, np.float32))


def _masks(targets: list[NDArray[np.bool_]]) -> Tensor:
    return torch.from_numpy(np.stack(targets).astype(np.float32))
