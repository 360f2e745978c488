"""Scores of a trained setting from what lies on disk: colours and class maps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from semsplat.data.scene import Frame, Scene, load_ids, load_scene, load_semantics
from semsplat.evaluate import protocols
from semsplat.evaluate.confusion import (
    Labels,
    check_known,
    class_ids_of,
    class_iou,
    confusion,
    load_truth,
)
from semsplat.evaluate.pairs import compared_pairs
from semsplat.evaluate.protocols import consistency, image_mean, pooled
from semsplat.evaluate.score import rgb_scores
from semsplat.features.lessons import Lessons, open_lessons
from semsplat.features.store import write_arrays
from semsplat.io import sha256_file, write_json
from semsplat.paths import CLASSES

Number = TypeVar("Number", int, float)
Maps = Callable[[Frame], Labels]
Counts = dict[str, NDArray[np.int64]]
"""The confusion matrix of every view that has a label map, by name."""


def score_setting(
    scene_dir: Path, predictions_dir: Path, lessons_dir: Path, out: Path, lpips_net: str
) -> None:
    """Write ``scores.json`` of one training, and ``inconsistency.npz`` beside it.

    ``metrics`` are those of the held-out views; with ``train_`` those of the training views; with
    ``teacher_`` those of the labels that were taught, on the same views, and with ``best_vote_``
    those of `best_votes`.  ``protocols`` names the protocol of each.  ``classes`` holds the IoU of
    every class over the held-out views, with the same prefixes, and its share of the pixels.  The
    archive holds the verdicts of neighbouring training views, ``{index}``.
    """
    scene = load_scene(scene_dir)
    scores = rgb_scores(scene, predictions_dir, out, lpips_net)
    lessons = open_lessons(lessons_dir)
    class_ids = class_ids_of(scene)
    maps = {"": predicted(predictions_dir), "teacher_": taught(lessons)}
    all_maps = {**maps, "best_vote_": best_votes(lessons, class_ids)}
    held_out = {p: count_views(scene.test, m, class_ids) for p, m in all_maps.items()}
    trained = {p: count_views(scene.train, m, class_ids) for p, m in all_maps.items()}
    for prefix in all_maps:
        scores["metrics"] |= _named(prefix, score_views(held_out[prefix]))
        scores["metrics"] |= _named(f"{prefix}train_", score_views(trained[prefix]))
    scores["classes"] = score_classes(scene, held_out, class_ids)
    missing = missing_classes(scene, predictions_dir)
    compared = {**maps, "": unlike_any(maps[""], missing)}
    pairs, metrics, verdicts = score_pairs(scene, compared)
    scores["metrics"] |= metrics
    scores["pairs"] = pairs
    for name, matrix in held_out[""].items():
        scores["views"][name] |= image_mean.score([matrix])
    scores["protocols"] = {metric: protocol_of(metric) for metric in scores["metrics"]}
    scores["protocol"] = ", ".join(sorted(set(scores["protocols"].values())))
    scores["missing_classes"] = missing
    scores["counts"] |= counts(held_out[""], trained[""], pairs, missing)
    scores["absent"] |= absent(scene, scores["metrics"])
    scores["lessons_sha256"] = sha256_file(lessons_dir / "manifest.json")
    write_arrays(out.with_name("inconsistency.npz"), verdicts)
    write_json(out, scores)


def protocol_of(metric: str) -> str:
    """Return the protocol of a metric, whichever views and labels it is about."""
    for prefix in ("teacher_", "best_vote_", "train_"):
        metric = metric.removeprefix(prefix)
    return protocols.protocol_of(metric)


def predicted(predictions_dir: Path) -> Maps:
    """Return what reads a view's predicted class ids int32 [H, W]; all 0 where there are none."""

    def classes(frame: Frame) -> Labels:
        path = predictions_dir / CLASSES / f"{frame.name}.png"
        if not path.is_file():
            return np.zeros((frame.height, frame.width), np.int32)
        return load_ids(path, frame)

    return classes


def unlike_any(maps_of: Maps, missing: list[str]) -> Maps:
    """Return maps of which each missing one has a class of its own, so that it differs from all.

    Its zeros would not be compared, and a method would be the more consistent the less it predicts.
    """

    def classes(frame: Frame) -> Labels:
        found = maps_of(frame)
        name = frame.name
        return np.full_like(found, -1 - missing.index(name)) if name in missing else found

    return classes


def taught(lessons: Lessons) -> Maps:
    """Return what reads a view's taught class ids int32 [H, W], 0 where nothing is taught."""
    class_of = np.array([0, *lessons.class_ids], np.int32)
    return lambda frame: class_of[lessons.view(frame.name).labels]


