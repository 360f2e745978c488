"""Segment Anything Models, big and tiny, through the package segment_anything.

Image embeddings and answers to clicks are kept on disk: a changed threshold of regions asks
nothing again, and a changed one of masks encodes no image again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import torch
from segment_anything import sam_model_registry
from segment_anything.modeling import Sam
from torch import Tensor, nn

from semsplat.features.cache import Arrays, Cache
from semsplat.features.embedded.sam import load_sam
from semsplat.features.memory import halving
from semsplat.features.precision import computing, precision_on
from semsplat.features.weights import EMBEDDED, Weights, one_line_misfit
from semsplat.params.features import SamModel


class ImageEncoder(nn.Module):
    """SAM's image encoder in the precision of params.yaml, each of its embeddings made once.

    An embedding is named by the very pixels that the encoder sees, not by a file: the predictor,
    the automatic mode and its crops of an image all go through here.
    """

    def __init__(self, encoder: nn.Module, weights: Weights[SamModel], cache: Cache | None) -> None:
        """Wrap an encoder of `segment_anything`; without a cache every call computes."""
        super().__init__()
        self.encoder, self.spec, self.cache = encoder, weights.spec, cache
        self.img_size = encoder.img_size

    def forward(self, images: Tensor) -> Tensor:
        """Return embeddings float32 [B, C, h, w] of normalised, padded images [B, 3, S, S].

        Raises:
            SemsplatError: an image exceeds the GPU's memory.
        """
        if self.cache is None:
            return self._encoded(images)
        path = self.cache.path(
            "embeddings",
            ("semsplat.features.sam",),
            image=hashlib.sha256(images.cpu().numpy().tobytes()).hexdigest(),
            size=list(images.shape),
            model=self.spec.sha256,
            precision=precision_on(images.device.type, self.spec.precision),
        )
        kept = self.cache.get(path, lambda: {"embedding": self._encoded(images).cpu().numpy()})
        return torch.from_numpy(kept["embedding"]).to(images.device)

    def _encoded(self, images: Tensor) -> Tensor:
        def encode(_: int) -> Tensor:
            with computing(images.device.type, self.spec.precision):
                embeddings: Tensor = self.encoder(images)
            return embeddings.float()

        return halving(1, encode, "image")


def remembered(
    sam: Sam, step: str, code: tuple[str, ...], compute: Callable[[], Arrays], **depends: Any
) -> Arrays:
    """Return what a SAM computes in a step; once only, where it was opened with a cache.

    ``depends`` is what the result depends on beside the model and the modules ``code``.
    """
    encoder = sam.image_encoder
    if not isinstance(encoder, ImageEncoder) or encoder.cache is None:
        return compute()
    precision = precision_on(sam.device.type, encoder.spec.precision)
    model = (encoder.spec.sha256, precision)
    return encoder.cache.shared(encoder.cache.path(step, code, model=model, **depends), compute)


def open_model(weights: Weights[SamModel], device: str, cache: Cache | None = None) -> Sam:
    """Return a SAM ready for ``SamPredictor`` and ``SamAutomaticMaskGenerator``.

    Args:
        weights: from `find_weights`.
        device: "cpu" or "cuda".
        cache: where its image embeddings are kept, None to compute them every time.

    Raises:
        SemsplatError: the weights cannot be read, or are those of another model.
    """
    if weights.spec.weights == EMBEDDED:
        sam = load_sam(weights.path)
    else:
        sam = sam_model_registry[weights.spec.architecture]()
        with one_line_misfit(weights):
            sam.load_state_dict(torch.load(weights.path, weights_only=True, map_location="cpu"))
    sam.image_encoder = ImageEncoder(sam.image_encoder, weights, cache)
    return sam.eval().requires_grad_(False).to(device)
