"""Scores of objects selected by a click from what lies on disk: masks against annotations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from semsplat.data.scene import Frame, Scene, load_scene
from semsplat.evaluate import protocols
from semsplat.evaluate.boundary import Mask
from semsplat.evaluate.grounders import PERSON
from semsplat.evaluate.named_objects import Truth
from semsplat.evaluate.prompt_pairs import (
    Numbers,
    Pair,
    by_frame,
    counted,
    grouped,
    identity,
    means,
    missing,
    prefixed,
)
from semsplat.evaluate.protocols import argmax, mask_classes, mask_pairs
from semsplat.evaluate.selections import References, Selection, read_references, read_selections
from semsplat.io import write_json

SCORED = (mask_pairs, mask_classes, argmax)
VARIANTS = {
    "": (*mask_pairs.METRICS, *mask_classes.METRICS, *argmax.METRICS),
    "gaussians_": (*mask_pairs.METRICS, *mask_classes.METRICS),
    "beyond_": mask_pairs.METRICS,
}
"""{prefix: its metrics}, after the grounder's name."""


@dataclass
class Judged:
    """One grounder's scores, view by view."""

    masks: list[Pair] = field(default_factory=list)  # by pixels
    gaussians: list[Pair] = field(default_factory=list)  # by Gaussians, the same pairs
    views: Numbers = field(default_factory=dict)  # {frame: argmax_miou}

    def add(self, frame: str, selection: Selection, truth: Mapping[str, Mask]) -> None:
        """Judge one view by its true masks, at least one."""
        self.masks += pairs_of(frame, selection.masks, truth)
        self.gaussians += pairs_of(frame, selection.gaussians, truth)
        self.views[frame] = argmax.score(selection.classes, selection.scene_prompts, truth)


def score_selections(scene_dir: Path, predictions_dir: Path, out: Path) -> None:
    """Write ``scores.json`` of one setting's selections in the labelled held-out views.

    A pair is a prompt in a view that shows it; one without a prediction counts as 0 and stands in
    ``missing`` behind its grounder.  The name of a metric starts with the grounder's.  After that,
    ``gaussians_`` is of the selected Gaussians instead of pixels, and ``beyond_`` of the pairs
    whose view is not the prompt's reference view.  A prompt that is not grounded has no reference
    view: all its pairs are beyond.  ``protocols`` names the protocol of each metric, ``counts`` is
    about the pairs of all grounders together, ``grounders`` about those of each.  ``views`` holds
    the means of every view, ``prompts`` those of every prompt over views, ``queries`` every pair.

    Args:
        scene_dir: the canonical scene; what `Truth` needs of it is read.
        predictions_dir: a setting's predictions, with ``selections/`` and ``grounding.json`` as
            `semsplat.evaluate.selections` describes.
        out: results/evaluate/{dataset}/{scene}/{setting}/{seed}/scores.json.
    """
    scene = load_scene(scene_dir)
    references, truth = read_references(predictions_dir, scene), Truth(scene)
    judged = judge(scene.test, truth, predictions_dir, references)
    metrics: Numbers = {}
    for name, one in judged.items():
        metrics |= prefixed(f"{name}_", grounder_metrics(one, references[name]))
    everything = together(judged)
    total = counted([pair for one in judged.values() for pair in one.masks])
    scores: dict[str, Any] = {
        **identity(scene, predictions_dir, out),
        "n_views": len({pair.frame for pair in everything}),
        "counts": {protocol.NAME: total for protocol in SCORED},
        "grounders": {n: counts(one.masks, references[n]) for n, one in judged.items()},
        "protocols": {metric: protocol_of(metric) for metric in metrics},
        "protocol": ", ".join(sorted(protocol.NAME for protocol in SCORED)),
        "metrics": metrics,
        "views": view_scores(judged, everything),
        "prompts": prompt_scores(everything),
        "queries": by_frame(everything),
        "missing": [[name, *row] for name, one in judged.items() for row in missing(one.masks)],
        "absent": absent(scene, truth, metrics, list(judged)),
    }
    write_json(out, scores)


def protocol_of(metric: str) -> str:
    """Return the protocol of a metric, whichever grounder, selection and pairs it is about."""
    return protocols.protocol_of("_".join(metric.split("_")[-2:]))


