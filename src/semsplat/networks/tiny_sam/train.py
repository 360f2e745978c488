"""Training of the tiny SAM: the encoder on dense codes, everything, then outputs told apart."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import numpy as np
import torch
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
            self.learner.set_rate(rate_at(step, self.config))
            with torch.autocast("cpu", torch.bfloat16):
                outcome = self._losses(step, rng, generator)
            losses = [v for k, v in outcome.items() if k.startswith("loss_")]
            self.learner.minimise(torch.stack([torch.as_tensor(loss) for loss in losses]).sum())
            yield partial(self._numbers, step, outcome)

    def _losses(self, step: int, rng: np.random.Generator, generator: torch.Generator) -> Outcome:
        """Return the losses of one step."""
        config = self.config
        joint = step >= config.steps_dense
        size = config.batch_joint if joint else config.batch_dense
        chosen = rng.choice(len(self.pictures), size, replace=False)
        batch = picture_batch(self.pictures, chosen, self.cell, rng)
        embeddings = self.sam.image_encoder(normalised(self.sam, batch.images))
        no_mask = self.sam.prompt_encoder.no_mask_embed.weight[0][:, None, None]
        upscaled = self.sam.mask_decoder.output_upscaling(embeddings + no_mask)
        codes = self.codes(upscaled, batch.ids, generator)
        if not joint:
            return {"loss_codes": codes}
        separate = step >= config.steps_dense + config.steps_joint
        task = self._task(batch, embeddings, separate, rng)
        logits, predicted = decode(self.sam, embeddings, task.prompts)
        logits, progress = logits[:, :, : batch.ids.shape[2]], step / self.total_steps
        weights = OUTPUT_WEIGHTS if task.ambiguous or not separate else SINGLE_WEIGHTS
        masks, actual = mask_loss(logits, predicted, task.targets, progress, weights)
        overlaps = {f"iou_output_{k}": actual[:, k].mean() for k in range(4)}
        return {"loss_codes": JOINT_CODE_WEIGHT * codes, "loss_masks": masks, **overlaps}

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
    """Return the learning rate: linear warm-up, flat, then a cosine to zero."""
    done = (step / total_steps(config) - config.flat_until) / (1 - config.flat_until)
    rise = min(1.0, (step + 1) / config.warmup)
    return config.lr * rise * 0.5 * (1 + math.cos(math.pi * max(0.0, done)))


def total_steps(config: SamTraining) -> int:
    """Return the length of a training, all phases."""
    return config.steps_dense + config.steps_joint + config.steps_separate


def levels_of(share: LevelShare) -> Levels:
    """Return the shares in the order of the levels."""
    return share.subpart, share.part, share.whole
