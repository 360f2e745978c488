"""Segment Anything Models, big and tiny, through the package segment_anything."""

from __future__ import annotations

import torch
from segment_anything import sam_model_registry
from segment_anything.modeling import Sam

from semsplat.features.cache import Cache
from semsplat.features.embedded.sam import load_sam
from semsplat.features.embeddings import ImageEncoder
from semsplat.features.weights import EMBEDDED, Weights, one_line_misfit
from semsplat.params.features import SamModel


def open_model(weights: Weights[SamModel], device: str, cache: Cache | None = None) -> Sam:
    """Return a SAM ready for ``SamPredictor`` and ``SamAutomaticMaskGenerator``.

    Args:
        weights: from `find_weights`.
        device: "cpu" or "cuda".
        cache: where its image embeddings are kept, None to compute them every time.

    Raises:
        SemsplatError: the weights cannot be read, or are those of another model.
    """
    embedded = weights.spec.weights == EMBEDDED
    sam = load_sam(weights.path) if embedded else _loaded(weights)
    sam.image_encoder = ImageEncoder(sam.image_encoder, weights, cache)
    return sam.eval().requires_grad_(False).to(device)


def _loaded(weights: Weights[SamModel]) -> Sam:
    """Return a SAM of the package with the weights of a checkpoint, on the CPU."""
    sam = sam_model_registry[weights.spec.architecture]()
    with one_line_misfit(weights):
        sam.load_state_dict(torch.load(weights.path, weights_only=True, map_location="cpu"))
    return sam
