"""Texts asked of a field, encoded by the very model and templates of the features it learned."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from semsplat.features.clip import Clip, open_model
from semsplat.features.store import SceneFeatures
from semsplat.features.weights import find_weights
from semsplat.params.features import ClipModel


class Texts:
    """What encodes prompts for a scene's features."""

    def __init__(self, features: SceneFeatures, device: str) -> None:
        """Remember where the model is named; it is opened with the first prompt."""
        self._features, self._device = features, device
        self._known: dict[str, Tensor] = {}  # views ask for the same prompts again

    @cached_property
    def _model(self) -> Clip:
        spec = ClipModel.model_validate(self._features.manifest["models"]["clip"])
        return open_model(find_weights(spec), self._device)

    def encode(self, prompts: list[str]) -> Tensor:
        """Return float32 [P, D], length 1; a word the model was never taught is an error."""
        templates = self._features.manifest["templates"]
        for prompt in prompts:
            if prompt not in self._known:
                (vector,) = self._model.encode_texts([prompt], templates)
                self._known[prompt] = torch.from_numpy(vector).to(self._device)
        return torch.stack([self._known[prompt] for prompt in prompts])

    @cached_property
    def canonical(self) -> Tensor:
        """Return the recipe's canonical phrases, float32 [C, D], length 1."""
        return torch.from_numpy(self._features.text_vectors("canonical")).to(self._device)
