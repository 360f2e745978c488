"""Losses of the tiny SAM against values by hand."""

from __future__ import annotations

import math

import pytest
import torch

from semsplat.networks.tiny_sam.losses import (
    OUTPUT_WEIGHTS,
    SINGLE_WEIGHTS,
    CodeHead,
    balanced_bce,
    dice_loss,
    edges,
    iou,
    mask_loss,
    squared_distances,
)

LOG2 = math.log(2)


def test_dice_by_hand():
    probabilities = torch.tensor([[1.0, 0.5, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    targets = torch.tensor([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    # 1 - (2 * 1.5 + 1) / (1.5 + 2 + 1); nothing found where nothing is, is no loss
    torch.testing.assert_close(dice_loss(probabilities, targets), torch.tensor([1 - 4 / 4.5, 0.0]))


def test_balanced_bce_gives_inside_and_outside_half_each():
    targets = torch.tensor([1.0, 0.0, 0.0, 0.0])
    even = balanced_bce(torch.zeros(4), targets)  # log 2 everywhere; one is added to each count
    torch.testing.assert_close(even, torch.tensor(0.5 * LOG2 / 2 + 0.5 * 3 * LOG2 / 4))
    logits = torch.tensor([2.0, -1.0, 0.0, 1.0])
    inside = math.log1p(math.exp(-2.0)) / 2
    outside = (math.log1p(math.exp(-1.0)) + LOG2 + math.log1p(math.exp(1.0))) / 4
    torch.testing.assert_close(
        balanced_bce(logits, targets), torch.tensor(0.5 * inside + 0.5 * outside)
    )


@pytest.mark.parametrize(("progress", "balanced", "mean"), [(0.0, 1.0, 0.3), (1.0, 0.2, 1.0)])
def test_mask_loss_weighs_terms_and_outputs(progress, balanced, mean):
    # Two cells, one inside, logits 0: dice 1/3, balanced BCE log 2 / 2, mean log 2.
    logits, targets = torch.zeros(1, 4, 1, 2), torch.tensor([1.0, 0.0]).expand(1, 4, 1, 2)
    loss, actual = mask_loss(logits, torch.zeros(1, 4), targets, progress)
    one = 1 / 3 + balanced * LOG2 / 2 + mean * LOG2
    assert actual.tolist() == [[0.0] * 4]  # 0 is not above the threshold
    assert loss.item() == pytest.approx(one * sum(OUTPUT_WEIGHTS) / 4)


def test_each_output_counts_with_its_weight_and_the_iou_is_regressed():
    targets = torch.tensor([1.0, 0.0]).expand(1, 4, 1, 2)
    perfect = torch.tensor([30.0, -30.0]).expand(1, 4, 1, 2)
    base, actual = mask_loss(perfect, torch.ones(1, 4), targets, 0.5)
    assert base.item() == pytest.approx(0.0, abs=1e-6) and actual.tolist() == [[1.0] * 4]
    assert mask_loss(perfect, torch.zeros(1, 4), targets, 0.5)[0].item() == pytest.approx(1.0)
    losses = []
    for output in range(4):
        wrong = perfect.clone()
        wrong[0, output] = 0.0
        loss, actual = mask_loss(wrong, torch.ones(1, 4), targets, 0.5)
        assert actual[0, output] == 0
        losses.append(loss.item() - 0.25)  # the IoU is 1 off in one output of four
    assert [loss / losses[-1] for loss in losses] == pytest.approx(list(OUTPUT_WEIGHTS), rel=1e-4)


def test_iou_of_masks():
    first = torch.tensor([[True, True, False], [False, False, False]])
    second = torch.tensor([[False, True, True], [False, False, False]])
    torch.testing.assert_close(iou(first, second), torch.tensor([1 / 3, 0.0]))


def test_squared_distances():
    anchors = torch.tensor([[0.0, 0.0], [1.0, 2.0]])
    codes = torch.tensor([[3.0, 1.0, 0.0], [4.0, 2.0, 0.0]])  # columns (3, 4), (1, 2), (0, 0)
    expected = torch.tensor([[25.0, 5.0, 0.0], [8.0, 0.0, 5.0]])
    torch.testing.assert_close(squared_distances(anchors, codes), expected)


def test_edges_lie_below_and_right_of_a_change():
    ids = torch.tensor([[[1, 1, 2], [1, 1, 2], [3, 3, 3]]])
    assert edges(ids).tolist() == [[[0, 0, 1], [0, 0, 1], [1, 1, 1]]]


def test_codes_that_tell_things_apart_cost_less():
    torch.manual_seed(0)
    head = CodeHead(4)
    with torch.no_grad():
        head.project.weight.zero_()
        head.project.bias.zero_()
        head.project.weight[::8, 0] = 6.0  # the first of the eight numbers of every level's code
        head.project.weight[-1] = 0.0
    ids = torch.arange(8).div(4, rounding_mode="floor").expand(1, 3, 6, 8)
    told = (ids[:, :1] * 1.0).expand(-1, 4, -1, -1)
    losses = [
        head(upscaled, ids, torch.Generator().manual_seed(1)).item()
        for upscaled in (told, torch.zeros_like(told))
    ]
    assert losses[0] < 0.5 * losses[1]


def test_a_prompt_that_leaves_no_choice_teaches_the_single_output_alone():
    targets = torch.zeros(2, 4, 3, 3)
    targets[:, :, 1] = 1
    logits = torch.randn(2, 4, 3, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()
    predicted = torch.zeros(2, 4, requires_grad=True)
    loss, _ = mask_loss(logits, predicted, targets, 0.5, SINGLE_WEIGHTS)
    loss.backward()
    for gradient in (logits.grad, predicted.grad):
        assert gradient[:, 0].abs().sum() > 0
        assert gradient[:, 1:].abs().sum() == 0
    assert sum(SINGLE_WEIGHTS) == sum(OUTPUT_WEIGHTS)
