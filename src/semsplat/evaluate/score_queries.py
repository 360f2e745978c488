"""Scores of open-vocabulary search from what lies on disk: relevancy maps against annotations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semsplat.data.annotate import part_prompts
from semsplat.data.annotations import Annotation, load_annotations
from semsplat.data.scene import Frame, Scene, load_scene, load_semantics
from semsplat.evaluate.protocols import (
    localisation,
    localisation_scaled,
    segmentation,
    segmentation_frozen,
)
from semsplat.evaluate.queries import read_relevancy
from semsplat.io import sha256_file, write_json

PROTOCOLS = {
    metric: protocol.NAME
    for protocol in (localisation, segmentation, localisation_scaled, segmentation_frozen)
    for metric in protocol.METRICS
}
SPLITS = {"": "held-out", "train_": "training"}
KINDS = ("", "object_", "part_")
Numbers = dict[str, float]


class Pair(NamedTuple):
    """One prompt in one frame that shows it."""

    frame: str
    prompt: str
    predicted: bool
    values: Numbers  # {metric: value}


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
    dataset, name, setting, seed = out.parts[-5:-1]
    scores: dict[str, Any] = {
        "dataset": dataset,
        "scene": name,
        "setting": setting,
        "seed": int(seed),
        "n_views": len({pair.frame for pair in pairs[""]}),
        "size_px": [scene.frames[0].width, scene.frames[0].height],
        "protocols": {metric: protocol_of(metric) for metric in metrics},
        "protocol": ", ".join(sorted(PROTOCOLS.values())),
        "metrics": metrics,
        "views": _grouped([*pairs[""], *pairs["train_"]], "frame"),
        "prompts": prompt_scores(pairs),
        "queries": _by_frame([*pairs[""], *pairs["train_"]]),
        "missing": [
            [pair.frame, pair.prompt]
            for members in pairs.values()
            for pair in members
            if not pair.predicted
        ],
        "absent": absent(split_frames, metrics, parts),
        "predictions_sha256": sha256_file(predictions_dir / "manifest.json"),
        "truth_sha256": sha256_file(scene_dir / "manifest.json"),
    }
    write_json(out, scores)


def protocol_of(metric: str) -> str:
    """Return the protocol of a metric, whichever frames and prompts it is about."""
    for prefix in ("train_", "object_", "part_"):
        metric = metric.removeprefix(prefix)
    return PROTOCOLS[metric]


def parts_of(scene: Scene) -> set[str]:
    """Return the prompts that ask for parts; none where ``semantics.json`` tells no parts."""
    if not (scene.scene_dir / "semantics.json").is_file():
        return set()
    return set(part_prompts(load_semantics(scene).get("objects", [])))


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
        return dict.fromkeys(PROTOCOLS, 0.0)
    return {
        "localisation": localisation.score(relevancy, truth.boxes),
        "query_miou": segmentation.score(relevancy, truth.mask),
        "localisation_scaled": localisation_scaled.score(relevancy, truth.boxes),
        "query_miou_frozen": segmentation_frozen.score(relevancy, truth.mask),
    }


def of_kind(pairs: Sequence[Pair], kind: str, parts: set[str]) -> list[Pair]:
    """Return the pairs of a granularity: all, or objects or parts where these are told."""
    if not kind:
        return list(pairs)
    return [pair for pair in pairs if parts and (pair.prompt in parts) == (kind == "part_")]


def means(pairs: Sequence[Pair]) -> Numbers:
    """Return the plain mean of every metric over pairs; nothing of none."""
    if not pairs:
        return {}
    return {metric: fmean(pair.values[metric] for pair in pairs) for metric in PROTOCOLS}


def prompt_scores(pairs: dict[str, list[Pair]]) -> dict[str, Numbers]:
    """Return {prompt: {"views": its frames, metric: mean}}, prefixed as the metrics are.

    A prompt that only one split shows has no keys of the other.
    """
    found: dict[str, Numbers] = {}
    for prefix, members in pairs.items():
        for prompt, values in _grouped(members, "prompt").items():
            count = sum(pair.prompt == prompt for pair in members)
            row = {"views": count, **values}
            found.setdefault(prompt, {}).update({f"{prefix}{k}": v for k, v in row.items()})
    return found


def absent(
    split_frames: dict[str, tuple[Frame, ...]], metrics: Numbers, parts: set[str]
) -> dict[str, str]:
    """Return {metric: reason} for what could not be computed from this scene."""
    reasons: dict[str, str] = {}
    for prefix, frames in split_frames.items():
        annotated = any(frame.annotations_path for frame in frames)
        for kind in KINDS:
            what = {"object_": "an object", "part_": "a part"}.get(kind, "anything")
            reason = f"no annotated {SPLITS[prefix]} view shows {what}"
            if not annotated:
                reason = f"no {SPLITS[prefix]} view is annotated"
            elif kind and not parts:
                reason = "semantics.json does not tell parts from objects"
            reasons |= {f"{prefix}{kind}{metric}": reason for metric in PROTOCOLS}
    return {metric: reason for metric, reason in reasons.items() if metric not in metrics}


def _grouped(pairs: Sequence[Pair], key: str) -> dict[str, Numbers]:
    """Return the means over the pairs of each frame or prompt."""
    names = dict.fromkeys(getattr(pair, key) for pair in pairs)
    return {name: means([p for p in pairs if getattr(p, key) == name]) for name in names}


def _by_frame(pairs: Sequence[Pair]) -> dict[str, dict[str, Numbers]]:
    """Return {frame: {prompt: values}}."""
    found: dict[str, dict[str, Numbers]] = {}
    for pair in pairs:
        found.setdefault(pair.frame, {})[pair.prompt] = pair.values
    return found
