"""Class maps of all views: held-out ones against the truth, neighbours against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semsplat.arrays import write_arrays
from semsplat.data.images import write_png
from semsplat.data.scene import Frame, Scene, load_semantics
from semsplat.evaluate.answers import Asked, Judged, Scores
from semsplat.evaluate.cases import Case, Numbers, aggregate, counted, judge, prefixed
from semsplat.evaluate.class_maps import MapOf, best_votes, map_path, own_votes, predicted, taught
from semsplat.evaluate.confusion import Labels, check_known, class_ids_of, class_iou, load_truth
from semsplat.evaluate.pairs import neighbours, why_none
from semsplat.evaluate.protocols import consistency, image_mean, pooled, protocols_of
from semsplat.evaluate.protocols.image_mean import ClassMap
from semsplat.features.lessons import open_lessons
from semsplat.io import sha256_file
from semsplat.log import progress
from semsplat.paths import CLASSES, FIELD_FILE

if TYPE_CHECKING:
    from semsplat.train.model import TrainedField

PREDICTS_FROM = ()
SCORES_WITH = ("lessons",)
CASES = ("class_maps", "neighbours")
OF_VIEWS, OF_NEIGHBOURS = protocols_of("class_maps"), protocols_of("neighbours")
Cases = dict[str, list[Case]]
"""By the prefix that says whose maps they are: predicted, taught, or voted for."""
VOTES_FILE = "votes.npz"
"""Of training views, what the votes of the predicted maps would teach: {view: uint16 [H, W]}."""


def predict(asked: Asked, folder: Path) -> dict[str, Any]:
    """Write ``classes/{frame}.png`` of all views, 16-bit class ids.

    Those of training views too: they tell what was learned of the lessons, and whether neighbouring
    views agree.
    """
    from semsplat.train.model import open_field

    field, frames = open_field(asked.model_dir, asked.device), asked.scene.frames
    for frame in progress(frames, "classes"):
        write_png(folder / CLASSES / f"{frame.name}.png", field.class_map(frame))
    return {"semantics": sha256_file(asked.model_dir / FIELD_FILE)}


def time(field: TrainedField, frames: list[Frame]) -> dict[str, float]:
    """Return FPS and milliseconds of a frame, colours with class map."""
    from semsplat.evaluate.stopwatch import median_seconds

    median = median_seconds(field.render, frames, field.device)
    return {"fps": round(1 / median, 2), "frame_ms": round(1000 * median, 3)}


def score(judged: Judged) -> Scores:
    """Return what ``scores.json`` says of class maps; two archives go beside it.

    ``metrics`` are those of the held-out views; with ``train_`` those of the training views; with
    ``teacher_`` those of the labels that were taught, on the same views, with ``best_vote_`` those
    of `best_votes`, and with ``own_vote_train_`` those of `own_votes`.  ``classes`` holds the IoU
    of every class over the held-out views, with the same prefixes, and its share of the pixels.
    ``inconsistency.npz`` holds the verdicts of neighbouring training views, ``{index}``, and
    `VOTES_FILE` the votes.  Predictions that were made elsewhere have no lessons, so that nothing
    is said of these and of votes.
    """
    scene, ids, own = judged.scene, class_ids_of(judged.scene), predicted(judged.predictions_dir)
    lessons = _of_lessons(judged, own, ids)
    maps = {"": own} | lessons.taught
    held_out = _cases(scene.test, maps | lessons.best, ids)
    trained = _cases(scene.train, maps | lessons.best | lessons.voted, ids)
    pairs = neighbour_cases(scene, maps)
    metrics = _metrics(held_out, trained, pairs)
    arrays = {"inconsistency.npz": _verdicts(pairs[""])} | lessons.arrays
    beside = [judged.out.with_name(name) for name in arrays]
    for path in beside:
        write_arrays(path, arrays[path.name])
    return lessons.facts | {
        "metrics": metrics,
        "views": {case.frame: image_mean.aggregate([case]) for case in held_out[""]},
        "classes": iou_of_classes(scene, held_out, ids),
        "pairs": _rows(pairs),
        "missing_classes": _missing(scene, judged.predictions_dir),
        "counts": _counts(held_out[""], trained[""], pairs[""]),
        "absent": _absent(scene, metrics),
        "files": {path.name: sha256_file(path) for path in beside},
    }


class OfLessons(NamedTuple):
    """What lessons say on the views that are judged; nothing where there are none."""

    taught: dict[str, MapOf]
    best: dict[str, MapOf]
    voted: dict[str, MapOf]
    arrays: dict[str, Any]  # {file: what goes beside the scores}
    facts: Scores


def _of_lessons(judged: Judged, own: MapOf, ids: Labels) -> OfLessons:
    """Return the maps that are judged beside a setting's ``own``, by prefix."""
    if judged.lessons_dir is None:
        return OfLessons({}, {}, {}, {}, {})
    lessons = open_lessons(judged.lessons_dir)
    votes = {frame.name: labels for frame, labels in own_votes(judged.scene, lessons, own)}
    return OfLessons(
        {"teacher_": taught(lessons)},
        {"best_vote_": best_votes(lessons, ids)},
        {"own_vote_": lambda frame: votes.get(frame.name)},
        {VOTES_FILE: {name: labels.astype(np.uint16) for name, labels in votes.items()}},
        {"lessons_sha256": sha256_file(judged.lessons_dir / "manifest.json")},
    )


