"""Crops of regions."""

from __future__ import annotations

import numpy as np
import pytest

from semsplat.features.crops import region_crop


def example():
    """Return an image of 6 x 8 pixels and a mask: an L of 2 x 4 pixels at rows 1-2, columns 3-6."""
    image = np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3) + 50
    mask = np.zeros((6, 8), bool)
    mask[1, 3], mask[2, 3:7] = True, True
    return image, mask


@pytest.mark.parametrize(("fill", "grey"), [(0, 0), (127, 127)])
def test_a_box_is_padded_to_a_centred_square_and_filled_outside(fill, grey):
    image, mask = example()
    expected = np.full((4, 4, 3), grey, np.uint8)
    expected[1, 0] = image[1, 3]
    expected[2] = image[2, 3:7]
    assert np.array_equal(region_crop(image, mask, 4, fill), expected)
    assert fill or np.array_equal(region_crop(image, mask, 4), expected)  # black by default


def test_surroundings_can_stay():
    image, mask = example()
    expected = np.zeros((4, 4, 3), np.uint8)
    expected[1:3] = image[1:3, 3:7]
    assert np.array_equal(region_crop(image, mask, 4, None), expected)


def test_odd_padding_is_smaller_above_and_left():
    image, mask = np.full((5, 5, 3), 9, np.uint8), np.zeros((5, 5), bool)
    mask[0:4, 2] = True
    crop = region_crop(image, mask, 4)[..., 0]
    assert crop.tolist() == [[0, 9, 0, 0]] * 4


def test_resizing_is_bilinear():
    image = np.zeros((2, 2, 3), np.uint8)
    image[:, 1] = 200
    row = region_crop(image, np.ones((2, 2), bool), 4)[0, :, 0]
    assert row.tolist() == [0, 50, 150, 200]  # at -0.25, 0.25, 0.75, 1.25 between two pixels
    assert region_crop(image, np.ones((2, 2), bool), 7).shape == (7, 7, 3)


def test_one_pixel_is_enough():
    image, mask = example()
    alone = np.zeros_like(mask)
    alone[5, 7] = True
    assert (region_crop(image, alone, 3) == image[5, 7]).all()