def best_votes(lessons: Lessons, class_ids: Labels) -> Maps:
    """Return the best that any vote of a view's own regions could say, int32 [H, W].

    Every region takes its most frequent true class; pixels outside all regions, and views without a
    label map, keep what was taught.  No label that is constant on regions is right more often.
    """
    own = taught(lessons)

    def best(frame: Frame) -> Labels:
        labels, truth = own(frame), load_truth(frame, class_ids)
        if truth is None:
            return labels
        regions = lessons.view(frame.name).regions
        counted = (regions >= 0) & (truth > 0)
        votes = np.zeros((int(regions.max(initial=-1)) + 1, int(truth.max(initial=0)) + 1), int)
        np.add.at(votes, (regions[counted], truth[counted]), 1)
        winners = votes.argmax(axis=1) if votes.size else np.zeros(1, int)
        return np.where(regions >= 0, winners[regions], labels).astype(np.int32)

    return best


def score_classes(scene: Scene, counts: dict[str, Counts], class_ids: Labels) -> dict[str, Any]:
    """Return {prefix + "iou": {class: IoU of all held-out pixels}, "share": {class: its part}}.

    Classes that the held-out views do not show are left out.
    """
    found: dict[str, Any] = {}
    for prefix, matrices in counts.items():
        if not matrices:
            return {}
        iou, share = class_iou(np.sum([*matrices.values()], axis=0))
        names = {entry["id"]: entry["name"] for entry in load_semantics(scene)["classes"]}
        shown = [place for place, part in enumerate(share) if part]
        for key, values in ((f"{prefix}iou", iou), ("share", share)):
            found[key] = {names[int(class_ids[place])]: float(values[place]) for place in shown}
    return found


def score_views(matrices: Counts) -> dict[str, float]:
    """Return the metrics of both protocols over views."""
    return image_mean.score(matrices.values()) | pooled.score(matrices.values())


def count_views(frames: Sequence[Frame], maps_of: Maps, class_ids: Labels) -> Counts:
    """Return the confusion matrix of every view that has a label map."""
    matrices = {}
    for frame in frames:
        truth = load_truth(frame, class_ids)
        if truth is not None:
            labels = maps_of(frame)
            check_known(labels, class_ids, f"class map of view {frame.name}")
            matrices[frame.name] = confusion(truth, labels, class_ids)
    return matrices


def score_pairs(
    scene: Scene, maps: dict[str, Maps]
) -> tuple[list[dict[str, Any]], dict[str, float], dict[str, NDArray[np.uint8]]]:
    """Return numbers per pair of neighbouring training views, pooled metrics, and the verdicts."""
    found = compared_pairs(scene.train, lambda f: {prefix: m(f) for prefix, m in maps.items()})
    rows, verdicts = [], {prefix: [] for prefix in maps}  # type: ignore[var-annotated]
    for first, second, by_prefix in found:
        row: dict[str, Any] = {"views": [first.name, second.name]}
        for prefix, verdict in by_prefix.items():
            verdicts[prefix].append(verdict)
            differing = consistency.share([verdict])
            row |= {} if differing is None else {f"{prefix}inconsistency": differing}
        rows.append(row)
    shares = {f"{prefix}inconsistency": consistency.share(v) for prefix, v in verdicts.items()}
    metrics = {name: value for name, value in shares.items() if value is not None}
    return rows, metrics, {str(index): v for index, v in enumerate(verdicts[""])}


def missing_classes(scene: Scene, predictions_dir: Path) -> list[str]:
    """Return the views whose class map is missing; each counts as 0."""
    names = [frame.name for frame in scene.frames]
    return [n for n in names if not (predictions_dir / CLASSES / f"{n}.png").is_file()]


def counts(
    held_out: Counts, trained: Counts, pairs: list[dict[str, Any]], missing: list[str]
) -> dict[str, dict[str, int]]:
    """Return per protocol how many images or pairs count, and how many lack a class map."""
    images = counted(held_out, missing) | _named("train_", counted(trained, missing))
    lacking = [row for row in pairs if not set(missing).isdisjoint(row["views"])]
    neighbours = {"pairs": len(pairs), "missing": len(lacking)}
    return {image_mean.NAME: images, pooled.NAME: images, consistency.NAME: neighbours}


def counted(matrices: Counts, missing: list[str]) -> dict[str, int]:
    """Return how many images have a pixel that counts, and how many of them have no class map."""
    names = [name for name, matrix in matrices.items() if matrix.any()]
    return {"pairs": len(names), "missing": sum(name in missing for name in names)}


def absent(scene: Scene, metrics: dict[str, float]) -> dict[str, str]:
    """Return {metric: reason} for what could not be computed from this scene."""
    has_truth = any(frame.labels_path for frame in scene.test)
    reason = "the label maps are void" if has_truth else "no held-out view has a label map"
    reasons = dict.fromkeys((*image_mean.METRICS, *pooled.METRICS), reason)
    has_depth = any(a.depth_path and b.depth_path for a, b in pairwise(scene.train))
    reason = (
        "no labelled pixel of a training view shows in the next one"
        if has_depth
        else "no two consecutive training views have depth"
    )
    reasons |= dict.fromkeys(consistency.METRICS, reason)
    return {metric: why for metric, why in reasons.items() if metric not in metrics}


def _named(prefix: str, values: dict[str, Number]) -> dict[str, Number]:
    return {f"{prefix}{name}": value for name, value in values.items()}