def judge(
    frames: Iterable[Frame], truth: Truth, predictions_dir: Path, references: References
) -> dict[str, Judged]:
    """Return {grounder: its scores} in the labelled frames that show anything.

    A person's own clicks have no truth to be compared with.
    """
    found = {grounder: Judged() for grounder in references if grounder != PERSON}
    for frame in frames:
        masks = truth.masks(frame) if truth.has(frame) else {}
        if masks:
            selections = read_selections(predictions_dir, frame, references)
            for grounder, one in found.items():
                one.add(frame.name, selections[grounder], masks)
    return found


def pairs_of(frame: str, masks: Mapping[str, Mask], truth: Mapping[str, Mask]) -> list[Pair]:
    """Return the pairs of one view, with 0 for prompts that have no mask."""
    found = []
    for prompt, mask in truth.items():
        values = dict.fromkeys(mask_pairs.METRICS, 0.0)
        if prompt in masks:
            values = mask_pairs.score(masks[prompt], mask)
        found.append(Pair(frame, prompt, prompt in masks, values))
    return found


def grounder_metrics(judged: Judged, references: Mapping[str, str]) -> Numbers:
    """Return {metric: value} of one grounder, without its name; nothing of no pairs."""
    found: Numbers = {}
    for prefix, pairs in (("", judged.masks), ("gaussians_", judged.gaussians)):
        found |= prefixed(prefix, means(pairs) | mask_classes.score(grouped(pairs, "prompt")))
    if judged.views:
        found["argmax_miou"] = fmean(judged.views.values())
    return found | prefixed("beyond_", means(beyond(judged.masks, references)))


def beyond(pairs: Sequence[Pair], references: Mapping[str, str]) -> list[Pair]:
    """Return the pairs whose view is not the one in which their prompt was asked."""
    return [pair for pair in pairs if references.get(pair.prompt) != pair.frame]


def counts(pairs: Sequence[Pair], references: Mapping[str, str]) -> dict[str, int]:
    """Return how many pairs a grounder has, beyond reference views, and without a prediction."""
    return {**counted(pairs), "beyond_pairs": len(beyond(pairs, references))}


def together(judged: Mapping[str, Judged]) -> list[Pair]:
    """Return every pair once, with the values of all grounders under the names of the metrics."""
    lists = {f"{name}_": one.masks for name, one in judged.items()}
    lists |= {f"{name}_gaussians_": one.gaussians for name, one in judged.items()}
    found = []
    for pairs in zip(*lists.values(), strict=True):
        values: Numbers = {}
        for prefix, pair in zip(lists, pairs, strict=True):
            values |= prefixed(prefix, pair.values)
        predicted = all(pair.predicted for pair in pairs)
        found.append(Pair(pairs[0].frame, pairs[0].prompt, predicted, values))
    return found


def view_scores(judged: Mapping[str, Judged], everything: Sequence[Pair]) -> dict[str, Numbers]:
    """Return {frame: {metric: its mean over the frame's pairs, or that of its classes}}."""
    found = grouped(everything, "frame")
    for grounder, one in judged.items():
        for frame, value in one.views.items():
            found[frame][f"{grounder}_argmax_miou"] = value
    return found


def prompt_scores(everything: Sequence[Pair]) -> dict[str, Numbers]:
    """Return {prompt: {"views": its frames, metric: mean}}."""
    return {
        prompt: {"views": sum(pair.prompt == prompt for pair in everything), **values}
        for prompt, values in grouped(everything, "prompt").items()
    }


def absent(
    scene: Scene, truth: Truth, metrics: Numbers, grounders: Sequence[str]
) -> dict[str, str]:
    """Return {metric: reason} for what could not be computed from this scene."""
    reasons: dict[str, str] = {}
    labelled = any(truth.has(frame) for frame in scene.test)
    for prefix, names in VARIANTS.items():
        reason = "no labelled held-out view shows anything"
        if not labelled:
            reason = "no held-out view is labelled"
        elif prefix == "beyond_" and metrics:
            reason = "no labelled held-out view shows a prompt that was asked in another view"
        reasons |= {f"{g}_{prefix}{metric}": reason for g in grounders for metric in names}
    return {metric: reason for metric, reason in reasons.items() if metric not in metrics}
