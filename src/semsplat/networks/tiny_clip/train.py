"""Contrastive training of the tiny CLIP on crops of regions and on dense maps of whole pictures.

CLIP's symmetric loss with several right answers: a caption fits every crop of which it is true.
The dense half teaches the value path that MaskCLIP reads: the mean vector of an instance's patches
is contrasted with captions exactly as a crop's vector is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import open_clip
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.optim import AdamW

from semsplat.data.world.primitives import CLASSES
from semsplat.data.world.vocabulary import ANY, Caption, caption, trained_texts
from semsplat.features.dense import value_map, whole_patches
from semsplat.features.embedded.clip import build_clip
from semsplat.fit.steps import Numbers
from semsplat.networks.learner import NetworkLearner
from semsplat.networks.pictures import MAX_PRIMITIVES, PictureSet
from semsplat.networks.tiny_clip.crops import CropSource, visible_instances
from semsplat.params.networks import ClipShape, ClipTraining

MEAN = torch.tensor(open_clip.OPENAI_DATASET_MEAN)[:, None, None]
STD = torch.tensor(open_clip.OPENAI_DATASET_STD)[:, None, None]
MAX_LOGIT_SCALE = math.log(100)  # CLIP, section 2.5
VALIDATE_EVERY = 250
VALIDATION_CROPS = 20  # per class


class Facts(NamedTuple):
    """What is known of B images: int64 [B] each; texture is 0 or 1."""

    classes: NDArray[np.int64]
    colors: NDArray[np.int64]
    parts: NDArray[np.int64]
    textures: NDArray[np.int64]


def truth_table(facts: Facts, captions: list[Caption]) -> Tensor:
    """Return float32 [B, T]: how well caption t fits image b; 0 where it is not true of it."""
    table = np.zeros((len(facts.classes), len(captions)), np.float32)
    for column, said in zip(table.T, captions, strict=True):
        true = np.isin(facts.classes, said.classes)
        true &= (said.color == ANY) | (facts.colors == said.color)
        true &= (said.part == ANY) | (facts.parts == said.part)
        true &= facts.textures.astype(bool) | (not said.texture)
        column[true] = said.weight
    return torch.from_numpy(table)


def contrastive_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Return the symmetric cross-entropy of logits [B, T] against `truth_table` [B, T].

    CLIP (Radford et al. 2021, figure 3) with the single right answer replaced by the normalised
    row (for an image) or column (for a caption) of the table.
    """
    to_text = -(truth / truth.sum(1, keepdim=True) * logits.log_softmax(1)).sum(1).mean()
    to_image = -(truth / truth.sum(0, keepdim=True) * logits.log_softmax(0)).sum(0).mean()
    return 0.5 * (to_text + to_image)


