"""Scores of open-vocabulary search from what lies on disk: relevancy maps against annotations."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semsplat.data.annotations import Annotation, load_annotations
from semsplat.data.scene import Frame, load_scene
from semsplat.evaluate import protocols
from semsplat.evaluate.prompt_pairs import (
    KINDS,
    Numbers,
    Pair,
    by_frame,
    counted,
    grouped,
    identity,
    means,
    missing,
    of_kind,
    parts_of,
    prefixed,
    why_absent,
)
from semsplat.evaluate.protocols import (
    localisation,
    localisation_scaled,
    segmentation,
    segmentation_frozen,
)
from semsplat.evaluate.queries import read_relevancy
from semsplat.io import write_json

SCORED = (localisation, segmentation, localisation_scaled, segmentation_frozen)
METRICS = tuple(metric for protocol in SCORED for metric in protocol.METRICS)
SPLITS = {"": "held-out", "train_": "training"}


def score_queries(scene_dir: Path, predictions_dir: Path, out: Path) -> None:
    """Write ``scores.json`` of one setting's open-vocabulary search.

    A pair is a prompt in an annotated frame that shows it; one without a prediction counts as 0 and
    stands in ``missing``.  Metrics without prefix are of the annotated held-out frames.  Those with
    ``train_`` are of the annotated training frames: as published, since LangSplat, GAGS and most
    others train on the labelled frames too.  After that, ``object_`` and ``part_`` are of
    the prompts of one granularity, where ``semantics.json`` tells parts.  ``protocols`` names the
    protocol of each.  ``views`` holds the means of every frame, ``prompts`` those of every prompt
    over frames, ``queries`` every pair.

    Args:
        scene_dir: the canonical scene; its annotations are read.
        predictions_dir: a setting's predictions, with ``relevancy/`` as
            `semsplat.evaluate.queries` describes.
        out: results/evaluate/{dataset}/{scene}/{setting}/{seed}/scores.json.
    """
    scene = load_scene(scene_dir)
    parts = parts_of(scene)
    split_frames = {"": scene.test, "train_": scene.train}
    pairs = {prefix: score_frames(f, predictions_dir) for prefix, f in split_frames.items()}
    metrics = {
        f"{prefix}{kind}{name}": value
        for prefix, members in pairs.items()
        for kind in KINDS
        for name, value in means(of_kind(members, kind, parts)).items()
    }
    everything = [*pairs[""], *pairs["train_"]]
    scores: dict[str, Any] = {
        **identity(scene, predictions_dir, out),
        "n_views": len({pair.frame for pair in pairs[""]}),
        "protocols": {metric: protocol_of(metric) for metric in metrics},
        "protocol": ", ".join(sorted(protocol.NAME for protocol in SCORED)),
        "metrics": metrics,
        "views": grouped(everything, "frame"),
        "prompts": prompt_scores(pairs),
        "queries": by_frame(everything),
        "missing": missing(everything),
        "counts": {protocol.NAME: counts(pairs) for protocol in SCORED},
        "absent": absent(split_frames, metrics, parts),
    }
    write_json(out, scores)


def protocol_of(metric: str) -> str:
    """Return the protocol of a metric, whichever frames and prompts it is about."""
    for prefix in ("train_", "object_", "part_"):
        metric = metric.removeprefix(prefix)
    return protocols.protocol_of(metric)


def counts(pairs: dict[str, list[Pair]]) -> dict[str, int]:
    """Return how many pairs either split has, and how many without a prediction."""
    found = {prefix: counted(members) for prefix, members in pairs.items()}
    return {f"{prefix}{key}": n for prefix, row in found.items() for key, n in row.items()}


def score_frames(frames: Iterable[Frame], predictions_dir: Path) -> list[Pair]:
    """Return all pairs of the annotated frames."""
    found = []
    for frame in frames:
        if frame.annotations_path is None:
            continue
        annotations = load_annotations(frame)
        maps = read_relevancy(predictions_dir, frame)
        for prompt, annotation in annotations.items():
            values = score_pair(maps.get(prompt), annotation)
            found.append(Pair(frame.name, prompt, prompt in maps, values))
    return found


def score_pair(relevancy: NDArray[np.floating] | None, truth: Annotation) -> Numbers:
    """Return all metrics of one pair's relevancy [L, H, W]; 0 where there is none."""
    if relevancy is None:
        return dict.fromkeys(METRICS, 0.0)
    return {
        "localisation": localisation.score(relevancy, truth.boxes),
        "query_miou": segmentation.score(relevancy, truth.mask),
        "localisation_scaled": localisation_scaled.score(relevancy, truth.boxes),
        "query_miou_frozen": segmentation_frozen.score(relevancy, truth.mask),
    }


def prompt_scores(pairs: dict[str, list[Pair]]) -> dict[str, Numbers]:
    """Return {prompt: {"views": its frames, metric: mean}}, prefixed as the metrics are.

    A prompt that only one split shows has no keys of the other.
    """
    found: dict[str, Numbers] = {}
    for prefix, members in pairs.items():
        for prompt, values in grouped(members, "prompt").items():
            count = sum(pair.prompt == prompt for pair in members)
            row = {"views": count, **values}
            found.setdefault(prompt, {}).update(prefixed(prefix, row))
    return found


def absent(
    split_frames: dict[str, tuple[Frame, ...]], metrics: Numbers, parts: set[str]
) -> dict[str, str]:
    """Return {metric: reason} for what could not be computed from this scene."""
    reasons: dict[str, str] = {}
    for prefix, frames in split_frames.items():
        for kind in KINDS:
            reason = why_absent(frames, SPLITS[prefix], kind, parts)
            reasons |= {f"{prefix}{kind}{metric}": reason for metric in METRICS}
    return {metric: reason for metric, reason in reasons.items() if metric not in metrics}
