"""Objects that a person clicks on, as masks and as splats."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import torch

from semsplat.data.images import write_png
from semsplat.data.manifest import NAME as MANIFEST
from semsplat.data.manifest import write_manifest
from semsplat.data.scene import load_scene
from semsplat.errors import SemsplatError
from semsplat.evaluate.clickable import ClickableField
from semsplat.evaluate.grounding import Place
from semsplat.evaluate.selection import THRESHOLD, cosine, selected
from semsplat.folders import atomic_dir
from semsplat.log import progress
from semsplat.provenance import model_facts
from semsplat.splat.gaussians import chosen
from semsplat.splat.ply import write_ply
from semsplat.train.methods import method
from semsplat.train.model import open_gaussians

CLICK = re.compile(r"(?P<name>[^=/\\\0]+)=(?P<view>.+):(?P<x>\d+),(?P<y>\d+)")
LONGEST_NAME = 255  # bytes, of most file systems
INSIDE = np.uint8(255)


def parse_clicks(texts: list[str]) -> dict[str, Place]:
    """Return the places of clicks written NAME=VIEW:X,Y; raise for what is none."""
    if not texts:
        raise SemsplatError("no click; give --click NAME=VIEW:X,Y, as in frog=a_view:207,127")
    places: dict[str, Place] = {}
    for text in texts:
        match = CLICK.fullmatch(text)
        if match is None:
            raise SemsplatError(f"click '{text}': write NAME=VIEW:X,Y, as in frog=a_view:207,127")
        name = match["name"]
        check_folder_name(name, f"click '{text}'")
        if name in places:
            raise SemsplatError(f"click '{text}': '{name}' is clicked twice; choose another name")
        places[name] = Place(match["view"], (int(match["x"]), int(match["y"])))
    return places


def check_folder_name(name: str, where: str) -> None:
    """Raise, with ``where`` first, unless a folder of results can be called like an object."""
    strange = {"/", "\0"} & set(name)
    if strange or name.startswith(".") or name == MANIFEST or len(name.encode()) > LONGEST_NAME:
        raise SemsplatError(f"{where}: '{name[:40]}' cannot be a folder's name")


@torch.no_grad()
def write_objects(
    scene_dir: Path, model_dir: Path, out_dir: Path, clicks: dict[str, Place], device: str
) -> None:
    """Write ``{name}/masks/{frame}.png``, 255 inside, of all views, and ``{name}/object.ply``.

    The splats are in the scene's own coordinates, wherever it is stored.

    Pixels and Gaussians belong to an object by CGC's Eq. 6 with the paper's threshold.

    Raises:
        SemsplatError: a click is outside its view, on nothing, or in a view that is not there; or
            the training's Gaussians hold no features that select.
    """
    scene, field = load_scene(scene_dir), open_gaussians(model_dir, device)
    if "similarity" not in method(field.facts.method).ANSWERS:
        raise SemsplatError(f"{model_dir}: {field.facts.method} selects nothing; train cgc")
    clicked = ClickableField(field)
    asked = clicked.ask(clicks, {frame.name: frame for frame in scene.frames}, strict=True)
    with atomic_dir(out_dir) as partial:
        for frame in progress(scene.frames, "select"):
            features, _ = clicked.blended(frame)
            masks = selected(cosine(features, asked.vectors), THRESHOLD).cpu().numpy()
            for name, mask in zip(asked.found, masks, strict=True):
                write_png(partial / name / "masks" / f"{frame.name}.png", mask * INSIDE)
        for name, members in zip(asked.found, asked.members, strict=True):
            gaussians = chosen(field.trained.gaussians, members)
            write_ply(partial / name / "object.ply", gaussians, *scene.stored_in)
        write_manifest(partial, {**model_facts(model_dir, device), "threshold": THRESHOLD})
