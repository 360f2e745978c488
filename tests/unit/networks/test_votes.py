"""Best votes of regions, counted by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semsplat.networks.pictures import NOTHING
from semsplat.networks.quality.truth import class_map, level_map
from semsplat.networks.quality.votes import best_votes, majorities, voted

TRUTH = np.array([[0, 0, 0, 1, 1, -1], [0, 2, 2, 2, 1, -1]])
IDS = np.array([[0, 0, 0, 0, 1, 3], [0, 1, 1, -1, 1, 3]], np.int16)


def test_a_region_gets_the_truth_of_most_of_its_pixels():
    # Region 0: four of 0, one of 1.  Region 1: two each of 1 and 2.  2: none.  3: all unknown.
    assert majorities(IDS, TRUTH).tolist() == [0, 1, -1, -1]
    assert voted(IDS, TRUTH).tolist() == [[0, 0, 0, 0, 1, -1], [0, 1, 1, -1, 1, -1]]


def test_without_regions_nothing_is_voted():
    nowhere = np.full((2, 6), -1, np.int16)
    assert majorities(nowhere, TRUTH).tolist() == []
    assert (voted(nowhere, TRUTH) == -1).all()


def test_true_regions_reach_everything(blocks):
    ids = level_map(blocks, 0, "instance").astype(np.int16)
    assert best_votes([ids], blocks) == {
        "miou": 1.0, "picture_miou": 1.0, "coverage": 1.0, "purity": 1.0,
        "regions_per_instance": 1.0,
    }  # fmt: skip


def test_each_loss_shows_in_its_number(blocks):
    """14 blocks of 100 pixels, one of each class: one uncovered, two merged, one halved."""
    ids = level_map(blocks, 0, "instance").astype(np.int16) - 1
    ids[ids == 0] = -1
    ids[ids == 2] = 1  # of equals class 1 wins
    y, x = np.nonzero(ids == 3)
    ids[y[y < 5], x[y < 5]] = 14
    found = best_votes([ids], blocks)
    assert found["coverage"] == pytest.approx(13 / 14)
    assert found["purity"] == pytest.approx(12 / 13)
    assert found["miou"] == pytest.approx((11 + 0.5) / 14)  # classes 0 and 2: none; 1: a half
    assert found["regions_per_instance"] == pytest.approx(13 / 12)


def test_pictures_are_counted_together_and_each_alone(blocks):
    two = replace(
        blocks,
        images=np.repeat(blocks.images, 2, 0),
        primitives=np.repeat(blocks.primitives, 2, 0),
        tables=np.repeat(blocks.tables, 2, 0),
    )
    two.primitives[1, :, 10:] = NOTHING  # classes 0 and 7 alone
    right = level_map(blocks, 0, "instance").astype(np.int16)
    found = best_votes([np.full_like(right, -1), right], two)
    assert found["picture_miou"] == pytest.approx(0.5)
    assert found["miou"] == pytest.approx(2 * 0.5 / 14)
    assert found["coverage"] == pytest.approx(200 / 1600)


def test_a_picture_without_anything_has_no_thing(blocks):
    tables = np.where(blocks.tables < 0, 1, blocks.tables)  # as in a world of more primitives
    empty = replace(blocks, primitives=np.full_like(blocks.primitives, NOTHING), tables=tables)
    assert (class_map(empty, 0) == -1).all() and (level_map(empty, 0, "part") == -1).all()
