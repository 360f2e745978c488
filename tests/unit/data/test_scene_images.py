from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scene_helpers import one_line_error, random_image

from semsplat.data.images import downscaled_size, read_ids, read_rgb, resize_ids, write_png

SIZE = (16, 12)


@pytest.mark.parametrize("mode", ["L", "P", "1", "CMYK"])
def test_other_opaque_formats_become_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a.tiff"
    converted = Image.fromarray(random_image()).convert(mode)
    converted.save(path)
    expected = np.asarray(converted.convert("RGB"))
    np.testing.assert_array_equal(read_rgb(path, SIZE), expected)


def test_opaque_alpha_is_dropped_and_transparency_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    rgba = np.dstack([random_image(), np.full((12, 16), 255, np.uint8)])
    Image.fromarray(rgba).save(path)
    np.testing.assert_array_equal(read_rgb(path, SIZE), rgba[..., :3])
    rgba[3, 4, 3] = 254
    Image.fromarray(rgba).save(path)
    with one_line_error("a.png", "transparent", "composite"):
        read_rgb(path, SIZE)


def test_sixteen_bit_photograph_is_refused(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", np.zeros((12, 16), np.uint16))
    with one_line_error("a.png", "8-bit"):
        read_rgb(tmp_path / "a.png", SIZE)


def test_unreadable_missing_and_resized_images_are_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    with one_line_error("a.png", "no such file"):
        read_rgb(path, SIZE)
    path.write_bytes(b"not an image\n")
    with one_line_error("a.png", "not a readable image"):
        read_rgb(path, SIZE)
    write_png(path, random_image())
    with one_line_error("a.png", "16x12", "8x6"):
        read_rgb(path, (8, 6))
    path.write_bytes(path.read_bytes()[:200])
    with one_line_error("a.png", "not a readable image"):
        read_rgb(path, SIZE)


def test_id_maps_keep_sixteen_bits_and_palette_indices(tmp_path: Path) -> None:
    ids = np.arange(192, dtype=np.uint16).reshape(12, 16) + 65000
    write_png(tmp_path / "a.png", ids)
    np.testing.assert_array_equal(read_ids(tmp_path / "a.png", SIZE), ids)
    palette = Image.fromarray((ids - 65000).astype(np.uint8)).convert("P")
    palette.putpalette(list(range(255, -1, -1)) * 3)
    palette.save(tmp_path / "p.png")
    np.testing.assert_array_equal(read_ids(tmp_path / "p.png", SIZE), ids - 65000)
    write_png(tmp_path / "c.png", random_image())
    with one_line_error("c.png", "one channel"):
        read_ids(tmp_path / "c.png", SIZE)


def test_downscaling_keeps_the_aspect_and_never_enlarges() -> None:
    assert downscaled_size((640, 472), 320) == (320, 236)
    assert downscaled_size((640, 472), 1000) == (640, 472)
    assert downscaled_size((640, 472), None) == (640, 472)


def test_nearest_takes_the_source_pixel_under_the_new_centre() -> None:
    ids = np.arange(54, dtype=np.int32).reshape(6, 9)
    np.testing.assert_array_equal(resize_ids(ids, (3, 2)), ids[1::3, 1::3])
