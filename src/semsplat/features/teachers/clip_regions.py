"""CLIP-GS's Semantic Attribute Compactness, offline part: CLIP's opinion of SAM's regions."""

from __future__ import annotations

from typing import Literal

import numpy as np

from semsplat.data.scene import Frame
from semsplat.features.labels import (
    confidence_weights,
    dense_labels,
    labels_of_means,
    uniform_weights,
)
from semsplat.features.teachers import IGNORED, Lesson, Sources, declares_no_truth, reads_nothing
from semsplat.params.base import Strict


class Options(Strict):
    """What the paper leaves open (METHODS 1.3)."""

    recipe: str
    """feature recipe with dense maps; its first layer of regions counts"""
    weights: Literal["uniform", "confidence"]
    """of dense vectors in a region's mean: all alike, or their similarity to the closest class"""
    uncovered: Literal["pixel_argmax", "ignore"]
    """pixels outside all regions: the class of their own dense vector, or none"""


def recipe(options: Options) -> str | None:
    """Return the feature recipe."""
    return options.recipe


folders = reads_nothing
declares_truth = declares_no_truth


def teach(frame: Frame, options: Options, sources: Sources) -> Lesson:
    """Return the pseudo labels of a view (CLIP-GS, section 3.2; METHODS 1.1-2) and its regions."""
    assert sources.features is not None
    view, text = sources.features.view(frame.name), sources.features.text_vectors("classes")
    uniform = options.weights == "uniform"
    weights = uniform_weights(view) if uniform else confidence_weights(view, text)
    own = dense_labels(view, text)
    elsewhere = own if options.uncovered == "pixel_argmax" else np.full_like(own, IGNORED)
    labels = labels_of_means(view, text, weights, elsewhere)
    return Lesson(labels, view.ids[0].astype(np.int32))
