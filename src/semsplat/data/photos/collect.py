"""Upright copies of a person's photographs, or the reason why there can be no scene of them."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from PIL import Image, ImageOps

from semsplat.data.images import IMAGE_SUFFIXES, Size, image_size, read_rgb
from semsplat.errors import SemsplatError

FEWEST = 3
ORIENTATION = 0x0112  # the tag of EXIF; 1 is upright
UNREAD = {
    **dict.fromkeys((".heic", ".heif"), "magick mogrify -format jpg *{suffix}"),
    **dict.fromkeys(
        (".dng", ".cr2", ".cr3", ".nef", ".arw"), "darktable-cli FILE{suffix} FILE.jpg"
    ),
}
"""Formats of cameras that are not read, and what makes JPEGs of them."""


def collect(folder: Path, out: Path) -> tuple[dict[str, Size], list[str]]:
    """Copy the photographs of ``folder`` to ``out``, turned as their EXIF says.

    Return the sizes of the copies by name, and the names of those that lay on their side.

    COLMAP and the importer ignore EXIF's orientation, so what lies on its side is turned for good,
    and saved as PNG.  Raises a one-line `SemsplatError` for fewer than three, unreadable, equal and
    transparent ones, equal names and formats that are not read.
    """
    paths = _photographs(folder)
    out.mkdir(parents=True)
    sizes, turned, seen = {}, [], dict[str, Path]()
    for path in paths:
        copy, is_turned = _copy(path, out)
        size = image_size(copy)
        digest = hashlib.sha256(read_rgb(copy, size).tobytes()).hexdigest()
        if digest in seen:
            raise SemsplatError(f"{path}: the same picture as {seen[digest].name}; remove one")
        seen[digest] = path
        sizes[copy.name] = size
        turned += [copy.name] if is_turned else []
    return sizes, turned


def check_one_size(sizes: dict[str, Size], folder: Path) -> None:
    """Raise unless all photographs can be of one camera."""
    first, *others = sizes
    for name in others:
        if sizes[name] != sizes[first]:
            widths = " and ".join(f"{sizes[n][0]}x{sizes[n][1]}" for n in (first, name))
            raise SemsplatError(
                f"{folder}: {first} and {name} measure {widths}, one camera makes one size; leave"
                " out --single-camera, or take all photographs in one orientation"
            )


def _photographs(folder: Path) -> list[Path]:
    """Return the photographs directly in a folder, by name."""
    if not folder.is_dir():
        raise SemsplatError(f"{folder}: no such folder")
    files = sorted(path for path in folder.iterdir() if path.is_file())
    for path in files:
        if path.suffix.lower() in UNREAD:
            command = UNREAD[path.suffix.lower()].format(suffix=path.suffix)
            raise SemsplatError(f"{path}: {path.suffix} is not read; convert it first: {command}")
    photographs = [path for path in files if path.suffix.lower() in IMAGE_SUFFIXES]
    if len(photographs) < FEWEST:
        raise SemsplatError(
            f"{folder}: {len(photographs)} photographs;"
            f" {FEWEST} are the least, some dozens are good"
        )
    stems: dict[str, Path] = {}
    for path in photographs:
        if stems.setdefault(path.stem, path) is not path:
            raise SemsplatError(f"{path}: called as {stems[path.stem].name}; rename one")
    return photographs


def _copy(path: Path, out: Path) -> tuple[Path, bool]:
    """Copy one photograph and return the copy, and whether it was turned."""
    read_rgb(path, image_size(path))  # what cannot be read stops here
    with Image.open(path) as image:
        if image.getexif().get(ORIENTATION, 1) == 1:
            return Path(shutil.copy(path, out)), False
        upright = ImageOps.exif_transpose(image)
    copy = out / f"{path.stem}.png"
    upright.save(copy, exif=upright.getexif())  # the focal length stays for COLMAP
    return copy, True
