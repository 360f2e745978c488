"""Automatic masks of a SAM against true masks."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from segment_anything import SamAutomaticMaskGenerator
from segment_anything.modeling import Sam

from semsplat.log import progress
from semsplat.networks.pictures import PictureSet
from semsplat.networks.quality.truth import Thing, overlaps, things
from semsplat.params.quality import AutomaticMasks

INSTANCE_PX, PART_PX = 100, 60  # smaller ones are not asked for


def automatic_quality(sam: Sam, pictures: PictureSet, config: AutomaticMasks) -> dict[str, float]:
    """Return how well automatic masks meet instances, objects and parts; masks and s an image."""
    generator = SamAutomaticMaskGenerator(sam, **config.model_dump())
    best: dict[str, list[float]] = {"instances": [], "objects": [], "parts": []}
    counts, seconds = [], []
    for index in progress(range(len(pictures)), "automatic masks"):
        start = time.perf_counter()
        records = generator.generate(pictures.images[index])
        seconds.append(time.perf_counter() - start)
        counts.append(len(records))
        instances = things(pictures, index, "instance", INSTANCE_PX)
        parts = things(pictures, index, "part", PART_PX)
        values = best_overlaps(records, instances)
        best["instances"] += values.tolist()
        best["objects"] += values[[thing.is_object for thing in instances]].tolist()
        best["parts"] += best_overlaps(records, parts).tolist()
    means = {f"best_iou_{name}": float(np.mean(values)) for name, values in best.items()}
    return {
        **means,
        "masks_per_image": float(np.mean(counts)),
        "seconds_per_image": float(np.median(seconds)),
    }


def best_overlaps(records: list[dict[str, Any]], wanted: list[Thing]) -> NDArray[np.float64]:
    """Return the best IoU of any found mask with each thing, float64 [T]; 0 if none is found."""
    if not records or not wanted:
        return np.zeros(len(wanted))
    masks = np.stack([record["segmentation"] for record in records])
    return np.asarray(overlaps(masks, np.stack([thing.mask for thing in wanted])).max(axis=0))
