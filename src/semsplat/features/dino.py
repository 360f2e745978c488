"""DINO's dense maps: keys of the last layer's attention, at patches that overlap (transformers).

Keys as descriptors and overlapping patches are those of Amir et al. 2022 (Deep ViT Features as
Dense Visual Descriptors, section 3), from whose code LEGaussians has them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from transformers import ViTModel

from semsplat.errors import SemsplatError
from semsplat.features import hub
from semsplat.features.dense import positions_for
from semsplat.features.memory import halving
from semsplat.features.precision import computing
from semsplat.params.features import DinoMaps

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""ImageNet's, in which DINO was trained."""


class Dino:
    """A DINO on a device whose patches start every ``stride_px`` pixels."""

    def __init__(self, options: DinoMaps, device: str) -> None:
        """Open the model.

        Raises:
            SemsplatError: what `semsplat.features.hub.open_model` raises; images are to be smaller
                than a patch.
        """
        self.options, self.device = options, device
        self.model = hub.open_model(ViTModel, options.model, device, add_pooling_layer=False)
        if options.short_side_px < (patch := self.model.config.patch_size):
            raise SemsplatError(
                f"dino_maps.short_side_px: {options.short_side_px}, but a patch of"
                f" {options.model.folder} has {patch}; raise it in the recipe"
            )
        self.model.embeddings.patch_embeddings.projection.stride = (options.stride_px,) * 2

    @torch.inference_mode()
    def encode(self, image: NDArray[np.uint8], cells: tuple[int, int]) -> NDArray[np.float16]:
        """Return the map float16 [D, h, w] of an image uint8 [H, W, 3], of length 1 per cell.

        Args:
            image: of any size from a patch on.
            cells: h, w, to which the keys are resized bilinearly.

        Raises:
            SemsplatError: the image exceeds the GPU's memory.
        """
        resized = short_side(image, self.options.short_side_px)
        pixels = (torch.from_numpy(resized).to(self.device) / 255 - self._of(MEAN)) / self._of(STD)
        with computing(self.device, self.options.model.precision):
            keys = halving(1, lambda _: last_keys(self.model, pixels.movedim(2, 0)[None]), "image")
        grid = F.interpolate(keys.float(), cells, mode="bilinear", align_corners=False)[0]
        return F.normalize(grid, dim=0).half().cpu().numpy()

    def _of(self, channels: tuple[float, ...]) -> Tensor:
        return torch.tensor(channels, device=self.device)


def short_side(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return an image uint8 [H, W, 3] whose short side has ``side`` pixels (Lanczos)."""
    height, width = image.shape[:2]
    size = (side * width // min(height, width), side * height // min(height, width))
    return np.array(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))


def last_keys(model: Any, images: Tensor) -> Tensor:
    """Return the keys of all heads in the last layer, side by side, [B, D, rows, columns].

    Args:
        model: a ViTModel of transformers; its patches are those of its projection's stride.
        images: [B, 3, H, W], normalised.
    """
    embeddings = model.embeddings
    patches = embeddings.patch_embeddings.projection(images)
    rows, columns = patches.shape[2:]
    tokens = patches.flatten(2).transpose(1, 2)
    first = embeddings.cls_token.to(tokens.dtype).expand(len(tokens), 1, -1)
    side = model.config.image_size // model.config.patch_size
    own = embeddings.position_embeddings[0]
    positions = positions_for(own, (side, side), (rows, columns))
    kept: list[Tensor] = []
    last = model.layers[-1].attention.k_proj
    hook = last.register_forward_hook(lambda *call: kept.append(call[2]))
    try:
        hidden = torch.cat([first, tokens], dim=1) + positions.to(tokens.dtype)
        for layer in model.layers:
            hidden = layer(hidden)
    finally:
        hook.remove()
    return kept[0][:, 1:].transpose(1, 2).unflatten(2, (rows, columns))
