"""A few views of another scene, evenly sampled: CLIP-GS's sparse benchmark (METHODS 1.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from semsplat.data.annotations import stored_annotations
from semsplat.data.plane_sweep import Sweep, starting_points
from semsplat.data.privileges import CLASSES_OF_ALL_LABELS, CLASSES_OF_LABELS, POINTS_OF_DEPTH
from semsplat.data.scene import (
    Frame,
    Scene,
    Split,
    load_depth,
    load_ids,
    load_image,
    load_points,
    load_scene,
    load_semantics,
    split_every,
)
from semsplat.data.scene_writer import ID_FOLDERS, SceneWriter
from semsplat.errors import SemsplatError
from semsplat.io import read_json
from semsplat.params.base import Count, Strict

AGAIN = "_again"


class Options(Strict):
    """Which scene, and which of its views."""

    of: str
    """dataset/scene of another data set"""
    n_views: int = Field(ge=2)
    """views that are kept, spread evenly from the first to the last"""
    judged: Literal["held_out", "of_the_whole", "trained_on"]
    """by which views: every n-th of those kept, held out (CLIP-GS); the whole scene's held-out
    views, of which none is kept; every n-th of those kept, trained on all the same: what learning
    rates are chosen by, and never a claim"""
    test_every: int = Field(ge=2)
    """n: of the views kept 0, n, 2n ..."""
    n_points: Count
    """initial points, found anew in the training views that are left; a scene without depth keeps
    its own"""
    sweep: Sweep | None
    """how they come from these views alone; null: from their true depth, where they are too far
    apart to be compared"""
    point_noise_m: float = Field(ge=0)
    """standard deviation of the positions of those from depth"""
    points_seed: int = Field(ge=0)
    """of their choice and noise"""


def scene_path(options: Options) -> Path:
    """Return the folder of the whole scene."""
    return Path("data", options.of)


def sources(options: Options) -> list[Path]:
    """Return the manifest of the whole scene."""
    return [scene_path(options) / "manifest.json"]


def import_scene(scene: str, options: Options, out_dir: Path) -> None:
    """Write the chosen views of a canonical scene as one of its own.

    Raises a one-line `SemsplatError` and leaves nothing where it has too few views.
    """
    whole = load_scene(scene_path(options))
    train, judged = splits(whole, options)
    manifest = read_json(whole.scene_dir / "manifest.json")
    of_depth = not options.sweep and all(frame.depth_path is not None for frame in train)
    points = None  # where they are neither swept nor has every training view depth
    if options.sweep or of_depth:
        noise_m, seed = options.point_noise_m, options.points_seed
        points = starting_points(options.sweep, options.n_points, len(train), noise_m, seed)
    origin = {key: manifest[key] for key in ("source", "licence")}
    with SceneWriter(out_dir, dataset=out_dir.parent.name, scene=scene, **origin) as writer:
        writer.keep_frame(whole.stored_in)
        held_out = {frame.name for frame in judged}
        for frame in _in_order(whole, train, judged):
            split: Split = "test" if frame.name in held_out else "train"
            image, maps = load_image(frame), _maps(frame)
            writer.add_frame(frame.name, image, frame.viewmat, frame.K, split, **maps)
            if points and split == "train":
                points.add(maps["depth"], image, frame.viewmat, frame.K)
        writer.set_points(*(points.noisy() if points else load_points(whole)))
        told = manifest.get("privileges", [])
        for privilege in _privileges(told, bool(points), of_depth):
            writer.grant(privilege)
        if (whole.scene_dir / "semantics.json").is_file():
            writer.set_semantics(load_semantics(whole))
        writer.note("subset_of", options.of)


def _privileges(told: list[str], anew: bool, of_depth: bool) -> list[str]:
    """Return the whole scene's privileges, and of points found anew that which is true of them."""
    wider = {CLASSES_OF_LABELS: CLASSES_OF_ALL_LABELS}  # views that are left out show more classes
    kept = [wider.get(privilege, privilege) for privilege in told]
    if not anew:
        return kept
    others = [privilege for privilege in kept if privilege != POINTS_OF_DEPTH]
    return [POINTS_OF_DEPTH, *others] if of_depth else others


def splits(whole: Scene, options: Options) -> tuple[list[Frame], list[Frame]]:
    """Return the views to train on and the views to judge by; see `Options.judged`.

    A view that is both is judged under another name, for a scene has every name once.
    """
    if options.judged == "of_the_whole":
        return chosen(whole.train, options), list(whole.test)
    frames = chosen(whole.frames, options)
    train, every_nth = split_every(frames, options.test_every)
    if options.judged == "held_out":
        return train, every_nth
    return frames, [replace(frame, name=f"{frame.name}{AGAIN}") for frame in every_nth]


def chosen(frames: Sequence[Frame], options: Options) -> list[Frame]:
    """Return so many views, spread evenly from the first to the last."""
    if len(frames) < options.n_views:
        raise SemsplatError(f"{scene_path(options)}: {len(frames)} views; lower n_views")
    places = np.linspace(0, len(frames) - 1, options.n_views).round().astype(int)
    return [frames[place] for place in places]


def _in_order(whole: Scene, train: list[Frame], judged: list[Frame]) -> list[Frame]:
    """Return all views in the order in which the camera passes."""
    place = {frame.image_path: place for place, frame in enumerate(whole.frames)}
    return sorted([*train, *judged], key=lambda frame: place[frame.image_path])


def _maps(frame: Frame) -> dict[str, Any]:
    """Return depth, id maps and annotations of a frame, as far as there are any."""
    paths = frame.labels_path, frame.instances_path, frame.parts_path
    maps: dict[str, Any] = {
        folder: load_ids(path, frame)
        for folder, path in zip(ID_FOLDERS, paths, strict=True)
        if path is not None
    }
    maps["annotations"] = stored_annotations(frame)
    return maps | {"depth": None if frame.depth_path is None else load_depth(frame)}
