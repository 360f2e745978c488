"""Images and id maps: read, write, resize.  One view at a time is ever in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from semsplat.errors import SemsplatError, one_line, readable
from semsplat.verified import verified

MAX_ID = 2**16 - 1  # id maps are 16-bit PNG
IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"})
ROUNDING_PX = 1.0  # images_4 of 4946x3286 measures 1237x822, rounded in both directions

Size = tuple[int, int]  # (width, height) in pixels

_EIGHT_BIT = frozenset({"RGB", "L", "P", "1", "CMYK", "YCbCr"})
_WITH_ALPHA = frozenset({"RGBA", "LA", "PA"})
_ONE_CHANNEL = frozenset({"L", "P", "1", "I;16", "I"})


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """Yield the image, pixels not yet decoded; unreadable files are one-line errors."""
    try:
        with readable(path, "a readable image", "replace it"), Image.open(verified(path)) as image:
            yield image
    except Image.DecompressionBombError as error:
        raise SemsplatError(f"{path}: too large ({one_line(error)}); shrink it") from None


def image_files(folder: Path) -> list[Path]:
    """Return the image files below ``folder``, sorted; empty when it is missing."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)


def image_size(path: Path) -> Size:
    """Return (width, height) from the header, without decoding; raise when unreadable."""
    with _opened(path) as image:
        return image.size


def read_rgb(path: Path, size: Size) -> NDArray[np.uint8]:
    """Return the image as uint8 [H, W, 3] sRGB; greyscale and palette images are converted.

    The file must measure ``size`` (checked before decoding).  EXIF orientation is ignored, as
    COLMAP ignores it.  Raises a `SemsplatError` for unreadable files, other sizes, transparent
    pixels and more than 8 bits.
    """
    with _opened(path) as image:
        _check_size(image.size, size, path)
        if image.mode in _WITH_ALPHA or "transparency" in image.info:
            rgba = np.asarray(image.convert("RGBA"))
            if rgba[..., 3].min() < 255:  # transparent pixels have no colour
                fix = "composite it over a background first"
                raise SemsplatError(f"{path}: transparent pixels; {fix}")
            return np.ascontiguousarray(rgba[..., :3])
        if image.mode not in _EIGHT_BIT:
            raise SemsplatError(f"{path}: pixel format {image.mode}; convert it to 8-bit RGB")
        if any(
            ";16" in str(tile) for tile in getattr(image, "tile", ())
        ):  # Pillow drops the lower byte
            raise SemsplatError(f"{path}: 16 bits a channel; convert it to 8-bit RGB")
        return np.asarray(image.convert("RGB"))


def read_ids(path: Path, size: Size) -> NDArray[np.int32]:
    """Return an id map (8- or 16-bit, one channel or palette indices) as int32 [H, W].

    The file must measure ``size`` (checked before decoding).  Raises a `SemsplatError` for
    unreadable files, other sizes, colour images and ids outside 0..65535.
    """
    with _opened(path) as image:
        _check_size(image.size, size, path)
        if image.mode not in _ONE_CHANNEL:
            raise SemsplatError(
                f"{path}: pixel format {image.mode}; an id map has one channel of integer ids"
            )
        ids = np.asarray(image).astype(np.int32)
    if ids.min() < 0 or ids.max() > MAX_ID:
        raise SemsplatError(f"{path}: ids outside 0..{MAX_ID}; renumber them")
    return ids


def read_coded_ids(path: Path, size: Size) -> NDArray[np.int32]:
    """Return a tracker's id map as int32 [H, W], in 0..2^24 - 1.

    One channel or a palette as `read_ids`; of colours the id is r + 256 g + 65536 b, as DEVA writes
    it.  Raises what `read_ids` raises.
    """
    with _opened(path) as image:
        if image.mode != "RGB":
            return read_ids(path, size)
        _check_size(image.size, size, path)
        return np.asarray(image).astype(np.int32) @ np.array([1, 256, 65536], np.int32)


def read_grey(path: Path) -> NDArray[np.uint8]:
    """Return an 8-bit image of any size as uint8 [H, W], colours as their luminance.

    Transparency is ignored.  Raises a `SemsplatError` for unreadable files and more than 8 bits.
    """
    with _opened(path) as image:
        if image.mode not in _EIGHT_BIT | _WITH_ALPHA:
            raise SemsplatError(f"{path}: pixel format {image.mode}; convert it to 8-bit grey")
        return np.asarray(image.convert("L"))


def write_png(
    path: Path,
    pixels: NDArray[np.uint8] | NDArray[np.uint16],  # [H, W, 3] RGB or [H, W]
) -> None:
    """Write 8- or 16-bit pixels as PNG, creating the folder."""
    if pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written here and not by OpenCV, which reports a full disk as a return value only.
    path.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())


def downscaled_size(size: Size, max_width_px: int | None) -> Size:
    """Return ``size`` shrunk to a width of at most ``max_width_px``, keeping the aspect."""
    width, height = size
    if max_width_px is None or width <= max_width_px:
        return size
    return max_width_px, max(1, round(height * max_width_px / width))


def resize_rgb(
    image: NDArray[np.uint8],  # [H, W, 3]
    size: Size,
) -> NDArray[np.uint8]:
    """Return the image at a smaller ``size`` as uint8 [h, w, 3], each pixel an area mean."""
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def resize_ids(
    ids: NDArray[Any],  # [H, W] ids or depths: values that must not be mixed
    size: Size,
) -> NDArray[Any]:
    """Return the map at ``size`` as [h, w], same type: the source pixel at each new centre."""
    # INTER_NEAREST takes the top-left of the covered pixels, half a pixel off.
    return cv2.resize(ids, size, interpolation=cv2.INTER_NEAREST_EXACT)


def scale_intrinsics(
    K: NDArray[np.float64],  # [3, 3] px
    size: Size,
    new_size: Size,
) -> NDArray[np.float64]:
    """Return ``K`` [3, 3] for the image resized from ``size`` to ``new_size``.

    Pixel centres are at halves, so both rows scale purely, each by its own exact factor.
    """
    return np.diag([new_size[0] / size[0], new_size[1] / size[1], 1.0]) @ K


def same_shape(size: Size, other: Size) -> bool:
    """Say whether one scale, up to rounding, maps ``other`` to ``size``."""
    scale = size[0] / other[0]
    return abs(size[1] - scale * other[1]) <= max(1.0, scale) * ROUNDING_PX


def _check_size(found: Size, expected: Size, path: Path) -> None:
    """Raise unless the two sizes agree."""
    if found != expected:
        raise SemsplatError(
            f"{path}: {found[0]}x{found[1]} pixels, expected {expected[0]}x{expected[1]}; "
            "resize it or correct the camera"
        )
