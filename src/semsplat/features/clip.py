"""CLIP models, big and tiny, through open_clip: crops, dense maps and texts in, vectors out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import open_clip
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from semsplat.errors import SemsplatError
from semsplat.features.checkpoints import load_checkpoint
from semsplat.features.dense import value_map, whole_patches
from semsplat.features.embedded.clip import load_clip
from semsplat.features.memory import halving
from semsplat.features.precision import computing
from semsplat.features.pyramid import mixture, pyramid_levels, tiles
from semsplat.features.weights import EMBEDDED, Weights
from semsplat.params.base import Precision
from semsplat.params.features import ClipModel, DenseMaps, PyramidMaps, ValueMaps, WindowMaps

Half = NDArray[np.float16]


@dataclass(frozen=True)
class Clip:
    """A CLIP model on a device, with its tokenizer; all vectors have length 1.

    ``known_tokens``: the tokens that mean something to the model, None for all.  ``precision``:
    what a GPU computes in.
    """

    model: Any
    tokenize: Callable[[list[str]], Tensor]
    known_tokens: frozenset[int] | None
    device: str
    precision: Precision

    @property
    def crop_px(self) -> int:
        """Side of the square crops that the model looks at."""
        return self.model.visual.image_size[0]

    @property
    def patch_px(self) -> int:
        """Side of a patch."""
        return self.model.visual.patch_size[0]

    @torch.no_grad()
    def encode_crops(self, crops: NDArray[np.uint8], batch: int) -> Half:
        """Return the vectors float16 [N, D] of crops uint8 [N, S, S, 3].

        Every batch is filled up to ``batch``: a crop's vector must not depend, in its last bits, on
        how many others are encoded with it.  Where a GPU's memory runs out, ``batch`` is halved for
        all of these crops.

        Raises:
            SemsplatError: a single crop exceeds the GPU's memory.
        """
        return halving(batch, lambda size: self._crop_vectors(crops, size), "crop")

    def _crop_vectors(self, crops: NDArray[np.uint8], batch: int) -> Half:
        vectors = []
        for start in range(0, len(crops), batch):
            some = crops[start : start + batch]
            filled = np.concatenate(
                [some, np.zeros((batch - len(some), *some.shape[1:]), np.uint8)]
            )
            with computing(self.device, self.precision):
                encoded = self.model.encode_image(self._normalised(filled))
            vectors.append(_half(F.normalize(encoded.float(), dim=-1))[: len(some)])
        return np.concatenate(vectors) if vectors else np.zeros((0, self.dimensions), np.float16)

    @property
    def dimensions(self) -> int:
        """Length of the vectors."""
        return self.model.visual.output_dim

    @torch.no_grad()
    def encode_dense(self, image: NDArray[np.uint8], config: DenseMaps, batch: int) -> Half:
        """Return a dense map float16 [D, h, w] of an image uint8 [H, W, 3].

        Raises:
            SemsplatError: the image, or a single window of it, exceeds the GPU's memory.
        """
        if isinstance(config, ValueMaps):
            return halving(1, lambda _: self._values(image, config), "image")
        if isinstance(config, PyramidMaps):
            return self._pyramid(image, config, batch)
        return self._windows(image, config, batch)

    def _values(self, image: NDArray[np.uint8], config: ValueMaps) -> Half:
        """Return MaskCLIP's map of the image resized to whole patches."""
        scale = config.short_side_px / min(image.shape[:2])
        resized = whole_patches(image, scale, self.patch_px)
        with computing(self.device, self.precision):
            dense = value_map(self.model.visual, self._normalised(resized[None]))[0]
        return _half(F.normalize(dense.float(), dim=0))

    def _windows(self, image: NDArray[np.uint8], config: WindowMaps, batch: int) -> Half:
        """Return the mean of all windows' vectors over each cell, windows of all scales alike."""
        height, width = image.shape[:2]
        rows, columns = (max(1, round(side / config.cell_px)) for side in (height, width))
        boxes = window_boxes(height, width, config)
        size = (self.crop_px, self.crop_px)
        crops = [cv2.resize(image[y : y + s, x : x + s], size) for y, x, s in boxes]
        vectors = self.encode_crops(np.stack(crops), batch).astype(np.float32)
        total = np.zeros((rows, columns, self.dimensions), np.float32)
        for (y, x, side), vector in zip(boxes, vectors, strict=True):
            cells = (
                slice(int(y / height * rows), int(np.ceil((y + side) / height * rows))),
                slice(int(x / width * columns), int(np.ceil((x + side) / width * columns))),
            )
            total[cells] += vector
        return _half(F.normalize(torch.from_numpy(total).permute(2, 0, 1), dim=0))

    def _pyramid(self, image: NDArray[np.uint8], config: PyramidMaps, batch: int) -> Half:
        """Return the sum of the levels' vectors on the first level's cells, brought to length 1."""
        height, width = image.shape[:2]
        levels = pyramid_levels(height, width, config.height_shares)[: config.mixed]
        maps = [
            self.encode_crops(tiles(image, level, self.crop_px), batch)
            .astype(np.float32)
            .reshape(level.rows, level.columns, -1)
            for level in levels
        ]
        return _half(F.normalize(torch.from_numpy(mixture(maps)).permute(2, 0, 1), dim=0))

    @torch.no_grad()
    def encode_texts(self, prompts: list[str], templates: list[str]) -> NDArray[np.float32]:
        """Return float32 [P, D]: per prompt the normalised mean of its templates' vectors.

        CLIP's prompt ensemble (Radford et al. 2021, section 3.1.4).

        Raises:
            SemsplatError: a prompt holds a word that the model was never taught.
        """
        rows = []
        for prompt in prompts:
            tokens = self.tokenize([template.format(prompt) for template in templates])
            self._check_words(prompt, tokens)
            with computing(self.device, self.precision):
                encoded = self.model.encode_text(tokens.to(self.device))
            each = F.normalize(encoded.float(), dim=-1)
            rows.append(F.normalize(each.mean(0), dim=-1))
        return torch.stack(rows).cpu().numpy()

    def _check_words(self, prompt: str, tokens: Tensor) -> None:
        """Refuse prompts to which a tiny model could only give noise."""
        if self.known_tokens is None or set(tokens.flatten().tolist()) <= self.known_tokens:
            return
        alone = {word: set(self.tokenize([word]).flatten().tolist()) for word in prompt.split()}
        strange = [word for word, ids in alone.items() if not ids <= self.known_tokens]
        raise SemsplatError(
            f"prompt '{prompt}': the embedded CLIP was never taught {strange or 'a template word'};"
            " its words are in src/semsplat/data/world/vocabulary.py; name another model for others"
        )

    def _normalised(self, images: NDArray[np.uint8]) -> Tensor:
        """Return uint8 images [B, H, W, 3] as the model's input [B, 3, H, W]."""
        visual = self.model.visual
        mean, std = (
            torch.tensor(values)[:, None, None] for values in (visual.image_mean, visual.image_std)
        )
        scaled = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
        return ((scaled - mean) / std).to(self.device)


