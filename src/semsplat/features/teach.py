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
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semsplat.data.manifest import write_manifest
from semsplat.data.scene import Frame, Scene, load_depth, load_scene, load_semantics
from semsplat.errors import SemsplatError
from semsplat.features.corruption import corrupt_iid, corrupt_runs
from semsplat.features.hub import weights_path
from semsplat.features.lessons import Lesson, write_lesson
from semsplat.features.store import SceneFeatures, open_features
from semsplat.features.teachers import PseudoLabels, Sources, teacher_with_options
from semsplat.features.tracks import tracks_with_options
from semsplat.folders import atomic_dir
from semsplat.params.teachers import LessonsJob
from semsplat.provenance import Card

Depths = Callable[[Frame], NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class Classroom:
    """The scene, the parameters and the sources of one teacher."""

    scene: Scene
    run: LessonsJob
    sources: Sources
    depths: Depths
    device: str

    def teach(self, frame: Frame) -> PseudoLabels:
        """Return what the teacher itself says about a view."""
        kind, options = teacher_with_options(self.run.teacher.labels)
        return kind.teach(frame, options, self.sources)

    def track(self, frames: tuple[Frame, ...], regions: Callable[[Frame], Any]) -> Iterator[Any]:
        """Yield the track ids of views in order."""
        kind, options = tracks_with_options(self.run.teacher.tracks)
        return kind.track(frames, regions, options, self.depths, self.device)


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
    inputs = {"scene": scene_dir / "manifest.json"}
    inputs |= {"features": features_dir / "manifest.json"} if features_dir else {}
    inputs |= {"geometry": geometry_dir / "point_cloud.ply"} if geometry_dir else {}
    inputs |= _weights(config)
    card = Card("features", "semsplat.features.teach", config.model_dump(), inputs)
    started = time.monotonic()
    scene = load_scene(scene_dir)
    classes = _classes(scene)
    features = _features(config, features_dir)
    sources = Sources([entry["id"] for entry in classes], features)
    depths = _depths(config, geometry_dir, device)
    room = Classroom(scene, config, sources, depths, device)
    with atomic_dir(out) as partial:
        for frame, lesson in zip(room.scene.frames, lessons(room), strict=True):
            write_lesson(partial, frame.name, lesson)
        write_manifest(partial, _facts(config, classes))
        numbers = {"teach_s": round(time.monotonic() - started, 2), "device": device}
        numbers["declares_truth"] = _declares_truth(config)
        card.write(partial / "run.json", [partial / "manifest.json"], **numbers)


def lessons(room: Classroom) -> Iterator[Lesson]:
    """Yield the lesson of every frame, corrupted if the parameters say so."""
    taught = {frame.name: room.teach(frame) for frame in room.scene.frames}
    train = room.scene.train
    ids = room.track(train, lambda frame: taught[frame.name].regions)
    tracks = dict(zip([frame.name for frame in train], ids, strict=True))
    for (name, clean), labels in zip(taught.items(), _labels(room, taught), strict=True):
        yield Lesson(labels, clean.regions, tracks.get(name))


def _labels(room: Classroom, taught: dict[str, PseudoLabels]) -> Iterator[Any]:
    """Yield the labels of every frame."""
    corruption, n_classes = room.run.teacher.corruption, len(room.sources.class_ids)
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


def _features(config: LessonsJob, features_dir: Path | None) -> SceneFeatures | None:
    """Return the features; raise where the teacher reads some and there are none."""
    kind, options = teacher_with_options(config.teacher.labels)
    if features_dir is None and kind.recipe(options):
        raise SemsplatError(
            f"a {config.teacher.labels.kind} teacher learns from features; give --features"
        )
    return open_features(features_dir) if features_dir else None


def _depths(config: LessonsJob, geometry_dir: Path | None, device: str) -> Depths:
    """Return what gives the depth float32 [H, W] of a frame: rendered where tracks ask for that."""
    kind, options = tracks_with_options(config.teacher.tracks)
    if not kind.needs_geometry(options):
        return load_depth
    if geometry_dir is None:
        raise SemsplatError("the tracks follow rendered depth; give --geometry")
    from semsplat.geometry.trained import open_geometry, render_frame

    geometry = open_geometry(geometry_dir, device)

    def depth(frame: Frame) -> NDArray[np.float32]:
        return render_frame(geometry, frame)[1].astype(np.float32)

    return depth


def _weights(config: LessonsJob) -> dict[str, Path]:
    """Return the weights of the models that follow regions, by their folders."""
    kind, options = tracks_with_options(config.teacher.tracks)
    return {model.folder: weights_path(model) for model in kind.models(options)}


def _facts(config: LessonsJob, classes: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what identifies the lessons beside their content."""
    place = {key: getattr(config, key) for key in ("dataset", "scene", "name", "seed")}
    return {**place, "teacher": config.teacher.model_dump(), "classes": classes}


def _declares_truth(config: LessonsJob) -> bool:
    """Tell whether the teacher is the scene's ground truth, which the parameters then say."""
    kind, options = teacher_with_options(config.teacher.labels)
    return kind.declares_truth(options)
