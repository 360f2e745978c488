"""Clicks on photographs as a person sees them, in the pixels of the scene's reduced views."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from semsplat.data.images import Size, downscaled_size, image_size
from semsplat.data.photos.collect import upright_sizes
from semsplat.data.transforms import frame_name, read_transforms
from semsplat.errors import SemsplatError, did_you_mean
from semsplat.evaluate.grounding import Place


def on_views(folder: Path, clicks: Mapping[str, Place], max_width_px: int) -> dict[str, Place]:
    """Return clicks on the photographs of a folder as clicks on the views that are made of them.

    Views are reduced to ``max_width_px``.  Where a lens is taken out of a photograph, its pixels
    move a little more; a click on the inside of an object stays there.

    Raises:
        SemsplatError: a click is on no photograph of the folder, or outside it.
    """
    if not clicks:
        return {}
    sizes, found = _sizes(folder), {}
    for name, place in clicks.items():
        if place.view not in sizes:
            hint = did_you_mean(place.view, list(sizes)) or f"; one is '{next(iter(sizes), '')}'"
            raise SemsplatError(f"click '{name}': {folder} has no view '{place.view}'{hint}")
        size = sizes[place.view]
        if not all(0 <= at < side for at, side in zip(place.pixel, size, strict=True)):
            raise SemsplatError(
                f"click '{name}': pixel {place.pixel} of '{place.view}' is outside the photograph"
                f" of {size[0]}x{size[1]}; click inside"
            )
        reduced = downscaled_size(size, max_width_px)
        x, y = (
            int((at + 0.5) * small / side)
            for at, small, side in zip(place.pixel, reduced, size, strict=True)
        )
        found[name] = Place(place.view, (x, y))
    return found


def _sizes(folder: Path) -> dict[str, Size]:
    """Return the sizes of a folder's photographs by the names of their views."""
    path = folder / "transforms.json"
    if not path.is_file():
        return upright_sizes(folder)
    files = [entry.file_path for entry in read_transforms(path).frames]
    return {frame_name(file, path): image_size(folder / file) for file in files}
