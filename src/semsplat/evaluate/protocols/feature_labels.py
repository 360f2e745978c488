"""Protocol ``features/labels@1``: the 2-D features' own zero-shot labels, over the training views.

Definition: three kinds of labels by five measures.  A pixel's label is the class of its region's
crop in layer 0 (``region_``), the class of its dense vector (``dense_``), or CLIP-GS's pseudo
label, the class of its region's mean dense vector (``pseudo_``).  Against the truth: one confusion
matrix over all training views that have label maps; pixels whose truth is 0 (void) are dropped; a
pixel without a label counts as wrong; a view without features, or with those of another size, is an
error.  ``miou``: TP / (TP + FP + FN), mean over the classes that occur in the truth or are
predicted on a pixel that counts.  ``accuracy``: share of pixels labelled right.
``class_accuracy``: TP / (TP + FN), mean over the classes that occur in the truth.  ``coverage``:
share of all pixels with a label.  ``inconsistency``: for every two consecutive training views, in
the order of the split, of the first view's pixels that are visible in the second
(`semsplat.evaluate.pairs`) and labelled in both, the share whose labels differ; pooled over all
pairs.
Source: ours; it measures what the papers' lifting to 3-D starts from.
Disputes: papers show view inconsistency as pictures only; CLIP-GS's proxy averages mIoU over
images instead of pixels.  Compare only within one protocol.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from semsplat.evaluate.confusion import Labels
from semsplat.features.labels import UNLABELLED, dense_labels, pseudo_labels, region_labels
from semsplat.features.store import SceneFeatures

NAME = "features/labels@1"
KINDS = ("region", "dense", "pseudo")
LABEL_MEASURES = ("miou", "accuracy", "class_accuracy")
MEASURES = (*LABEL_MEASURES, "coverage", "inconsistency")
METRICS = tuple(f"{kind}_{measure}" for kind in KINDS for measure in MEASURES)


@dataclass(frozen=True)
class Labeller:
    """The labels that a scene's features give, in the scene's class ids."""

    features: SceneFeatures

    @cached_property
    def _text(self) -> NDArray[np.float32]:
        return self.features.text_vectors("classes")

    @cached_property
    def _class_of(self) -> Labels:
        """The class id of each label, int32 [C + 1]; no label stays 0."""
        return np.array([UNLABELLED, *self.features.manifest["class_ids"]], np.int32)

    @property
    def class_names(self) -> dict[int, str]:
        """The prompt of each class id, in the order of the prompts."""
        prompts = self.features.prompts("classes")
        return dict(zip(self.features.manifest["class_ids"], prompts, strict=True))

    def labels(self, name: str) -> dict[str, Labels]:
        """Return {kind: class ids int32 [H, W], 0 = none} of a view, for the kinds there are."""
        if self.absent:
            return {}
        view = self.features.view(name)
        found = {}
        if view.vectors is not None:
            found["region"] = self._class_of[region_labels(view, self._text)]
        if view.dense is not None:
            found["dense"] = self._class_of[dense_labels(view, self._text)]
            found["pseudo"] = self._class_of[pseudo_labels(view, self._text)]
        return found

    @property
    def absent(self) -> str | None:
        """Why there are no labels at all, or None."""
        return None if self.features.manifest["class_ids"] else "the scene names no classes"
