"""Prompts of the tiny SAM's training mean what their targets show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from semsplat.features.embedded.sam import build_sam
from semsplat.networks.tiny_sam.batches import (
    box_task,
    click_task,
    on_cells,
    picture_batch,
    points_task,
    refinement_task,
)
from tests.unit.networks.conftest import SAM

CELL = 2
SEEDS = range(5)


LEVELS = (0.2, 0.3, 0.5)


@pytest.fixture(scope="module")
def batch(pictures):
    return picture_batch(pictures, np.arange(3), CELL, None)


def cells(points):
    """Return the cells (y, x) int64 [..., 2] in which pixel positions (x, y) lie."""
    return torch.floor((points + 0.5) / CELL).long().flip(-1)


def test_ids_are_read_at_cell_centres(batch, pictures):
    assert batch.images.shape == (3, 3, 30, 40) and batch.ids.shape == (3, 3, 15, 20)
    assert np.array_equal(batch.ids[1, :, 4, 7].numpy(), pictures.levels(1)[:, 9, 15])


@pytest.mark.parametrize("seed", SEEDS)
def test_a_click_lies_in_all_its_targets(batch, seed):
    task = click_task(batch, 6, LEVELS, np.random.default_rng(seed))
    assert task.targets.shape == (18, 4, 15, 20) and task.prompts.points.shape == (18, 1, 2)
    for target, point in zip(task.targets, cells(task.prompts.points)[:, 0], strict=True):
        assert (target[:, point[0], point[1]] == 1).all()
        assert torch.equal(target[0], target[3])
        sizes = target.sum((1, 2))
        assert sizes[1] <= sizes[2] <= sizes[3]  # primitive, part, whole


def test_targets_belong_to_the_clicked_picture(batch):
    task = click_task(batch, 4, LEVELS, np.random.default_rng(0), jitter=False)
    for n, point in enumerate(cells(task.prompts.points)[:, 0]):
        ids = batch.ids[n // 4, 2]
        expected = (ids == ids[point[0], point[1]]).float()
        assert torch.equal(task.targets[n, 3], expected)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_box_contains_its_thing_up_to_its_looseness(batch, seed):
    task = box_task(batch, 6, LEVELS, np.random.default_rng(seed))
    assert task.prompts.points is None
    for box, target in zip(task.prompts.boxes, task.targets[:, 0], strict=True):
        ys, xs = torch.nonzero(target, as_tuple=True)
        true = torch.tensor([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]) * CELL - 0.5
        size = (true[2:] - true[:2]).repeat(2)
        assert ((box - true).abs() <= 0.2 * size).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_several_clicks_lie_inside_and_the_last_outside(batch, seed):
    task = points_task(batch, 6, LEVELS, np.random.default_rng(seed))
    at = cells(task.prompts.points)
    for target, points, labels in zip(task.targets, at, task.prompts.point_labels, strict=True):
        assert labels.tolist() == [1.0] * (len(points) - 1) + [0.0]
        for point, label in zip(points, labels, strict=True):
            assert (target[:, point[0], point[1]] == label).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_refining_click_lies_in_the_error(batch, seed):
    rng = np.random.default_rng(seed)
    clicks = click_task(batch, 6, LEVELS, rng)
    logits = torch.randn(18, 4, 20, 20, generator=torch.Generator().manual_seed(seed))
    task = refinement_task(batch, clicks, logits, LEVELS, rng)
    at, labels = cells(task.prompts.points)[:, 0], task.prompts.point_labels[:, 0]
    for n, ((y, x), label) in enumerate(zip(at.tolist(), labels, strict=True)):
        target, shown = task.targets[n, 0], task.prompts.masks[n, 0]
        assert any(torch.equal(target, clicks.targets[n, k]) for k in (1, 2, 3))
        assert target[y, x] == label
        assert (shown[y, x] > 0) != bool(label)


def test_a_perfect_answer_is_refined_inside(batch):
    rng = np.random.default_rng(0)
    clicks = click_task(batch, 3, LEVELS, rng)
    perfect = torch.zeros(9, 4, 20, 20)
    perfect[:, :, :15] = 2 * clicks.targets - 1
    task = refinement_task(batch, clicks, perfect, LEVELS, rng)
    assert (task.prompts.point_labels == 1).all()


def test_on_pixels_masks_are_enlarged_as_sam_does(batch, pictures):
    logits = torch.randn(5, 4, 20, 20, generator=torch.Generator().manual_seed(0))
    assert torch.equal(on_cells(logits, batch), logits[:, :, :15])
    fine = picture_batch(pictures, np.arange(3), 1, None)
    assert np.array_equal(fine.ids[1].numpy(), pictures.levels(1))
    asked = build_sam(SAM).postprocess_masks(logits, (30, 40), (30, 40))
    torch.testing.assert_close(on_cells(logits, fine), asked)


@pytest.mark.parametrize("cell", [1, 2])
def test_no_target_is_smaller_than_24_pixels(pictures, cell):
    batch = picture_batch(pictures, np.arange(3), cell, None)
    rng = np.random.default_rng(0)
    sizes = torch.cat([box_task(batch, 9, LEVELS, rng).targets[:, 0].sum((1, 2)) for _ in SEEDS])
    assert 24 <= sizes.min() * cell**2 < 60


def test_mirrored_pictures_mirror_their_ids(blocks):
    right = np.broadcast_to(np.arange(70) >= 30, (20, 70))
    image = np.repeat((200 * right).astype(np.uint8)[..., None], 3, axis=2)
    halves = replace(blocks, images=image[None], primitives=right.astype(np.uint8)[None])
    orders = set()
    for seed in range(8):
        batch = picture_batch(halves, np.array([0]), CELL, np.random.default_rng(seed))
        bright = batch.images[0].mean(0)[1::CELL, 1::CELL] > 50
        assert torch.equal(bright, batch.ids[0, 0] == 1)
        orders.add(bool(bright[0, 0]))
    assert orders == {True, False}
