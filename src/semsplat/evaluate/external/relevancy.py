"""Relevancy maps: ``relevancy/{view}.npz`` of every annotated view, held out or not.

``prompts`` text [P]: the view's own categories, each once, in any order; ``relevancy`` floats
[P, L, H, W] in [0, 1], a map per level.  Kept as float16, as ours are.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semsplat.arrays import read_arrays, write_arrays
from semsplat.data.annotations import load_annotations
from semsplat.data.scene import Frame, Scene
from semsplat.errors import SemsplatError, did_you_mean
from semsplat.evaluate.external.given import only
from semsplat.evaluate.relevancy_maps import Maps, check_relevancy, read_relevancy
from semsplat.paths import RELEVANCY

SUFFIXES = (".npz",)


def view_of(path: PurePosixPath) -> str:
    """Return the view of a file: its path without the suffix."""
    return str(path.with_suffix(""))


def views(scene: Scene) -> list[Frame]:
    """Return the views whose annotations name anything."""
    return [frame for frame in scene.frames if frame.annotations_path and load_annotations(frame)]


def read(paths: list[Path], frame: Frame, scene: Scene) -> dict[str, Maps]:
    """Return {prompt: relevancy float16 [L, H, W] in [0, 1]} of the view's own prompts."""
    path = only(paths)
    prompts, maps = _stored(path)
    if maps.dtype.kind != "f":
        raise SemsplatError(f"{path}: relevancy is {maps.dtype}; it needs floats in 0..1")
    check_relevancy(path, prompts, maps, frame)
    asked = list(load_annotations(frame))
    for prompt in prompts:
        if prompt not in asked:
            hint = did_you_mean(prompt, asked) or "; remove it"
            raise SemsplatError(f"{path}: the view is not asked for '{prompt}'{hint}")
    if lacking := [prompt for prompt in asked if prompt not in prompts]:
        raise SemsplatError(f"{path}: no map of '{lacking[0]}'; what finds nothing is all 0")
    return dict(zip(prompts, maps.astype(np.float16), strict=True))


def write(folder: Path, frame: Frame, said: dict[str, Maps]) -> None:
    """Write ``relevancy/{frame}.npz``."""
    arrays = {"prompts": np.array(list(said)), "relevancy": np.stack(list(said.values()))}
    write_arrays(folder / RELEVANCY / f"{frame.name}.npz", arrays)


def give(predictions_dir: Path, frame: Frame, scene: Scene, folder: Path) -> None:
    """Write a view's prompts and maps, without the shares of granularities."""
    write(folder, frame, read_relevancy(predictions_dir, frame))


def _stored(path: Path) -> tuple[list[str], NDArray[Any]]:
    """Return prompts and maps as they stand there."""
    arrays = read_arrays(path)
    if sorted(arrays) != ["prompts", "relevancy"]:
        raise SemsplatError(f"{path}: has {sorted(arrays)}; needs 'prompts' and 'relevancy'")
    prompts = arrays["prompts"]
    if prompts.ndim != 1 or prompts.dtype.kind != "U":
        raise SemsplatError(f"{path}: prompts are {prompts.dtype} {list(prompts.shape)}; need text")
    return prompts.tolist(), arrays["relevancy"]
