"""Zero-shot accuracy of a CLIP: crops of true masks, colours, dense maps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from semsplat.data.world.builder import COLORS
from semsplat.data.world.primitives import CLASSES
from semsplat.features.crops import region_crop
from semsplat.features.dense import value_map, whole_patches
from semsplat.features.embedded.clip import load_clip
from semsplat.features.labels import dense_labels
from semsplat.features.store import ViewFeatures
from semsplat.networks.pictures import PictureSet
from semsplat.networks.quality.truth import class_map, things
from semsplat.networks.tiny_clip.train import normalised

TEMPLATES = ("a photo of a {}", "a {}", "a {} in a room")
SMALLEST_PX = 30
SIZES = {"30 to 99 px": (30, 100), "100 to 399 px": (100, 400), "400 px and more": (400, 10**9)}
DENSE_SCALE = 1.5
Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Crops:
    """All true-mask crops of a set of pictures.

    ``vectors`` float32 [N, D] of length 1; ``classes``, ``colors`` (positions in CLASSES and
    COLORS) and ``sizes`` (pixels of the mask) int64 [N].
    """

    vectors: Vectors
    classes: NDArray[np.int64]
    colors: NDArray[np.int64]
    sizes: NDArray[np.int64]


def clip_quality(weights: Path, pictures: PictureSet) -> dict[str, Any]:
    """Return accuracies of the CLIP stored at ``weights`` on pictures."""
    model: Any = load_clip(weights)[0]
    tokenize = open_clip.SimpleTokenizer(context_length=model.context_length)

    @torch.no_grad()
    def encode(texts: list[str]) -> Vectors:
        return F.normalize(model.encode_text(tokenize(texts)), dim=-1).numpy()

    crops, words = encoded_crops(model, pictures), class_vectors(encode)
    right = (crops.vectors @ words.T).argmax(1) == crops.classes
    named = range(len(CLASSES))
    per_class = {CLASSES[k]: right[crops.classes == k].mean() for k in named if k in crops.classes}
    return {
        "instances": len(right),
        "class_mean_accuracy": class_mean(right, crops.classes),
        "accuracy_per_class": {name: float(value) for name, value in per_class.items()},
        "by_size": by_size(right, crops),
        "color_accuracy": color_accuracy(crops, encode),
        "dense_pixel_accuracy": dense_accuracy(model, pictures, words),
        "file_mb": weights.stat().st_size / 1e6,
    }


@torch.no_grad()
def encoded_crops(model: Any, pictures: PictureSet) -> Crops:
    """Return the encoded crops of all instances of at least `SMALLEST_PX` pixels."""
    size, rows, vectors = model.visual.image_size[0], [], []
    for index in range(len(pictures)):
        seen = things(pictures, index, "instance", SMALLEST_PX)
        crops = [region_crop(pictures.images[index], thing.mask, size) for thing in seen]
        vectors.append(F.normalize(model.encode_image(normalised(np.stack(crops))), dim=-1).numpy())
        rows += [(thing.class_id, thing.color, int(thing.mask.sum())) for thing in seen]
    return Crops(np.concatenate(vectors), *np.array(rows).T)


def class_vectors(encode: Callable[[list[str]], Vectors]) -> Vectors:
    """Return one vector per class, the mean over `TEMPLATES`: float32 [C, D] of length 1."""
    texts = [encode([template.format(name) for name in CLASSES]) for template in TEMPLATES]
    mean = np.mean(texts, axis=0)
    return np.asarray(mean / np.linalg.norm(mean, axis=1, keepdims=True), np.float32)


def class_mean(right: NDArray[np.bool_], classes: NDArray[np.int64]) -> float:
    """Return the mean over the occurring classes of the share of right answers bool [N]."""
    return float(np.mean([right[classes == k].mean() for k in np.unique(classes)]))


def by_size(right: NDArray[np.bool_], crops: Crops) -> dict[str, dict[str, float]]:
    """Return number and class mean accuracy of the instances of every size that occurs."""
    scores = {}
    for name, (low, high) in SIZES.items():
        chosen = (crops.sizes >= low) & (crops.sizes < high)
        if chosen.any():
            accuracy = class_mean(right[chosen], crops.classes[chosen])
            scores[name] = {"instances": int(chosen.sum()), "class_mean_accuracy": accuracy}
    return scores


def color_accuracy(crops: Crops, encode: Callable[[list[str]], Vectors]) -> float:
    """Return the share of instances whose colour is told among all, the class being given."""
    right = np.zeros(len(crops.classes), bool)
    for k in np.unique(crops.classes):
        of_class = crops.classes == k
        words = encode([f"a photo of a {color} {CLASSES[k]}" for color in COLORS])
        right[of_class] = (crops.vectors[of_class] @ words.T).argmax(1) == crops.colors[of_class]
    return float(right.mean())


@torch.no_grad()
def dense_accuracy(model: Any, pictures: PictureSet, words: Vectors) -> float:
    """Return the share of pixels that a dense map at `DENSE_SCALE` puts into the right class."""
    patch, right = model.visual.patch_size[0], []
    for index in range(len(pictures)):
        truth = class_map(pictures, index)
        image = whole_patches(pictures.images[index], DENSE_SCALE, patch)[None]
        vectors = F.normalize(value_map(model.visual, normalised(image))[0], dim=0).numpy()
        ids = np.full((1, *truth.shape), -1, np.int16)
        view = ViewFeatures(ids, np.zeros(0, np.float16), None, vectors.astype(np.float16))
        right.append((dense_labels(view, words) - 1 == truth)[truth >= 0].mean())
    return float(np.mean(right))
