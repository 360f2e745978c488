"""Training crops of the tiny CLIP."""

from __future__ import annotations

import numpy as np
import pytest

from semsplat.data.world.primitives import CLASSES
from semsplat.data.world.vocabulary import ANY, STUFF
from semsplat.networks.tiny_clip import crops as module
from semsplat.networks.tiny_clip.crops import SMALLEST, CropSource, visible_instances


def test_every_class_can_be_drawn(blocks):
    source, rng = CropSource(blocks), np.random.default_rng(0)
    drawn = [source.draw(16, rng) for _ in range(400)]
    assert {crop.class_id for crop in drawn} == set(range(len(CLASSES)))
    for crop in drawn:
        assert crop.image.shape == (16, 16, 3) and crop.image.dtype == np.uint8
        assert crop.color in (ANY, crop.class_id % 13) and crop.part in (ANY, 0, 1)
        assert not crop.texture or crop.part == ANY
        assert crop.part == ANY or crop.color == ANY  # a part need not have the thing's colour
    assert {crop.part for crop in drawn} == {ANY, 0, 1} and any(crop.texture for crop in drawn)


def test_classes_are_drawn_alike_and_stuff_less(blocks):
    shares = CropSource(blocks).shares
    assert shares.sum() == pytest.approx(1)
    things = [share for share, name in zip(shares, CLASSES, strict=True) if name not in STUFF]
    stuff = [share for share, name in zip(shares, CLASSES, strict=True) if name in STUFF]
    assert len(set(things)) == 1 and len(set(stuff)) == 1 and stuff[0] < things[0]


def test_classes_out_of_sight_are_not_drawn(pictures):
    source, rng = CropSource(pictures), np.random.default_rng(0)
    visible = {c for i in range(len(pictures)) for _, c in visible_instances(pictures, i)}
    assert {source.draw(8, rng).class_id for _ in range(200)} <= visible


def test_no_mask_is_too_small(pictures, blocks, monkeypatch):
    sizes, cut_out = [], module.region_crop
    monkeypatch.setattr(
        module,
        "region_crop",
        lambda image, mask, *rest: sizes.append(mask.sum()) or cut_out(image, mask, *rest),
    )
    for several in (pictures, blocks):
        source, rng = CropSource(several), np.random.default_rng(1)
        for _ in range(300):
            source.draw(8, rng)
    assert min(sizes) >= SMALLEST == 30


def test_visible_instances_by_hand(blocks):
    assert visible_instances(blocks, 0) == [(k + 1, k) for k in range(len(CLASSES))]
    seen = blocks.primitives.copy()
    seen[seen >= 2] = 0  # nothing but the first instance
    seen[0, 0, :29] = 4  # 29 pixels of the third
    few = module.PictureSet(blocks.images, seen, blocks.tables)
    assert visible_instances(few, 0) == [(1, 0)]
    seen[0, 0, 29] = 5
    assert visible_instances(few, 0) == [(1, 0), (3, 2)]
