"""Upright copies of a person's photographs, or the reason why there can be no scene of them."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageOps

from semsplat.data.images import IMAGE_SUFFIXES, Size, image_size, read_rgb
from semsplat.errors import SemsplatError

FEWEST = 3
ORIENTATION = 0x0112  # the tag of EXIF; 1 is upright
TURNED = range(2, 9)  # its values that mean anything else
ON_THEIR_SIDE = range(5, 9)  # those by which width and height change places
READ_AS = {".jfif": ".jpg", ".jpe": ".jpg", ".avif": ".png"}
"""Formats that are read, and what the copy becomes, because COLMAP goes by the suffix."""
PHOTOGRAPHS = IMAGE_SUFFIXES | READ_AS.keys()
MAGICK, DARKTABLE = "magick mogrify -format jpg *{}", "darktable-cli FILE{0} FILE.jpg"
RAW = (".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".pef", ".raf", ".raw", ".rw2", ".srw")
UNREAD = {
    **dict.fromkeys((".heic", ".heif", ".hif", ".jp2", ".jxl"), MAGICK),
    **dict.fromkeys(RAW, DARKTABLE),
    **dict.fromkeys((".mov", ".mp4", ".m4v", ".avi"), "ffmpeg -i FILE{0} -vf fps=2 %04d.jpg"),
}
"""Formats of cameras that are not read, and what makes JPEGs of them."""
JUNK = ("__MACOSX", "Thumbs.db", "desktop.ini")
"""What file managers leave; so do names that begin with a dot."""


class Collected(NamedTuple):
    """What was copied."""

    sizes: dict[str, Size]  # of the copies, by name
    turned: list[str]  # copies that lay on their side
    passed_over: list[str]  # files that are no photographs


def collect(folder: Path, out: Path) -> Collected:
    """Copy the photographs of ``folder`` to ``out``, turned as their EXIF says.

    A folder that holds folders alone, as a camera's DCIM, gives all photographs below it, called as
    their paths.  COLMAP and the importer ignore EXIF's orientation, so what lies on its side is
    turned for good, and saved as PNG.  Raises a one-line `SemsplatError` for fewer than three,
    unreadable, equal and transparent ones, equal names, formats that are not read, and folders
    beside photographs that hold more of them.
    """
    paths, passed_over = _photographs(folder)
    out.mkdir(parents=True)
    sizes, turned, seen = {}, [], dict[str, Path]()
    for path in paths:
        copy, is_turned = _copy(path, out, _stem(path, folder))
        size = image_size(copy)
        digest = hashlib.sha256(read_rgb(copy, size).tobytes()).hexdigest()
        if digest in seen:
            raise SemsplatError(f"{path}: the same picture as {seen[digest].name}; remove one")
        seen[digest] = path
        sizes[copy.name] = size
        turned += [copy.name] if is_turned else []
    return Collected(sizes, turned, passed_over)


def stems(folder: Path) -> list[str]:
    """Return how the copies of a folder's photographs are called, without suffixes, sorted."""
    return sorted(_stem(path, folder) for path in _photographs(folder)[0])


def upright_sizes(folder: Path) -> dict[str, Size]:
    """Return how large the copies of a folder's photographs are, by the names of `stems`."""
    sizes = {}
    for path in _photographs(folder)[0]:
        width, height = image_size(path)
        with Image.open(path) as image:
            lies = image.getexif().get(ORIENTATION, 1) in ON_THEIR_SIDE
        sizes[_stem(path, folder)] = (height, width) if lies else (width, height)
    return sizes


def _stem(path: Path, folder: Path) -> str:
    """Return how the copy of a photograph is called."""
    return "_".join(path.relative_to(folder).with_suffix("").parts)


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


def _photographs(folder: Path) -> tuple[list[Path], list[str]]:
    """Return the photographs of a folder by name, and the names of files that are none."""
    if not folder.is_dir():
        raise SemsplatError(f"{folder}: no such folder")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    files = [path for path in files if not _is_junk(path.relative_to(folder))]
    for path in files:
        if path.suffix.lower() in UNREAD:
            command = UNREAD[path.suffix.lower()].format(path.suffix)
            raise SemsplatError(f"{path}: {path.suffix} is not read; convert it first: {command}")
    photographs = [path for path in files if path.suffix.lower() in PHOTOGRAPHS]
    if len(photographs) < FEWEST:
        raise SemsplatError(
            f"{folder}: {len(photographs)} photographs;"
            f" {FEWEST} are the least, some dozens are good"
        )
    deeper = [path for path in photographs if path.parent != folder]
    if 0 < len(deeper) < len(photographs):
        raise SemsplatError(
            f"{folder}: has photographs, and {len(deeper)} more in folders ({deeper[0].parent});"
            " move these up or elsewhere"
        )
    stems: dict[tuple[str, ...], Path] = {}
    for path in photographs:
        parts = path.relative_to(folder).with_suffix("").parts
        if stems.setdefault(parts, path) is not path:
            raise SemsplatError(f"{path}: called as {stems[parts].name}; rename one")
    others = [path for path in files if path.suffix.lower() not in PHOTOGRAPHS]
    return photographs, [path.relative_to(folder).as_posix() for path in others]


def _is_junk(path: Path) -> bool:
    """Tell what file managers leave, by a path relative to the folder."""
    return any(part.startswith(".") or part in JUNK for part in path.parts)


def _copy(path: Path, out: Path, stem: str) -> tuple[Path, bool]:
    """Copy one photograph as ``stem`` and return the copy, and whether it was turned."""
    read_rgb(path, image_size(path))  # what cannot be read stops here
    suffix = READ_AS.get(path.suffix.lower(), path.suffix)
    with Image.open(path) as image:
        lies = image.getexif().get(ORIENTATION, 1) in TURNED
        if not lies and path.suffix.lower() != ".avif":
            return Path(shutil.copy(path, out / f"{stem}{suffix}")), False
        upright = ImageOps.exif_transpose(image)
    copy = out / f"{stem}.png"
    upright.save(copy, exif=upright.getexif())  # the focal length stays for COLMAP
    return copy, lies
