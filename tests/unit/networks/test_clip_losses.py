"""The contrastive loss with several right answers, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from semsplat.data.world.builder import COLORS
from semsplat.data.world.primitives import CLASSES
from semsplat.data.world.vocabulary import GENERIC, PARTS, Caption
from semsplat.features.dense import whole_patches
from semsplat.networks.tiny_clip.train import Facts, contrastive_loss, truth_table

CHAIR, MUG, FLOOR = (CLASSES.index(name) for name in ("chair", "mug", "floor"))
RED, BLUE = (list(COLORS).index(name) for name in ("red", "blue"))
LEG, SEAT = PARTS.index("leg"), PARTS.index("seat")


def test_captions_are_true_of_what_they_fit():
    # A red chair, a blue chair, a leg of a chair (colour unknown), a red mug, texture of a floor.
    facts = Facts(
        np.array([CHAIR, CHAIR, CHAIR, MUG, FLOOR]),
        np.array([RED, BLUE, -1, RED, RED]),
        np.array([-1, -1, LEG, -1, -1]),
        np.array([0, 0, 0, 0, 1]),
    )
    named = {caption.text: caption for caption in GENERIC}
    expected = {
        Caption("chair", (CHAIR,)): [1, 1, 1, 0, 0],
        Caption("red chair", (CHAIR,), RED): [1, 0, 0, 0, 0],
        Caption("leg of a chair", (CHAIR,), part=LEG): [0, 0, 1, 0, 0],
        Caption("seat of a chair", (CHAIR,), part=SEAT): [0, 0, 0, 0, 0],
        named["object"]: [0.1, 0.1, 0.1, 0.1, 0],
        named["stuff"]: [0, 0, 0, 0, 0.1],
        named["texture"]: [0, 0, 0, 0, 0.1],
        named["thing"]._replace(color=RED): [0.1, 0, 0, 0.1, 0],
    }
    table = truth_table(facts, list(expected))
    torch.testing.assert_close(table, torch.tensor(list(expected.values())).T.float())


def test_one_right_answer_each_is_clips_own_loss():
    logits = torch.randn(5, 5, generator=torch.Generator().manual_seed(0))
    answer = torch.arange(5)
    own = 0.5 * (F.cross_entropy(logits, answer) + F.cross_entropy(logits.T, answer))
    torch.testing.assert_close(contrastive_loss(logits, torch.eye(5)), own)


def test_several_right_answers_share_by_weight():
    # Image 0 fits "mug" (1) and "object" (0.1), image 1 only "object".
    truth = torch.tensor([[1.0, 0.1], [0.0, 0.1]])
    logits = torch.tensor([[math.log(3.0), 0.0], [0.0, 0.0]])
    to_text = (-(1.0 * math.log(3 / 4) + 0.1 * math.log(1 / 4)) / 1.1 + math.log(2)) / 2
    to_image = (-math.log(3 / 4) + math.log(2)) / 2
    loss = contrastive_loss(logits, truth).item()
    assert loss == pytest.approx(0.5 * (to_text + to_image), rel=1e-6)


def test_images_are_resized_to_whole_patches():
    image = np.zeros((30, 40, 3), np.uint8)
    assert whole_patches(image, 1.0, 8).shape == (32, 40, 3)
    assert whole_patches(image, 1.5, 8).shape == (48, 64, 3)  # 5.6 and 7.5 patches
    assert whole_patches(image, 0.01, 8).shape == (8, 8, 3)
