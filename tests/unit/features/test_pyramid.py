"""LERF's pyramid of tiles: sides and strides by hand, black borders, and whose vectors meet."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from semsplat.features.pyramid import Level, mixture, pyramid_levels, tiles
from semsplat.params.features import PyramidMaps


def test_sides_and_strides_are_those_of_lerf() -> None:
    # 730 x 986 px: 36 px touch; at 0.10 the stride is three quarters; from 0.15 on it is half
    levels = pyramid_levels(730, 986, [0.05, 0.1, 0.15, 0.5])
    assert [(level.side, level.stride) for level in levels] == [
        (36, 36), (73, 54), (109, 54), (365, 182),
    ]  # fmt: skip
    # of 730 + 2 * 18 rows 766 - 36 are left to move over, by 36 each; of columns 986
    assert levels[0][2:] == (1 + 730 // 36, 1 + 986 // 36)
    # an odd side is padded by one pixel less than it has
    assert levels[1][2:] == (1 + (730 + 72 - 73) // 54, 1 + (986 + 72 - 73) // 54)


@given(st.integers(1, 200), st.integers(1, 200), st.floats(0.01, 1.0))
def test_every_tile_is_whole_and_none_could_follow(height: int, width: int, share: float) -> None:
    (level,) = pyramid_levels(height, width, [share])
    for extent, count in ((height, level.rows), (width, level.columns)):
        room = extent + 2 * (level.side // 2) - level.side
        assert 0 <= room - (count - 1) * level.stride < level.stride


def test_tiles_are_cut_around_their_middles_over_a_black_border() -> None:
    image = np.zeros((4, 6, 3), np.uint8)
    image[..., 0] = 1 + np.arange(24).reshape(4, 6)
    found = tiles(image, Level(2, 2, 3, 4), 2)[..., 0]
    assert found.shape == (12, 2, 2)
    assert found[0].tolist() == [[0, 0], [0, 1]]  # its middle is the image's corner
    assert found[5].tolist() == [[8, 9], [14, 15]]  # second row and column: rows 1-2, columns 1-2
    assert found[11].tolist() == [[24, 0], [0, 0]]


def test_tiles_have_the_size_that_the_network_sees() -> None:
    assert tiles(np.full((4, 4, 3), 7, np.uint8), Level(3, 3, 1, 1), 8).shape == (1, 8, 8, 3)


def test_levels_meet_on_the_first_ones_cells() -> None:
    fine = np.arange(12, dtype=np.float32).reshape(3, 4, 1)
    coarse = np.array([[100, 200]], np.float32)[..., None]
    assert mixture([fine, coarse])[..., 0].tolist() == [
        [100, 101, 202, 203], [104, 105, 206, 207], [108, 109, 210, 211],
    ]  # fmt: skip


def test_more_levels_than_there_are_cannot_be_mixed() -> None:
    with pytest.raises(ValidationError, match="mixes 3 of 2 sizes"):
        PyramidMaps(height_shares=[0.1, 0.2], mixed=3)
