"""What methods learn from, made from features or from disk: a lesson for every view of a scene.

::

    results/lessons/{dataset}/{scene}/{teacher}/{seed}/
        views/NAME.npz    labels, regions, and of training views tracks (see `Lesson`)
        manifest.json     classes, what the labels are, sha256 of every file
        run.json          provenance card
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semsplat.data.manifest import write_manifest
from semsplat.data.privileges import TEACHER_OF_TRUTH, TRACKS_OF_TRUTH
from semsplat.data.scene import Frame, Scene, load_depth, load_scene, load_semantics
from semsplat.errors import SemsplatError
from semsplat.features.corruption import corrupt_iid, corrupt_runs
from semsplat.features.hub import weights_path
from semsplat.features.lessons import write_lesson
from semsplat.features.store import open_features
from semsplat.features.teachers import Lesson, Sources, teacher_with_options
from semsplat.features.tracks import tracks_with_options
from semsplat.folders import atomic_dir
from semsplat.params.teachers import LessonsJob
from semsplat.provenance import Card


@dataclass(frozen=True, eq=False)
class Classroom:
    """The scene, the parameters and the sources of one teacher."""

    scene: Scene
    run: LessonsJob
    n_classes: int
    teach: Callable[[Frame], Lesson]
    """what the teacher itself says about a view"""
    track: Callable[[tuple[Frame, ...], Callable[[Frame], Any]], Iterator[Any]]
    """from views in order and what gives their regions to their track ids"""


def write_lessons(
    scene_dir: Path,
    out: Path,
    config_json: str,
    features_dir: Path | None,
    geometry_dir: Path | None,
    device: str,
) -> None:
    """Write the lessons, the manifest and run.json, the card last; arguments as the command's."""
    config = LessonsJob.model_validate_json(config_json)
    labeller, options = teacher_with_options(config.teacher.labels)
    tracker, track_options = tracks_with_options(config.teacher.tracks)
    inputs = {"scene": scene_dir / "manifest.json"}
    inputs |= {"features": features_dir / "manifest.json"} if features_dir else {}
    inputs |= {"geometry": geometry_dir / "point_cloud.ply"} if geometry_dir else {}
    inputs |= {model.folder: weights_path(model) for model in tracker.models(track_options)}
    card = Card("features", "semsplat.features.teach", config.model_dump(), inputs)
    card.privileges += [TEACHER_OF_TRUTH] * labeller.declares_truth(options)
    card.privileges += [TRACKS_OF_TRUTH] * tracker.declares_truth(track_options)
    started = time.monotonic()
    scene = load_scene(scene_dir)
    classes = _classes(scene) if getattr(labeller, "NEEDS_CLASSES", True) else []
    if features_dir is None and labeller.recipe(options):
        kind = config.teacher.labels.kind
        raise SemsplatError(f"a {kind} teacher learns from features; give --features")
    features = open_features(features_dir) if features_dir else None
    sources = Sources([entry["id"] for entry in classes], features)
    depths = _depths(tracker.needs_geometry(track_options), geometry_dir, device)
    teach = partial(labeller.teach, options=options, sources=sources)
    track = partial(tracker.track, options=track_options, depths=depths, device=device)
    room = Classroom(scene, config, len(classes), teach, track)
    with atomic_dir(out) as folder:
        for frame, lesson in zip(scene.frames, lessons(room), strict=True):
            write_lesson(folder, frame.name, lesson)
        write_manifest(folder, _facts(config, classes))
        numbers = {"teach_s": round(time.monotonic() - started, 2), "device": device}
        card.write(folder / "run.json", [folder / "manifest.json"], **numbers)


def lessons(room: Classroom) -> Iterator[Lesson]:
    """Yield the lesson of every frame, corrupted if the parameters say so."""
    taught = {frame.name: room.teach(frame) for frame in room.scene.frames}
    train = room.scene.train
    ids = room.track(train, lambda frame: taught[frame.name].regions)
    tracks = dict(zip([frame.name for frame in train], ids, strict=True))
    for (name, clean), labels in zip(taught.items(), _labels(room, taught), strict=True):
        yield Lesson(labels, clean.regions, tracks.get(name))


def _labels(room: Classroom, taught: dict[str, Lesson]) -> Iterator[Any]:
    """Yield the labels of every frame."""
    corruption, n_classes = room.run.teacher.corruption, room.n_classes
    if corruption is None:
        yield from (clean.labels for clean in taught.values())
    elif corruption.kind == "iid":
        rng = np.random.default_rng(room.run.run_seed)
        for clean in taught.values():
            yield corrupt_iid(clean.labels, clean.regions, corruption.share, n_classes, rng)
    else:
        # Held-out views are mistaken like the views around them, so objects are followed through
        # all views here; what the method is shown are the tracks of the training views alone.
        objects = room.track(room.scene.frames, lambda frame: taught[frame.name].regions)
        maps = [(t.labels, ids) for t, ids in zip(taught.values(), objects, strict=True)]
        yield from corrupt_runs(maps, corruption.share, n_classes, room.run.run_seed)


def _classes(scene: Scene) -> list[dict[str, Any]]:
    """Return the scene's classes; raise where it names none."""
    if not (scene.scene_dir / "semantics.json").is_file():
        raise SemsplatError(f"{scene.scene_dir}: no semantics.json; a teacher needs class names")
    return load_semantics(scene)["classes"]


def _depths(
    rendered: bool, geometry_dir: Path | None, device: str
) -> Callable[[Frame], NDArray[np.float32]]:
    """Return what gives the depth float32 [H, W] of a frame, ``rendered`` where tracks ask."""
    if not rendered:
        return load_depth
    if geometry_dir is None:
        raise SemsplatError("the tracks follow rendered depth; give --geometry")
    from semsplat.geometry.trained import open_geometry, render_frame

    geometry = open_geometry(geometry_dir, device)

    def depth(frame: Frame) -> NDArray[np.float32]:
        return render_frame(geometry, frame)[1].astype(np.float32)

    return depth


def _facts(config: LessonsJob, classes: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what identifies the lessons beside their content."""
    place = {key: getattr(config, key) for key in ("dataset", "scene", "name", "seed")}
    return {**place, "teacher": config.teacher.model_dump(), "classes": classes}