class ClipTrainee:
    """The tiny CLIP with its optimiser and schedule; pictures are given."""

    def __init__(
        self, shape: ClipShape, config: ClipTraining, pictures: PictureSet, unseen: PictureSet
    ) -> None:
        """Build everything from the configured seed."""
        torch.manual_seed(config.seed)
        self.shape, self.config, self.pictures = shape, config, pictures
        self.model: Any = build_clip(shape).train()
        self.tokenize = open_clip.SimpleTokenizer(context_length=shape.context)
        self.crops, self.unseen = CropSource(pictures), CropSource(unseen)
        optimizer = AdamW(
            self.model.parameters(), lr=config.lr, betas=(0.9, 0.98),
            weight_decay=config.weight_decay,
        )  # fmt: skip
        self.learner = NetworkLearner(self.model, optimizer)
        self.total_steps = config.steps + config.steps_calm  # both phases

    @property
    def token_ids(self) -> list[int]:
        """The tokens that training touches."""
        return sorted({int(i) for i in self.tokenize(list(trained_texts())).flatten()})

    def steps(self, todo: range) -> Iterator[Numbers]:
        """Take the steps of a range; batches depend on the step alone, so any may come first."""
        for step in todo:
            rng = np.random.default_rng([self.config.seed, step])
            self.learner.set_rate(rate_at(step, self.config))
            # Fused attention is twice as slow backwards on CPUs in bfloat16 at these lengths.
            with torch.autocast("cpu", torch.bfloat16), sdpa_kernel(SDPBackend.MATH):
                crops = self._crop_loss(rng, vary_light=step < self.config.steps)
                regions = self._region_loss(rng)
            self.learner.minimise(crops + self.config.dense_weight * regions)
            with torch.no_grad():
                self.model.logit_scale.clamp_(0.0, MAX_LOGIT_SCALE)
            yield partial(self._numbers, step, crops.detach(), regions.detach())

    def _crop_loss(self, rng: np.random.Generator, vary_light: bool) -> Tensor:
        """Contrast crops of regions with captions."""
        size, count = self.shape.image_px, self.config.batch
        drawn = [self.crops.draw(size, rng, vary_light) for _ in range(count)]
        facts = Facts(*np.array([(c.class_id, c.color, c.part, int(c.texture)) for c in drawn]).T)
        images = normalised(np.stack([c.image for c in drawn]))
        return self._contrast(self.model.encode_image(images), facts, rng)

    def _region_loss(self, rng: np.random.Generator) -> Tensor:
        """Contrast the mean value vectors of instances in whole pictures with captions."""
        scale = float(rng.choice(self.config.dense_scales))
        chosen = rng.choice(len(self.pictures), self.config.dense_batch, replace=False)
        images = np.stack(
            [whole_patches(self.pictures.images[i], scale, self.shape.patch_px) for i in chosen]
        )
        dense = value_map(self.model.visual, normalised(images)).float()
        vectors, rows = [], []
        for index, vector_map in zip(chosen, dense, strict=True):
            table = self.pictures.tables[index]
            seen = table[1][self.pictures.primitives[index] % MAX_PRIMITIVES]
            for instance, class_id in visible_instances(self.pictures, index):
                share = torch.from_numpy((seen == instance).astype(np.float32))[None, None]
                weights = F.adaptive_avg_pool2d(share, vector_map.shape[1:])[0, 0]
                vectors.append((vector_map * weights).sum((1, 2)))
                rows.append((class_id, table[3][np.flatnonzero(table[1] == instance)[0]], ANY, 0))
        return self._contrast(torch.stack(vectors), Facts(*np.array(rows).T), rng)

    def _contrast(self, vectors: Tensor, facts: Facts, rng: np.random.Generator) -> Tensor:
        """Return the contrastive loss of image vectors [B, D] against one caption each."""
        captions = [
            caption(rng, int(c), int(k), int(p), bool(t)) for c, k, p, t in zip(*facts, strict=True)
        ]
        texts = self.model.encode_text(self.tokenize([c.text for c in captions]))
        images, words = F.normalize(vectors.float(), dim=-1), F.normalize(texts.float(), dim=-1)
        return contrastive_loss(
            self.model.logit_scale.exp() * images @ words.T, truth_table(facts, captions)
        )

    def _numbers(self, step: int, crops: Tensor, regions: Tensor) -> dict[str, float]:
        """Return this step's losses, and now and then the accuracy on unseen pictures."""
        numbers = {
            "loss_crops": crops.item(),
            "loss_regions": regions.item(),
            "logit_scale": self.model.logit_scale.exp().item(),
            "lr": rate_at(step, self.config),
        }
        if step % VALIDATE_EVERY == 0 or step == self.total_steps - 1:
            numbers["unseen_class_accuracy"] = self.validate()
        return numbers

    @torch.no_grad()
    def validate(self) -> float:
        """Return the 14-way accuracy on unseen crops, faults included, mean over classes."""
        rng = np.random.default_rng(0)
        names = self.tokenize([f"a photo of a {name}" for name in CLASSES])
        words = F.normalize(self.model.eval().encode_text(names), dim=-1)
        drawn = [
            self.unseen.draw(self.shape.image_px, rng)
            for _ in range(VALIDATION_CROPS * len(CLASSES))
        ]
        vectors = self.model.encode_image(normalised(np.stack([c.image for c in drawn])))
        guessed = (vectors @ words.T).argmax(1).numpy()
        self.model.train()
        truth = np.array([c.class_id for c in drawn])
        right = [np.mean(guessed[truth == k] == k) for k in np.unique(truth)]
        return float(np.mean(right))


def normalised(images: NDArray[np.uint8]) -> Tensor:
    """Return uint8 images [B, H, W, 3] as CLIP's input float32 [B, 3, H, W]."""
    return (torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255 - MEAN) / STD


def rate_at(step: int, config: ClipTraining) -> float:
    """Return the learning rate: in each phase linear warm-up and a cosine to zero."""
    peak, taken, steps = config.lr, step, config.steps
    if step >= config.steps:
        peak, taken, steps = config.lr_calm, step - config.steps, config.steps_calm
    rise = min(1.0, (taken + 1) / config.warmup)
    return peak * rise * 0.5 * (1 + math.cos(math.pi * taken / steps))
