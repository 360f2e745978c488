"""Scores of open-vocabulary search from what lies on disk: relevancy maps against annotations."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from semsplat.data.annotations import load_annotations
from semsplat.data.scene import Frame
from semsplat.evaluate.answers import Judged, Scores
from semsplat.evaluate.cases import (
    Case,
    Numbers,
    aggregate,
    by_frame,
    counted,
    grouped,
    judge,
    missing,
    prefixed,
)
from semsplat.evaluate.prompt_kinds import KINDS, of_kind, parts_of, why_absent
from semsplat.evaluate.protocols import protocols_of
from semsplat.evaluate.relevancy_maps import read_relevancy

PROTOCOLS = protocols_of("relevancy")
SPLITS = {"": "held-out", "train_": "training"}
Cases = dict[str, list[Case]]
"""By the prefix of their split."""


def relevancy_scores(judged: Judged) -> Scores:
    """Return what ``scores.json`` says of a setting's open-vocabulary search.

    A pair is a prompt in an annotated frame that shows it; one without a prediction counts as 0 and
    stands in ``missing``.  Metrics without prefix are of the annotated held-out frames.  Those with
    ``train_`` are of the annotated training frames: as published, since LangSplat, GAGS and most
    others train on the labelled frames too.  After that, ``object_`` and ``part_`` are of the
    prompts of one granularity, where ``semantics.json`` tells parts.  ``views`` holds the means of
    every frame, ``prompts`` those of every prompt over frames, ``queries`` every pair.
    """
    scene, parts = judged.scene, parts_of(judged.scene)
    frames = {"": scene.test, "train_": scene.train}
    pairs = {prefix: _cases(f, judged.predictions_dir) for prefix, f in frames.items()}
    metrics: Numbers = {}
    for prefix, members in pairs.items():
        for kind in KINDS:
            values = aggregate(PROTOCOLS, of_kind(members, kind, parts))
            metrics |= prefixed(f"{prefix}{kind}", values)
    everything = [*pairs[""], *pairs["train_"]]
    counts = counted(pairs[""]) | prefixed("train_", counted(pairs["train_"]))
    return {
        "n_views": len({case.frame for case in pairs[""]}),
        "metrics": metrics,
        "views": {f: aggregate(PROTOCOLS, of) for f, of in grouped(everything, "frame").items()},
        "prompts": _of_prompts(pairs),
        "queries": by_frame(everything),
        "missing": missing(everything),
        "counts": {protocol.NAME: counts for protocol in PROTOCOLS},
        "absent": _absent(frames, metrics, parts),
    }


def _cases(frames: Iterable[Frame], predictions_dir: Path) -> list[Case]:
    """Return all pairs of the annotated frames."""
    cases = []
    for frame in frames:
        if frame.annotations_path is not None:
            maps = read_relevancy(predictions_dir, frame)
            for prompt, truth in load_annotations(frame).items():
                cases.append(judge(PROTOCOLS, frame.name, prompt, maps.get(prompt), truth))
    return cases


def _of_prompts(pairs: Cases) -> dict[str, Numbers]:
    """Return {prompt: {"views": its frames, metric: mean}}, prefixed as the metrics are.

    A prompt that only one split shows has no keys of the other.
    """
    rows: dict[str, Numbers] = {}
    for prefix, members in pairs.items():
        for prompt, cases in grouped(members, "prompt").items():
            row = {"views": len(cases), **aggregate(PROTOCOLS, cases)}
            rows.setdefault(prompt, {}).update(prefixed(prefix, row))
    return rows


def _absent(
    frames: dict[str, tuple[Frame, ...]], metrics: Numbers, parts: set[str]
) -> dict[str, str]:
    """Return {metric: reason} for what could not be computed from this scene."""
    reasons: dict[str, str] = {}
    for prefix, members in frames.items():
        for kind in KINDS:
            reason = why_absent(members, SPLITS[prefix], kind, parts)
            names = (f"{prefix}{kind}{m}" for protocol in PROTOCOLS for m in protocol.METRICS)
            reasons |= dict.fromkeys(names, reason)
    return {metric: reason for metric, reason in reasons.items() if metric not in metrics}
