"""CLIP's opinion of the scene's own instances, whose outlines are made worse to a given purity.

What a vote over regions can win depends on their purity, the share of pixels that belong to what
most of their region shows.  A segmenter has one purity; here it is a rung of a ladder.  The regions
are ground truth, and the labels CLIP-GS's: the opinion of CLIP's dense vectors in each region.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from semsplat.conventions import NO_ID
from semsplat.data.scene import Frame, load_ids
from semsplat.errors import SemsplatError
from semsplat.features.labels import dense_labels, labels_of_means, uniform_weights
from semsplat.features.teachers import Ids, Lesson, Sources, reads_nothing
from semsplat.io import sha256_text
from semsplat.params.base import Fraction, Strict

BLOB_SHARE = 0.05
"""width of the patches that change hands, in widths of the image"""


class Options(Strict):
    """Whose dense vectors, and how pure the regions are."""

    recipe: str
    """feature recipe with dense maps; its own regions do not count"""
    purity: Fraction
    """share of the pixels that stay with their instance; the others go to the closest other one"""


def recipe(options: Options) -> str | None:
    """Return the feature recipe."""
    return options.recipe


folders = reads_nothing


def declares_truth(_: Options) -> bool:
    """Tell that regions are the scene's instances."""
    return True


def teach(frame: Frame, options: Options, sources: Sources) -> Lesson:
    """Return the labels of a view by the dense vectors in its regions, and the regions."""
    if frame.instances_path is None:
        raise SemsplatError(f"view '{frame.name}' has no instances; take another teacher")
    assert sources.features is not None
    ids = load_ids(frame.instances_path, frame)
    _, numbers = np.unique(ids, return_inverse=True)
    random = np.random.default_rng(int(sha256_text(frame.name)[:16], 16))
    regions = degraded(numbers.reshape(ids.shape).astype(np.int32), options.purity, random)
    view, text = sources.features.view(frame.name), sources.features.text_vectors("classes")
    scores = np.ones(regions.max() + 1, np.float16)
    view = replace(view, ids=regions[None].astype(np.int16), scores=scores)
    own = dense_labels(view, text)
    return Lesson(labels_of_means(view, text, uniform_weights(view), own), regions)


def degraded(instances: Ids, purity: float, random: np.random.Generator) -> Ids:
    """Return regions of this purity: their outlines have moved, here to one side, there to another.

    A pixel changes hands where its distance to the closest other instance, times a smooth random
    factor, is small; so many do that the share of the others is the purity.  A second random field
    says which of two neighbours moves, so that they do not swap rims.

    Args:
        instances: int32 [H, W], 0 to N - 1.
        purity: in 0 to 1; 1 changes nothing, and so does a view of one instance.
        random: of the patches.
    """
    n_changed = round((1 - purity) * instances.size)
    if not n_changed or instances.min() == instances.max():
        return instances
    distance, beyond = closest_other(instances)
    sigma = BLOB_SHARE * instances.shape[1]
    factor, side = (
        cv2.GaussianBlur(random.standard_normal(instances.shape), (0, 0), sigma) for _ in range(2)
    )
    cost = distance * np.exp(factor / factor.std())
    cost[side * np.sign(beyond - instances) < 0] += cost.max()  # last, and only if all others went
    chosen = np.argsort(cost, axis=None, kind="stable")[:n_changed]
    regions = instances.copy()
    regions.flat[chosen] = beyond.flat[chosen]
    return regions


def closest_other(instances: Ids) -> tuple[NDArray[np.float64], Ids]:
    """Return each pixel's distance to the closest pixel of another instance, and that one's id."""
    from scipy.ndimage import distance_transform_edt

    distance = np.zeros(instances.shape)
    other = np.full(instances.shape, NO_ID, np.int32)
    for number in np.unique(instances):
        inside = instances == number
        away, (rows, columns) = distance_transform_edt(inside, return_indices=True)
        distance[inside] = away[inside]
        other[inside] = instances[rows[inside], columns[inside]]
    return distance, other
