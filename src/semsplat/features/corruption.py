"""Seeded mistakes put into a teacher's labels, for controlled experiments; always stated.

Two kinds: ``iid``, mistakes of single views that other views outvote, and ``view_correlated``,
mistakes that persist while the camera passes, as a network's do.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from semsplat.features.teachers import Ids


def wrong_class(right: int, n_classes: int, rng: np.random.Generator) -> int:
    """Return a class of 1 to C drawn evenly from all but ``right``; with one class, that one."""
    if n_classes < 2:
        return right
    drawn = int(rng.integers(1, n_classes))
    return drawn + (drawn >= right)


def corrupt_iid(
    labels: Ids,  # [H, W], 0 = ignored, 1 to C
    regions: Ids,  # [H, W], -1 = none
    share: float,
    n_classes: int,
    rng: np.random.Generator,
) -> Ids:
    """Return the labels where each region has taken one wrong class with probability ``share``.

    A region's right class is its most frequent label; ignored pixels stay ignored.
    """
    changed = labels.copy()
    for region in np.unique(regions[regions >= 0]):
        inside = (regions == region) & (labels > 0)
        if inside.any() and rng.random() < share:
            changed[inside] = wrong_class(majority(labels[inside]), n_classes, rng)
    return changed


def plan_runs(
    views_of: dict[int, list[int]],  # object: the views that show it, ascending
    class_of: dict[int, int],  # object: its right class
    share: float,
    n_classes: int,
    rng: np.random.Generator,
) -> dict[tuple[int, int], int]:
    """Return {(object, view): wrong class} for one contiguous run of every object's views.

    A run covers round(share x views) of the views that show the object, starts anywhere among
    them, and has one wrong class.
    """
    plan: dict[tuple[int, int], int] = {}
    for thing in sorted(views_of):
        views = views_of[thing]
        length = round(share * len(views))
        start = int(rng.integers(len(views) - length + 1))
        wrong = wrong_class(class_of[thing], n_classes, rng)
        plan |= {(thing, view): wrong for view in views[start : start + length]}
    return plan


def corrupt_runs(maps: list[tuple[Ids, Ids]], share: float, n_classes: int, seed: int) -> list[Ids]:
    """Return every view's labels where each object keeps one wrong class over a run of views.

    Args:
        maps: per view, in the order in which the camera passes, labels [H, W] (0 = ignored) and
            object ids [H, W] (-1 = none), which name the same thing in all views.
        share: of the views that show an object, those in which it is mistaken.
        n_classes: C.
        seed: of all drawn numbers.
    """
    views_of: dict[int, list[int]] = {}
    votes: dict[int, NDArray[np.int64]] = {}
    for view, (labels, objects) in enumerate(maps):
        for thing in _things(labels, objects):
            views_of.setdefault(thing, []).append(view)
            counts = np.bincount(labels[objects == thing], minlength=n_classes + 1)
            votes[thing] = votes.get(thing, 0) + counts
    class_of = {thing: int(counts[1:].argmax()) + 1 for thing, counts in votes.items()}
    plan = plan_runs(views_of, class_of, share, n_classes, np.random.default_rng(seed))
    changed = [labels.copy() for labels, _ in maps]
    for (thing, view), wrong in plan.items():
        labels, objects = maps[view]
        changed[view][(objects == thing) & (labels > 0)] = wrong
    return changed


def majority(labels: Iterable[int] | Ids) -> int:
    """Return the most frequent label, the lowest of several."""
    return int(np.bincount(np.asarray(labels)).argmax())


def _things(labels: Ids, objects: Ids) -> list[int]:
    """Return the objects that a view shows with a label."""
    return np.unique(objects[(objects >= 0) & (labels > 0)]).tolist()
