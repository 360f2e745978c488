"""Training of the tiny SAM: encoder on dense codes, then encoder, prompts and decoder together."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import numpy as np
import torch
from segment_anything.modeling import Sam
from torch import Tensor, nn
from torch.optim import AdamW

from semsplat.fit.steps import Numbers
from semsplat.networks.learner import NetworkLearner
from semsplat.networks.pictures import PictureSet
from semsplat.networks.tiny_sam.batches import (
    Batch,
    Task,
    box_task,
    click_task,
    picture_batch,
    points_task,
    refinement_task,
)
from semsplat.networks.tiny_sam.decode import decode
from semsplat.networks.tiny_sam.init import initialise
from semsplat.networks.tiny_sam.losses import CodeHead, iou, mask_loss
from semsplat.networks.tiny_sam.model import build_sam, normalised
from semsplat.params.networks import PromptShare, SamShape, SamTraining

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

    @property
    def total_steps(self) -> int:
        """The length of the training, all phases."""
        return refine_start(self.config) + self.config.steps_refine

    def steps(self, todo: range) -> Iterator[Numbers]:
        """Take the steps of a range; batches depend on the step alone, so any may come first."""
        for step in todo:
            rng = np.random.default_rng([self.config.seed, step])
            generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
            self.learner.set_rate(rate_at(step, self.config))
            with torch.autocast("cpu", torch.bfloat16):
                outcome = self._losses(step, rng, generator)
            self._update(outcome)
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
        refining = step >= refine_start(config)
        share = config.prompt_share_refine if refining else config.prompt_share
        task = self._task(batch, embeddings, share, rng)
        logits, predicted = decode(self.sam, embeddings, task.prompts)
        progress = min(1.0, step / refine_start(config))
        logits = logits[:, :, : batch.ids.shape[2]]
        masks, actual = mask_loss(logits, predicted, task.targets, progress)
        overlaps = {f"iou_output_{k}": actual[:, k].mean() for k in range(4)}
        return {"loss_codes": JOINT_CODE_WEIGHT * codes, "loss_masks": masks, **overlaps}

    def _task(
        self, batch: Batch, embeddings: Tensor, share: PromptShare, rng: np.random.Generator
    ) -> Task:
        """Return this step's prompts, all of one kind."""
        count, shares = self.config.prompts, share.model_dump()
        kind = str(rng.choice(list(shares), p=list(shares.values())))
        if kind == "box":
            return box_task(batch, count, rng)
        if kind == "points":
            return points_task(batch, count, rng)
        clicks = click_task(batch, count, rng)
        if kind == "click":
            return clicks
        with torch.no_grad():
            logits, _ = decode(self.sam, embeddings, clicks.prompts)
        return refinement_task(batch, clicks, logits.float(), rng)

    def _update(self, outcome: Outcome) -> None:
        """Take one optimisation step on the sum of the losses."""
        losses = [v for k, v in outcome.items() if k.startswith("loss_")]
        self.learner.minimise(torch.stack([torch.as_tensor(loss) for loss in losses]).sum())

    def _numbers(self, step: int, outcome: Outcome) -> dict[str, float]:
        """Return this step's losses, and now and then the IoUs on unseen pictures."""
        numbers = {k: float(v) for k, v in outcome.items()} | {"lr": rate_at(step, self.config)}
        if step >= self.config.steps_dense and step % VALIDATE_EVERY == 0:
            numbers |= validate(self.sam, self.unseen, self.cell)
        return numbers


@torch.no_grad()
def validate(sam: Sam, pictures: PictureSet, cell: int) -> dict[str, float]:
    """Return IoUs of clicks and boxes on unseen pictures, on the decoder's grid."""
    rng = np.random.default_rng(0)
    own, best, boxed = [], [], []
    for start in range(0, len(pictures), 8):
        indices = np.arange(start, min(start + 8, len(pictures)))
        batch = picture_batch(pictures, indices, cell, None)
        embeddings = sam.image_encoder(normalised(sam, batch.images))
        height = batch.ids.shape[2]
        task = click_task(batch, VALIDATION_CLICKS, rng, jitter=False)
        masks = decode(sam, embeddings, task.prompts)[0][:, :, :height].flatten(2) > 0
        wanted = task.targets.flatten(2) > 0.5
        own.append(iou(masks, wanted))
        best.append(iou(masks[:, 1:], wanted[:, 3:]).amax(1))
        task = box_task(batch, VALIDATION_CLICKS, rng)
        masks = decode(sam, embeddings, task.prompts)[0][:, :1, :height].flatten(2) > 0
        boxed.append(iou(masks[:, 0], task.targets[:, 0].flatten(1) > 0.5))
    levels = torch.cat(own).mean(0)
    named = {f"unseen_iou_output_{k}": float(levels[k]) for k in range(4)}
    whole = {"unseen_best_of_3_whole": float(torch.cat(best).mean())}
    return named | whole | {"unseen_iou_box": float(torch.cat(boxed).mean())}


def rate_at(step: int, config: SamTraining) -> float:
    """Return the learning rate: warm-up, flat and a cosine to zero; warm-up and cosine again."""
    first = refine_start(config)
    if step < first:
        peak, start = config.lr, 0
        done = max(0.0, (step / first - config.flat_until) / (1 - config.flat_until))
    else:
        peak, start = config.lr_refine, first
        done = (step - first) / config.steps_refine
    rise = min(1.0, (step - start + 1) / config.warmup)
    return peak * rise * 0.5 * (1 + math.cos(math.pi * done))


def refine_start(config: SamTraining) -> int:
    """Return the first step of the third phase."""
    return config.steps_dense + config.steps_joint
