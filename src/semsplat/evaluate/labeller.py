"""The class labels that 2-D features give by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from semsplat.evaluate.confusion import Labels
from semsplat.features.labels import UNLABELLED, dense_labels, pseudo_labels, region_labels
from semsplat.features.store import SceneFeatures


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
        labels = {}
        if view.vectors is not None:
            labels["region"] = self._class_of[region_labels(view, self._text)]
        if view.dense is not None:
            labels["dense"] = self._class_of[dense_labels(view, self._text)]
            labels["pseudo"] = self._class_of[pseudo_labels(view, self._text)]
        return labels

    @property
    def absent(self) -> str | None:
        """Why there are no labels at all, or None."""
        return None if self.features.manifest["class_ids"] else "the scene names no classes"
