"""What the regions of a recipe allow at best, whatever their labels come from.

Each region of the final id maps is given the class that most of its pixels have in truth.  What is
then still wrong no label can mend: outlines beside the true ones, several things in one region,
pixels in none.
"""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray
from segment_anything.modeling import Sam

from semsplat.data.world.primitives import CLASSES
from semsplat.evaluate.confusion import confusion, label_metrics, majorities
from semsplat.features.extract import POOLED, chosen_regions, id_maps
from semsplat.features.segmenters import segmenter_kind
from semsplat.log import progress
from semsplat.networks.pictures import PictureSet
from semsplat.networks.quality.truth import class_map, level_map
from semsplat.params.features import Recipe

Ids = NDArray[np.int16]
Truth = NDArray[np.int64]
CLASS_IDS = np.arange(1, len(CLASSES) + 1, dtype=np.int32)


def recipe_votes(sam: Sam, pictures: PictureSet, recipe: Recipe) -> dict[str, object]:
    """Return the `best_votes` of every layer of a recipe, and its seconds an image.

    The recipe must ask the SAM on a grid, because pictures have no geometry.
    """
    kind = segmenter_kind(recipe.segmenter.kind)
    options = kind.Options.model_validate(recipe.segmenter.options)
    seconds, maps = [], []
    for image in progress(pictures.images, "regions"):
        start = time.perf_counter()
        chosen = chosen_regions(kind.segment(image, options, sam, None), recipe.regions)
        maps.append(id_maps(chosen, image, recipe.regions.snap_px))
        seconds.append(time.perf_counter() - start)
    layers = [POOLED] if recipe.regions.pool else kind.LAYERS
    votes = {
        name: best_votes([ids[layer] for ids in maps], pictures)
        for layer, name in enumerate(layers)
    }
    return {**votes, "seconds_per_image": float(np.median(seconds))}


def best_votes(maps: list[Ids], pictures: PictureSet) -> dict[str, float]:
    """Return what the best votes of one layer's regions reach.

    ``miou``: classes counted over all pictures, pixels in no region being wrong; ``picture_miou``:
    of each picture alone, their mean.  ``coverage``: share of pixels in a region; ``purity``: share
    of these that have their region's class.  ``regions_per_instance``: regions over the instances
    that any of them has most pixels of; above 1 is over-segmentation.

    Args:
        maps: id maps int16 [H, W], one per picture.
        pictures: with the truth.
    """
    counts, regions, instances = [], 0, 0
    for index, ids in enumerate(maps):
        classes = class_map(pictures, index)
        counts.append(confusion(_from_one(classes), _from_one(voted(ids, classes)), CLASS_IDS))
        owners = majorities(ids, level_map(pictures, index, "instance"))
        regions += int((owners >= 0).sum())
        instances += len(np.unique(owners[owners >= 0]))
    total = np.sum(counts, axis=0)
    covered = total[:, 1:].sum()
    return {
        "miou": label_metrics(total)["miou"],
        "picture_miou": float(np.mean([label_metrics(one)["miou"] for one in counts])),
        "coverage": float(covered / total.sum()),
        "purity": float(np.trace(total) / max(covered, 1)),
        "regions_per_instance": regions / max(instances, 1),
    }


def voted(ids: Ids, truth: Truth) -> Truth:
    """Return the best vote of every pixel's region, int64 [H, W], -1 where there is none."""
    found = np.append(majorities(ids, truth), -1)  # NO_ID is the last place
    return found[ids]


def _from_one(labels: Truth) -> NDArray[np.int32]:
    """Return labels counted from 1, with 0 for none."""
    return (labels + 1).astype(np.int32)
