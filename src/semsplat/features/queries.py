"""Texts asked of a field, encoded by the very model and templates of the features it learned."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from semsplat.features.cache import Arrays, Cache
from semsplat.features.precision import precision_on
from semsplat.features.store import SceneFeatures
from semsplat.features.weights import find_weights
from semsplat.params.features import ClipModel

if TYPE_CHECKING:
    from semsplat.features.clip import Clip


class Texts:
    """What encodes prompts for a scene's features."""

    def __init__(self, features: SceneFeatures, device: str, cache: Cache | None = None) -> None:
        """Remember where the model is named; it is opened for the first prompt not in the cache."""
        self._features, self._device, self._cache = features, device, cache
        self._known: dict[str, Tensor] = {}  # views ask for the same prompts again

    @cached_property
    def _spec(self) -> ClipModel:
        return ClipModel.model_validate(self._features.manifest["models"]["clip"])

    @cached_property
    def _model(self) -> Clip:
        from semsplat.features.clip import open_model  # seconds of imports

        return open_model(find_weights(self._spec), self._device)

    def encode(self, prompts: list[str]) -> Tensor:
        """Return float32 [P, D], length 1; a word the model was never taught is an error."""
        for prompt in prompts:
            if prompt not in self._known:
                self._known[prompt] = self._vector(prompt)
        return torch.stack([self._known[prompt] for prompt in prompts])

    def _vector(self, prompt: str) -> Tensor:
        """Return a prompt's vector [D], from the cache where one is given: models open slowly."""
        templates = self._features.manifest["templates"]

        def compute() -> Arrays:
            return {"vector": self._model.encode_texts([prompt], templates)[0]}

        if self._cache is None:
            arrays = compute()
        else:
            code, words = ("semsplat.features.clip",), {"prompt": prompt, "templates": templates}
            model = self._spec.sha256, precision_on(self._device, self._spec.precision)
            path = self._cache.path("text", code, model=model, **words)
            arrays = self._cache.get(path, compute)
        return torch.from_numpy(arrays["vector"]).to(self._device)

    @cached_property
    def canonical(self) -> Tensor:
        """Return the recipe's canonical phrases, float32 [C, D], length 1."""
        return torch.from_numpy(self._features.text_vectors("canonical")).to(self._device)
