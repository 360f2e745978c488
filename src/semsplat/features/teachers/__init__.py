"""Teachers: what a method learns from, a label map and a map of regions per view.

One kind per file.  A kind has ``Options`` (what ``params.yaml`` may say), ``recipe(options)`` (the
feature recipe it reads, or None), ``folders(options)`` (what it reads from disk besides),
``declares_truth(options)`` and ``teach(frame, options, sources)``, which returns a `Lesson`.  One
whose labels are none says so by ``NEEDS_CLASSES = False``, and teaches scenes that name no classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semsplat.discovery import kinds_of
from semsplat.features.store import SceneFeatures
from semsplat.params.base import Kind

IGNORED = 0
"""The label of pixels that teach nothing."""

Ids = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Lesson:
    """What is learned from one view.

    ``labels`` int32 [H, W]: classes 1 to C in the order of the scene's list, 0 = ignored.
    ``regions`` int32 [H, W]: the view's own masks, -1 = none.  ``tracks`` int32 [H, W]: ids that
    neighbouring training views share, -1 = none; None as a teacher says it, and for held-out views,
    from which nothing may be learned.
    """

    labels: Ids
    regions: Ids
    tracks: Ids | None = None


@dataclass(frozen=True, eq=False)
class Sources:
    """What a teacher may read besides a frame: the scene's class ids, and its features."""

    class_ids: list[int]
    features: SceneFeatures | None


def reads_nothing(_: Any) -> list[Any]:
    """Return no folders or models: what kinds, of tracks too, do that read none."""
    return []


def declares_no_truth(_: Any) -> bool:
    """Tell that nothing of the scene's truth is read: what kinds do, of tracks too, that look at
    pictures.
    """
    return False


teacher_kinds, teacher_kind = kinds_of(
    __name__, "kind of labels", ("Options", "folders", "recipe", "teach", "declares_truth")
)


def teacher_with_options(entry: Kind) -> tuple[ModuleType, Any]:
    """Return the kind that ``params.yaml`` names, and its options."""
    kind = teacher_kind(entry.kind)
    return kind, kind.Options.model_validate(entry.options)