def window_boxes(height: int, width: int, config: WindowMaps) -> list[tuple[int, int, int]]:
    """Return (top, left, side) of the square windows; those of a scale cover the image."""
    boxes = []
    for share in config.short_side_shares:
        side = max(1, round(share * min(height, width)))
        step = max(1, round(config.stride * side))
        tops, lefts = (
            sorted({*range(0, extent - side, step), extent - side}) for extent in (height, width)
        )
        boxes += [(top, left, side) for top in tops for left in lefts]
    return boxes


def open_model(weights: Weights[ClipModel], device: str) -> Clip:
    """Return a CLIP model ready to encode.

    Args:
        weights: from `find_weights`.
        device: "cpu" or "cuda".

    Raises:
        SemsplatError: unknown architecture; the weights cannot be read, or are another model's.
    """
    spec = weights.spec
    if spec.weights == EMBEDDED:
        model, known = load_clip(weights.path)
        tokenize = open_clip.SimpleTokenizer(context_length=model.context_length)
        return Clip(model.to(device), tokenize, known, device, spec.precision)
    model = load_checkpoint(weights).eval().requires_grad_(False).to(device)
    tokenize = open_clip.get_tokenizer(spec.architecture)
    return Clip(model, tokenize, None, device, spec.precision)


def _half(vectors: Tensor) -> Half:
    return vectors.cpu().half().numpy()
