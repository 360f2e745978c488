"""Objects that a person clicks on, as masks and as splats."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from semsplat.data.images import write_png
from semsplat.data.manifest import write_manifest
from semsplat.evaluate.grounding import Place
from semsplat.field.field import Field
from semsplat.field.selection import Selection
from semsplat.folders import atomic_dir
from semsplat.log import progress
from semsplat.provenance import model_facts

INSIDE = np.uint8(255)


def write_objects(field: Field, clicks: dict[str, Place], out: Path) -> None:
    """Write ``{name}/masks/{frame}.png``, 255 inside, of all views, and ``{name}/object.ply``.

    An object for which no Gaussian is found has no splat.

    Args:
        field: of a method that answers clicks.
        clicks: where views of its scene show the objects.
        out: the folder; it must not be there.

    Raises:
        SemsplatError: a click is outside its view, on nothing, or in a view that is not there; or
            the method answers to texts alone.
    """
    scene = field.known.opened_scene
    found = {name: field.select((place.view, place.pixel)) for name, place in clicks.items()}
    with atomic_dir(out) as partial:
        for frame in progress(scene.frames, "select"):
            for name, selection in found.items():
                mask = selection.mask(frame)
                write_png(partial / name / "masks" / f"{frame.name}.png", mask * INSIDE)
        for name, selection in found.items():
            write_splat_of(field, selection, partial / name)
        told = {name: selection.found for name, selection in found.items()}
        write_manifest(partial, {**model_facts(field.path, field.trained.device), "found": told})


def write_splat_of(field: Field, selection: Selection, folder: Path) -> None:
    """Write ``object.ply``, unless no Gaussian is selected."""
    if selection.members.any():
        field.save_ply(folder / "object.ply", selection)