def _cases(frames: Sequence[Frame], maps: Mapping[str, MapOf], ids: Labels) -> Cases:
    return {prefix: view_cases(frames, map_of, ids) for prefix, map_of in maps.items()}


def view_cases(frames: Sequence[Frame], map_of: MapOf, class_ids: Labels) -> list[Case]:
    """Return a case per view that has a label map."""
    cases = []
    for frame in frames:
        truth = load_truth(frame, class_ids)
        if truth is not None:
            labels = map_of(frame)
            if labels is not None:
                check_known(labels, class_ids, f"class map of view {frame.name}")
            cases.append(judge(OF_VIEWS, frame.name, "", labels, ClassMap(truth, class_ids)))
    return cases


def neighbour_cases(scene: Scene, maps: Mapping[str, MapOf]) -> Cases:
    """Return a case per two neighbouring training views with depth, of each kind of maps."""
    cases: Cases = {prefix: [] for prefix in maps}
    pairs = neighbours(scene.train, lambda frame: {p: map_of(frame) for p, map_of in maps.items()})
    for (first, own), (second, other), shared in pairs:
        for prefix in maps:
            both = own[prefix], other[prefix]
            case = judge(OF_NEIGHBOURS, first.name, second.name, both, shared)
            predicted = all(labels is not None for labels in both)
            cases[prefix].append(case._replace(predicted=predicted))
    return cases


def _metrics(held_out: Cases, trained: Cases, pairs: Cases) -> Numbers:
    """Return all metrics under their prefixes."""
    metrics: Numbers = {}
    for prefix, cases in held_out.items():
        metrics |= prefixed(prefix, aggregate(OF_VIEWS, cases))
    for prefix, cases in trained.items():
        metrics |= prefixed(f"{prefix}train_", aggregate(OF_VIEWS, cases))
    for prefix, cases in pairs.items():
        metrics |= prefixed(prefix, aggregate(OF_NEIGHBOURS, cases))
    return metrics


def iou_of_classes(scene: Scene, cases: Cases, class_ids: Labels) -> dict[str, Any]:
    """Return {prefix + "iou": {class: IoU of all held-out pixels}, "share": {class: its part}}.

    Classes that the held-out views do not show are left out.
    """
    measures: dict[str, Any] = {}
    for prefix, members in cases.items():
        if not members:
            return {}
        iou, share = class_iou(np.sum([case.found[pooled.NAME] for case in members], axis=0))
        names = {entry["id"]: entry["name"] for entry in load_semantics(scene)["classes"]}
        shown = [place for place, part in enumerate(share) if part]
        for key, values in ((f"{prefix}iou", iou), ("share", share)):
            measures[key] = {names[int(class_ids[place])]: float(values[place]) for place in shown}
    return measures


def _verdicts(pairs: Sequence[Case]) -> dict[str, NDArray[np.uint8]]:
    """Return where neighbours contradict each other, by the place of the pair."""
    return {str(index): case.found[consistency.NAME] for index, case in enumerate(pairs)}


def _rows(pairs: Cases) -> list[dict[str, Any]]:
    """Return the numbers of every pair of neighbours."""
    rows = []
    for together in zip(*pairs.values(), strict=True):
        row: dict[str, Any] = {"views": [together[0].frame, together[0].prompt]}
        for prefix, case in zip(pairs, together, strict=True):
            row |= prefixed(prefix, consistency.aggregate([case]))
        rows.append(row)
    return rows


def _missing(scene: Scene, predictions_dir: Path) -> list[str]:
    """Return the views whose class map is missing; each counts as 0."""
    frames = scene.frames
    return [frame.name for frame in frames if not map_path(predictions_dir, frame).is_file()]


def _counts(
    held_out: list[Case], trained: list[Case], pairs: list[Case]
) -> dict[str, dict[str, int]]:
    """Return per protocol how many images or pairs count, and how many lack a class map."""
    of_views = [
        counted([case for case in cases if case.found[pooled.NAME].any()])
        for cases in (held_out, trained)
    ]
    images = of_views[0] | prefixed("train_", of_views[1])
    counts = {protocol.NAME: images for protocol in OF_VIEWS}
    return counts | {protocol.NAME: counted(pairs) for protocol in OF_NEIGHBOURS}


def _absent(scene: Scene, metrics: Numbers) -> dict[str, str]:
    """Return {metric: reason} for what could not be computed from this scene."""
    has_truth = any(frame.labels_path for frame in scene.test)
    reason = "the label maps are void" if has_truth else "no held-out view has a label map"
    reasons = {metric: reason for protocol in OF_VIEWS for metric in protocol.METRICS}
    reason = why_none(scene.train)
    reasons |= {metric: reason for protocol in OF_NEIGHBOURS for metric in protocol.METRICS}
    return {metric: why for metric, why in reasons.items() if metric not in metrics}
