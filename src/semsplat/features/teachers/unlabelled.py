"""A recipe's regions without labels: for methods that learn from tracks alone.

It needs no list of classes, so that scenes which name none can be tracked too.
"""

from __future__ import annotations

import numpy as np

from semsplat.data.scene import Frame
from semsplat.features.teachers import IGNORED, Lesson, Sources, declares_no_truth, reads_nothing
from semsplat.params.base import Strict

NEEDS_CLASSES = False


class Options(Strict):
    """Whose regions they are."""

    recipe: str
    """feature recipe; its first layer of regions counts"""


def recipe(options: Options) -> str | None:
    """Return the feature recipe."""
    return options.recipe


folders = reads_nothing
declares_truth = declares_no_truth


def teach(frame: Frame, options: Options, sources: Sources) -> Lesson:
    """Return a view's regions; its labels teach nothing."""
    assert sources.features is not None
    regions = sources.features.ids(frame.name)[0].astype(np.int32)
    return Lesson(np.full_like(regions, IGNORED), regions)
