"""Scores of 2-D features from what lies on disk: labels against truth, and from view to view."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semsplat.data.scene import Frame, Scene, load_scene
from semsplat.errors import SemsplatError
from semsplat.evaluate.confusion import class_ids_of, confusion, label_metrics, load_truth
from semsplat.evaluate.pairs import DIFFERS, compared_pairs
from semsplat.evaluate.protocols import feature_labels as protocol
from semsplat.evaluate.protocols.feature_labels import Labeller
from semsplat.features.store import open_features, write_arrays
from semsplat.io import sha256_file, write_json

Numbers = dict[str, float]


def score_features(scene_dir: Path, features_dir: Path, out: Path) -> None:
    """Write ``scores.json`` under protocol ``features/labels@1``, and ``inconsistency.npz``.

    The archive holds ``names`` [P, 2], the pairs of views, and per kind of labels and pair
    ``{kind}_{index}`` uint8 [H, W] on the first view's pixels, as `feature_labels.compare` returns.

    Args:
        scene_dir: the canonical scene; its truth is read.
        features_dir: the features of the scene under one recipe.
        out: results/evaluate/{dataset}/{scene}/features/{recipe}/scores.json.
    """
    scene, features = load_scene(scene_dir), open_features(features_dir)
    labeller, known = Labeller(features), features.manifest
    views, metrics = score_labels(scene, labeller)
    pairs, consistency, maps = score_pairs(scene, labeller)
    metrics |= consistency
    scores: dict[str, Any] = {
        "protocol": protocol.NAME,
        "dataset": known["dataset"],
        "scene": known["scene"],
        "setting": f"features_{known['recipe']}",
        "recipe": known["recipe"],
        "seed": known["seed"],
        "n_views": len(views),
        "n_truth_views": sum(frame.labels_path is not None for frame in scene.train),
        "n_pairs": len(pairs),
        "absent": absent(scene, labeller, metrics),
        "metrics": metrics,
        "views": views,
        "pairs": pairs,
        "features_sha256": sha256_file(features_dir / "manifest.json"),
        "truth_sha256": sha256_file(scene_dir / "manifest.json"),
    }
    write_arrays(out.with_name("inconsistency.npz"), maps)
    write_json(out, scores)


def score_labels(scene: Scene, labeller: Labeller) -> tuple[dict[str, Numbers], Numbers]:
    """Return accuracy and coverage per training view, and all but inconsistency over the views.

    Keys are ``{kind}_{metric}``; what cannot be computed has none.
    """
    class_ids = class_ids_of(scene)
    matrices: dict[str, NDArray[np.int64]] = {}
    labelled: Counter[str] = Counter()
    pixels: Counter[str] = Counter()
    views: dict[str, Numbers] = {}
    for frame in scene.train:
        row = views[frame.name] = {}
        truth = load_truth(frame, class_ids)
        for kind, labels in labeller.labels(frame.name).items():
            _check_size(labels, frame)
            count = int(np.count_nonzero(labels))
            labelled[kind] += count
            pixels[kind] += labels.size
            row[f"{kind}_coverage"] = count / labels.size
            if truth is not None:
                matrix = confusion(truth, labels, class_ids)
                matrices[kind] = matrices.get(kind, 0) + matrix
                row |= _named(kind, label_metrics(matrix), ("accuracy",))
    metrics = {f"{kind}_coverage": labelled[kind] / pixels[kind] for kind in pixels}
    for kind, matrix in matrices.items():
        metrics |= _named(kind, label_metrics(matrix), protocol.LABEL_MEASURES)
    return views, metrics


def score_pairs(
    scene: Scene, labeller: Labeller
) -> tuple[list[dict[str, Any]], Numbers, dict[str, NDArray]]:
    """Return numbers per pair of neighbouring views, ``{kind}_inconsistency``, and the archive."""
    rows: list[dict[str, Any]] = []
    maps: dict[str, NDArray] = {}
    compared: Counter[str] = Counter()
    differing: Counter[str] = Counter()
    found = compared_pairs(scene.train, lambda frame: labeller.labels(frame.name))
    for index, (first, second, verdicts) in enumerate(found):
        row: dict[str, Any] = {"views": [first.name, second.name]}
        for kind, verdict in verdicts.items():
            counts = np.bincount(verdict.reshape(-1), minlength=3)
            differ, both = int(counts[DIFFERS]), int(counts[1:].sum())
            row[f"{kind}_compared_px"] = both
            row |= {f"{kind}_inconsistency": differ / both} if both else {}
            compared[kind] += both
            differing[kind] += differ
            maps[f"{kind}_{index}"] = verdict
        rows.append(row)
    maps["names"] = np.array([row["views"] for row in rows], str).reshape(-1, 2)
    pooled = {f"{k}_inconsistency": differing[k] / n for k, n in compared.items() if n}
    return rows, pooled, maps


def absent(scene: Scene, labeller: Labeller, metrics: Numbers) -> dict[str, str]:
    """Return {metric: reason} for every metric of the protocol that could not be computed."""
    kinds = labeller.labels(scene.train[0].name)
    has_truth = any(frame.labels_path for frame in scene.train)
    has_depth = any(a.depth_path and b.depth_path for a, b in pairwise(scene.train))
    reasons = {}
    for name in protocol.METRICS:
        kind, metric = name.split("_", maxsplit=1)
        if name in metrics:
            continue
        if kind not in kinds:
            reasons[name] = labeller.absent or f"the recipe makes no {kind} labels"
        elif metric == "inconsistency" and has_depth:
            reasons[name] = "no labelled pixel of a training view shows in the next one"
        elif metric == "inconsistency":
            reasons[name] = "no two consecutive training views have depth"
        elif has_truth:
            reasons[name] = "the label maps of the training views are void"
        else:
            reasons[name] = "no training view has a label map"
    return reasons


def _check_size(labels: NDArray[np.integer], frame: Frame) -> None:
    """Raise unless labels [H, W] have the size of their view."""
    if labels.shape != (frame.height, frame.width):
        raise SemsplatError(
            f"features of view {frame.name}: {labels.shape[1]}x{labels.shape[0]} pixels, but the"
            f" view has {frame.width}x{frame.height}; extract them at the view's size"
        )


def _named(kind: str, values: Numbers, metrics: tuple[str, ...]) -> Numbers:
    """Return the chosen values under ``{kind}_{metric}``."""
    return {f"{kind}_{metric}": values[metric] for metric in metrics if metric in values}
