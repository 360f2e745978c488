"""What a scene offers to methods that choose levels or follow distances, from its true things.

Things are the instances of training views; where none has instance maps, what is annotated there.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from statistics import fmean, median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semsplat.data.annotations import load_annotations
from semsplat.data.scene import Frame, Scene, load_ids
from semsplat.features.store import SceneFeatures

Mask = NDArray[np.bool_]
MIN_PX = 20
"""Smaller views of a thing say nothing of it; recipes drop smaller regions too."""


def measure_things(scene: Scene, features: SceneFeatures) -> dict[str, Any]:
    """Return what could be measured of a scene's things under one recipe.

    ``n_things``; of features in several levels ``best_level_differs``, the share in [0, 1] of
    things whose best level is not that of most; of features that follow a rendered depth
    ``distance_ratio``, farthest view over nearest of the median thing, at least 1.
    """
    ious: dict[str, list[list[float]]] = defaultdict(list)
    metres: dict[str, list[float]] = defaultdict(list)
    for frame in scene.train:
        if not (things := things_of(frame)):
            continue
        view = features.view(frame.name)
        for name, mask in things.items():
            ious[name].append([best_iou(mask, layer) for layer in view.ids])
            if view.depth is not None and (seen := view.depth[mask & (view.depth > 0)]).size:
                metres[name].append(float(np.median(seen.astype(np.float32))))
    facts: dict[str, Any] = {"n_things": len(ious)}
    if len(features.layers) > 1 and (best := list(_best_levels(ious))):
        facts["best_level_differs"] = 1 - Counter(best).most_common(1)[0][1] / len(best)
    if ratios := [max(seen) / min(seen) for seen in metres.values() if len(seen) > 1]:
        facts["distance_ratio"] = median(ratios)
    return facts


def things_of(frame: Frame) -> dict[str, Mask]:
    """Return the mask [H, W] of each thing in a view, by its id or by what it is called."""
    if frame.instances_path is not None:
        ids = load_ids(frame.instances_path, frame)
        masks = {str(i): ids == i for i in np.unique(ids[ids > 0])}
    elif frame.annotations_path is not None:
        masks = {name: said.mask for name, said in load_annotations(frame).items()}
    else:
        masks = {}
    return {name: mask for name, mask in masks.items() if mask.sum() >= MIN_PX}


def best_iou(mask: Mask, regions: NDArray[np.integer]) -> float:
    """Return the IoU of a mask with the best of a level's regions, int [H, W], -1 = none."""
    inside = np.bincount(regions[mask & (regions >= 0)])
    if not inside.size:
        return 0.0
    sizes = np.bincount(regions[regions >= 0], minlength=len(inside))[: len(inside)]
    return float((inside / (mask.sum() + sizes - inside)).max())


def _best_levels(ious: dict[str, list[list[float]]]) -> Iterator[int]:
    """Yield the level of the highest mean IoU over views of each thing that any level has."""
    for views in ious.values():
        means = [fmean(of_level) for of_level in zip(*views, strict=True)]
        if max(means) > 0:
            yield means.index(max(means))
