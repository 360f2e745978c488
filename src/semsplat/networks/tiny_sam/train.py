"""Training of the tiny SAM: encoder on dense codes, everything, outputs told apart, outlines."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from segment_anything.modeling import Sam
from torch import Tensor, nn
from torch.optim import AdamW

from semsplat.features.embedded.sam import build_sam, normalised
from semsplat.fit.steps import Numbers
from semsplat.networks.learner import NetworkLearner
from semsplat.networks.pictures import PictureSet
from semsplat.networks.tiny_sam.batches import (
    Batch,
    Levels,
    Task,
    box_task,
    click_task,
    on_cells,
    picture_batch,
    points_task,
    refinement_task,
)
from semsplat.networks.tiny_sam.losses import (
    OUTPUT_WEIGHTS,
    SINGLE_WEIGHTS,
    CodeHead,
    iou,
    mask_loss,
)
from semsplat.networks.tiny_sam.model import decode, initialise
from semsplat.params.networks import LevelShare, SamShape, SamTraining

JOINT_CODE_WEIGHT = 0.3  # of the dense loss once masks are trained
VALIDATE_EVERY = 250
VALIDATION_CLICKS = 10
Outcome = dict[str, Tensor | float]


class SamTrainee:
    """The tiny SAM with its code head, optimiser and schedule; pictures are given."""

    def __init__(
        self, shape: SamShape, config: SamTraining, pictures: PictureSet, unseen: PictureSet
    ) -> None:
        """Build and initialise everything from the configured seed."""
        torch.manual_seed(config.seed)
        self.config, self.pictures, self.unseen = config, pictures, unseen
        self.sam: Sam = build_sam(shape)
        initialise(self.sam)
        self.codes = CodeHead(shape.prompt_dim // 8)
        self.cell = shape.patch_px // 4
        both = nn.ModuleDict({"sam": self.sam, "codes": self.codes})
        optimizer = AdamW(
            both.parameters(), lr=config.lr, betas=(0.9, 0.98), weight_decay=config.weight_decay
        )
        self.learner = NetworkLearner(both, optimizer)
        self.total_steps = total_steps(config)

    def steps(self, todo: range) -> Iterator[Numbers]:
        """Take the steps of a range; batches depend on the step alone, so any may come first."""
        for step in todo:
            rng = np.random.default_rng([self.config.seed, step])
            generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
            fine = step - coarse_steps(self.config)
            if fine == 0:
                self.learner.optimizer.state.clear()  # moments of losses that had another scale
            self.learner.set_rate(rate_at(step, self.config))
            # Single precision at last: a bfloat16's seven bits are few for the place of an outline.
            with torch.autocast("cpu", torch.bfloat16, enabled=fine < 0):
                outcome = self._losses(step, rng, generator)
            losses = [v for k, v in outcome.items() if k.startswith("loss_")]
            self.learner.minimise(torch.stack([torch.as_tensor(loss) for loss in losses]).sum())
            yield partial(self._numbers, step, outcome)

    def _losses(self, step: int, rng: np.random.Generator, generator: torch.Generator) -> Outcome:
        """Return the losses of one step."""
        config = self.config
        if step >= coarse_steps(config):
            batch = picture_batch(self.pictures, self._chosen(config.batch_joint, rng), 1, rng)
            return self._mask_losses(batch, self._encoded(batch), step, rng)
        joint = step >= config.steps_dense
        chosen = self._chosen(config.batch_joint if joint else config.batch_dense, rng)
        batch = picture_batch(self.pictures, chosen, self.cell, rng)
        embeddings = self._encoded(batch)
        no_mask = self.sam.prompt_encoder.no_mask_embed.weight[0][:, None, None]
        upscaled = self.sam.mask_decoder.output_upscaling(embeddings + no_mask)
        codes = self.codes(upscaled, batch.ids, generator)
        if not joint:
            return {"loss_codes": codes}
        masks = self._mask_losses(batch, embeddings, step, rng)
        return {"loss_codes": JOINT_CODE_WEIGHT * codes, **masks}

    def _chosen(self, size: int, rng: np.random.Generator) -> NDArray[np.int64]:
        return rng.choice(len(self.pictures), size, replace=False)

    def _encoded(self, batch: Batch) -> Tensor:
        embeddings: Tensor = self.sam.image_encoder(normalised(self.sam, batch.images))
        return embeddings

    def _mask_losses(
        self, batch: Batch, embeddings: Tensor, step: int, rng: np.random.Generator
    ) -> Outcome:
        """Return the losses of the masks that one kind of prompts gets, and their overlaps."""
        config = self.config
        separate = step >= config.steps_dense + config.steps_joint
        task = self._task(batch, embeddings, separate, rng)
        logits, predicted = decode(self.sam, embeddings, task.prompts)
        progress = min(1.0, step / coarse_steps(config))
        weights = OUTPUT_WEIGHTS if task.ambiguous or not separate else SINGLE_WEIGHTS
        logits = on_cells(logits, batch)
        masks, actual = mask_loss(logits, predicted, task.targets, progress, weights)
        overlaps = {f"iou_output_{k}": actual[:, k].mean() for k in range(4)}
        return {"loss_masks": masks, **overlaps}

    def _task(
        self, batch: Batch, embeddings: Tensor, separate: bool, rng: np.random.Generator
    ) -> Task:
        """Return this step's prompts, all of one kind."""
        config, count = self.config, self.config.prompts
        share = config.prompt_share_separate if separate else config.prompt_share
        levels = levels_of(config.level_share_separate if separate else config.level_share)
        kinds = share.model_dump()
        kind = str(rng.choice(list(kinds), p=list(kinds.values())))
        if kind == "box":
            return box_task(batch, count, levels, rng)
        if kind == "points":
            return points_task(batch, count, levels, rng)
        clicks = click_task(batch, count, levels, rng)
        if kind == "click":
            return clicks
        with torch.no_grad():
            logits, _ = decode(self.sam, embeddings, clicks.prompts)
        return refinement_task(batch, clicks, logits.float(), levels, rng)

    def _numbers(self, step: int, outcome: Outcome) -> dict[str, float]:
        """Return this step's losses, and now and then the IoUs on unseen pictures."""
        numbers = {k: float(torch.as_tensor(v).detach()) for k, v in outcome.items()} | {
            "lr": rate_at(step, self.config)
        }
        if step >= self.config.steps_dense and step % VALIDATE_EVERY == 0:
            numbers |= validate(
                self.sam, self.unseen, self.cell, levels_of(self.config.level_share)
            )
        return numbers


