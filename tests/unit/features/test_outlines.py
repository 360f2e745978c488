"""Outlines move to the image's edges, as far as they may, and no region gets lost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.color import rgb2lab

from semsplat.conventions import NO_ID
from semsplat.features.extract import id_maps
from semsplat.features.masks import Masks
from semsplat.features.outlines import contrast, snapped


def halves(edge: int, left=(200, 40, 40), right=(40, 40, 200)) -> np.ndarray:
    """Return an image 10 x 24 of two colours that meet left of column ``edge``."""
    image = np.empty((10, 24, 3), np.uint8)
    image[:, :edge], image[:, edge:] = left, right
    return image


def split(at: int, right: int = 1) -> np.ndarray:
    """Return ids 10 x 24: 0 left of column ``at``, ``right`` from there on."""
    ids = np.zeros((10, 24), np.int16)
    ids[:, at:] = right
    return ids


@pytest.mark.parametrize("off", [-2, -1, 0, 1, 2])
@pytest.mark.parametrize("right", [1, NO_ID, 32767])
def test_an_outline_moves_to_the_edge(off: int, right: int) -> None:
    moved = snapped(split(12 + off, right), contrast(halves(12)), 2)
    assert moved.dtype == np.int16 and np.array_equal(moved, split(12, right))


def test_an_edge_out_of_reach_moves_nothing_beyond_reach() -> None:
    moved = snapped(split(6), contrast(halves(12)), 2)
    assert (moved[:, :4] == 0).all() and (moved[:, 8:] == 1).all()


def test_lightness_counts_half() -> None:
    grey = halves(12, (119, 119, 119), (142, 142, 142))  # Lab: L 50 and about 59, no colour
    change = contrast(grey)
    assert change.shape == (10, 24) and (change[:, :10] == 0).all()
    step = np.ptp(rgb2lab(grey)[..., 0])
    # On both sides of a step scikit-image's Sobel is that step over the root of the two axes.
    np.testing.assert_allclose(change[:, 11:13], step / 2 / np.sqrt(2), rtol=1e-6)


def test_a_thin_region_keeps_its_middle() -> None:
    ids = np.zeros((10, 24), np.int16)
    ids[:, 11:14] = 5
    flat = contrast(np.full((10, 24, 3), 90, np.uint8))
    assert (snapped(ids, flat, 2)[:, 12] == 5).all()


def test_all_but_the_middle_of_a_thin_region_may_move() -> None:
    ids, image = np.zeros((10, 24), np.int16), np.full((10, 24, 3), 40, np.uint8)
    ids[3:7, 4:8], image[3:7, 4:8] = 5, 200
    ids[4, 8:14] = 5  # a tail that the image does not show
    moved = snapped(ids, contrast(image), 2)
    assert (moved[4:6, 5:7] == 5).all() and (moved[:, 10:] == 0).all()


def test_an_image_without_regions_stays_so() -> None:
    nothing = np.full((10, 24), NO_ID, np.int16)
    assert np.array_equal(snapped(nothing, contrast(halves(12)), 2), nothing)


@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_no_region_vanishes_and_insides_stay(seed: int, reach: int) -> None:
    rng = np.random.default_rng(seed)
    ids = rng.integers(NO_ID, 6, (5, 4)).astype(np.int16).repeat(4, 0).repeat(4, 1)
    moved = snapped(ids, contrast(rng.integers(0, 256, (20, 16, 3)).astype(np.uint8)), reach)
    assert set(np.unique(ids)) - {NO_ID} <= set(np.unique(moved)) <= set(np.unique(ids))
    for y, x in rng.integers(0, (20, 16), (40, 2)):
        near = ids[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1]
        if (near == ids[y, x]).all():
            assert moved[y, x] == ids[y, x]


def test_every_layer_is_snapped_and_counted_on() -> None:
    left = np.zeros((2, 10, 24), bool)
    left[0, :, :11], left[1, :, 11:] = True, True
    masks = Masks(left, np.ones(2, np.float32))
    layers = id_maps([masks, masks], halves(12), 2)
    assert np.array_equal(layers, np.stack([split(12), split(12) + 2]))
    assert np.array_equal(id_maps([masks], halves(12), None)[0], split(11))