@torch.no_grad()
def validate(sam: Sam, pictures: PictureSet, cell: int, share: Levels) -> dict[str, float]:
    """Return IoUs of clicks and boxes on unseen pictures, on the decoder's grid."""
    rng = np.random.default_rng(0)
    own, best, boxed = [], [], []
    for start in range(0, len(pictures), 8):
        indices = np.arange(start, min(start + 8, len(pictures)))
        batch = picture_batch(pictures, indices, cell, None)
        embeddings = sam.image_encoder(normalised(sam, batch.images))
        height = batch.ids.shape[2]
        task = click_task(batch, VALIDATION_CLICKS, share, rng, jitter=False)
        masks = decode(sam, embeddings, task.prompts)[0][:, :, :height].flatten(2) > 0
        wanted = task.targets.flatten(2) > 0.5
        own.append(iou(masks, wanted))
        best.append(iou(masks[:, 1:], wanted[:, 3:]).amax(1))
        task = box_task(batch, VALIDATION_CLICKS, share, rng)
        masks = decode(sam, embeddings, task.prompts)[0][:, :1, :height].flatten(2) > 0
        boxed.append(iou(masks[:, 0], task.targets[:, 0].flatten(1) > 0.5))
    levels = torch.cat(own).mean(0)
    named = {f"unseen_iou_output_{k}": float(levels[k]) for k in range(4)}
    whole = {"unseen_best_of_3_whole": float(torch.cat(best).mean())}
    return named | whole | {"unseen_iou_box": float(torch.cat(boxed).mean())}


def rate_at(step: int, config: SamTraining) -> float:
    """Return the learning rate: linear warm-up, flat, a cosine to zero; then warm-up and cosine."""
    fine = step - coarse_steps(config)
    if fine >= 0:
        rise = min(1.0, (fine + 1) / config.warmup)
        return config.lr_fine * rise * _cosine(fine / config.steps_fine)
    done = (step / coarse_steps(config) - config.flat_until) / (1 - config.flat_until)
    rise = min(1.0, (step + 1) / config.warmup)
    return config.lr * rise * _cosine(max(0.0, done))


def _cosine(done: float) -> float:
    """Return what falls from 1 to 0 while ``done`` rises from 0 to 1."""
    return 0.5 * (1 + math.cos(math.pi * done))


def coarse_steps(config: SamTraining) -> int:
    """Return the length of the phases that compare masks on the decoder's own grid."""
    return config.steps_dense + config.steps_joint + config.steps_separate


def total_steps(config: SamTraining) -> int:
    """Return the length of a training, all phases."""
    return coarse_steps(config) + config.steps_fine


def levels_of(share: LevelShare) -> Levels:
    """Return the shares in the order of the levels."""
    return share.subpart, share.part, share.whole
