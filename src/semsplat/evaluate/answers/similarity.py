"""What is like a click: masks of prompts, by the pixel that each grounder clicks for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semsplat.data.scene import Frame, Scene
from semsplat.evaluate.answers import Asked, Judged, Scores
from semsplat.evaluate.boundary import Mask
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
from semsplat.evaluate.grounders import PERSON, with_clicks
from semsplat.evaluate.named_objects import Truth
from semsplat.evaluate.protocols import mask_pairs, protocols_of
from semsplat.evaluate.protocols.argmax import PromptMap
from semsplat.evaluate.selections import References, Selection, read_references, read_selections
from semsplat.params.evaluate import Evaluate, SelectionsJob
from semsplat.params.features import SamModel
from semsplat.params.hub import HubModel

if TYPE_CHECKING:
    from semsplat.train.model import SemanticField

PREDICTS_FROM = ("features",)
SCORES_WITH = ()
CASES = ("masks", "prompt_maps")
OF_MASKS, OF_MAPS = protocols_of("masks"), protocols_of("prompt_maps")
VARIANTS = {"": [*OF_MASKS, *OF_MAPS], "gaussians_": OF_MASKS, "beyond_": [mask_pairs]}
"""{prefix: its protocols}, after the grounder's name."""


def predict_options(
    evaluate: Evaluate, place: str, sam_models: Mapping[str, SamModel]
) -> SelectionsJob:
    """Return who is asked where to click on a scene, ``dataset/scene``, and a person's clicks."""
    return evaluate.selections_job(place, sam_models)


def models(options: SelectionsJob) -> tuple[HubModel | SamModel | None, ...]:
    """Return the networks that tell where to click."""
    return (options.grounding_dino.model, options.sam) if options.grounding_dino else ()


def modules(options: SelectionsJob) -> list[str]:
    """Return the grounders, which are imported by name."""
    return [f"semsplat.evaluate.grounders.{name}" for name in with_clicks(options.grounders)]


def predict(asked: Asked, folder: Path) -> dict[str, Any]:
    """Write what `write_selections` writes."""
    from semsplat.evaluate.write_selections import write_selections

    return write_selections(asked, folder)


def time(field: SemanticField, frames: list[Frame]) -> dict[str, float]:
    """Return milliseconds of one object's mask in one view (CGC, Eq. 6)."""
    import torch
    from torch import Tensor

    from semsplat.evaluate.selection import THRESHOLD, cosine, selected
    from semsplat.evaluate.stopwatch import median_seconds

    def select(frame: Frame) -> Tensor:
        return selected(cosine(field.blend(frame), field.semantics[:1]), THRESHOLD)

    with torch.no_grad():
        median = median_seconds(select, frames, field.trained.device)
    return {"mask_ms": round(1000 * median, 3)}


@dataclass
class Grounded:
    """One grounder's cases, view by view."""

    masks: list[Case] = field(default_factory=list)  # by pixels
    gaussians: list[Case] = field(default_factory=list)  # by Gaussians, the same pairs
    maps: list[Case] = field(default_factory=list)  # of whole views

    def add(self, frame: str, selection: Selection, truth: Mapping[str, Mask]) -> None:
        """Judge one view by its true masks, at least one."""
        for cases, masks in (
            (self.masks, selection.masks),
            (self.gaussians, selection.gaussians),
        ):
            cases += [judge(OF_MASKS, frame, p, masks.get(p), truth[p]) for p in truth]
        shown = PromptMap(selection.classes, selection.scene_prompts)
        self.maps.append(judge(OF_MAPS, frame, "", shown, truth))


def score(judged: Judged) -> Scores:
    """Return what ``scores.json`` says of a setting's selections in the labelled held-out views.

    A pair is a prompt in a view that shows it; one without a prediction counts as 0 and stands in
    ``missing`` behind its grounder.  The name of a metric starts with the grounder's.  After that,
    ``gaussians_`` is of the selected Gaussians instead of pixels, and ``beyond_`` of the pairs
    whose view is not the prompt's reference view.  A prompt that is not grounded has no reference
    view: all its pairs are beyond.  ``counts`` is about the pairs of all grounders together,
    ``grounders`` about those of each.  ``views`` holds the means of every view, ``prompts`` those
    of every prompt over views, ``queries`` every pair.
    """
    scene, folder = judged.scene, judged.predictions_dir
    references, truth = read_references(folder, scene), Truth(scene)
    grounded = judge_all(scene.test, truth, folder, references)
    metrics: Numbers = {}
    for name, one in grounded.items():
        metrics |= prefixed(f"{name}_", grounder_metrics(one, references[name]))
    everything = together(grounded)
    total = counted([case for one in grounded.values() for case in one.masks])
    return {
        "n_views": len({case.frame for case in everything}),
        "counts": {protocol.NAME: total for protocol in VARIANTS[""]},
        "grounders": {name: _counts(one.masks, references[name]) for name, one in grounded.items()},
        "metrics": metrics,
        "views": _of_views(grounded, everything),
        "prompts": _of_prompts(everything),
        "queries": by_frame(everything),
        "missing": [[name, *row] for name, one in grounded.items() for row in missing(one.masks)],
        "absent": _absent(scene, truth, metrics, list(grounded)),
    }


def judge_all(
    frames: Iterable[Frame], truth: Truth, predictions_dir: Path, references: References
) -> dict[str, Grounded]:
    """Return {grounder: its cases} in the labelled frames that show anything.

    A person's own clicks have no truth to be compared with.
    """
    grounded = {grounder: Grounded() for grounder in references if grounder != PERSON}
    for frame in frames:
        masks = truth.masks(frame) if truth.has(frame) else {}
        if masks:
            selections = read_selections(predictions_dir, frame, references)
            for grounder, one in grounded.items():
                one.add(frame.name, selections[grounder], masks)
    return grounded


def grounder_metrics(one: Grounded, references: Mapping[str, str]) -> Numbers:
    """Return {metric: value} of one grounder, without its name; nothing of no pairs."""
    metrics = aggregate(OF_MASKS, one.masks) | aggregate(OF_MAPS, one.maps)
    metrics |= prefixed("gaussians_", aggregate(OF_MASKS, one.gaussians))
    elsewhere = aggregate(VARIANTS["beyond_"], beyond(one.masks, references))
    return metrics | prefixed("beyond_", elsewhere)


def beyond(pairs: Sequence[Case], references: Mapping[str, str]) -> list[Case]:
    """Return the pairs whose view is not the one in which their prompt was asked."""
    return [case for case in pairs if references.get(case.prompt) != case.frame]


def _counts(pairs: Sequence[Case], references: Mapping[str, str]) -> dict[str, int]:
    """Return how many pairs a grounder has, beyond reference views, and without a prediction."""
    return {**counted(pairs), "beyond_pairs": len(beyond(pairs, references))}


def together(grounded: Mapping[str, Grounded]) -> list[Case]:
    """Return every pair once, with the values of all grounders under the names of the metrics."""
    lists = {f"{name}_": one.masks for name, one in grounded.items()}
    lists |= {f"{name}_gaussians_": one.gaussians for name, one in grounded.items()}
    joint = []
    for cases in zip(*lists.values(), strict=True):
        values: Numbers = {}
        for prefix, case in zip(lists, cases, strict=True):
            values |= prefixed(prefix, case.values)
        predicted = all(case.predicted for case in cases)
        joint.append(Case(cases[0].frame, cases[0].prompt, predicted, {mask_pairs.NAME: values}))
    return joint


def _of_views(grounded: Mapping[str, Grounded], everything: Sequence[Case]) -> dict[str, Numbers]:
    """Return {frame: {metric: its mean over the frame's pairs, or that of its classes}}."""
    groups = grouped(everything, "frame")
    views = {frame: mask_pairs.aggregate(cases) for frame, cases in groups.items()}
    for grounder, one in grounded.items():
        for case in one.maps:
            views[case.frame] |= prefixed(f"{grounder}_", case.values)
    return views


def _of_prompts(everything: Sequence[Case]) -> dict[str, Numbers]:
    """Return {prompt: {"views": its frames, metric: mean}}."""
    return {
        prompt: {"views": len(cases), **mask_pairs.aggregate(cases)}
        for prompt, cases in grouped(everything, "prompt").items()
    }


def _absent(
    scene: Scene, truth: Truth, metrics: Numbers, grounders: Sequence[str]
) -> dict[str, str]:
    """Return {metric: reason} for what could not be computed from this scene."""
    reasons: dict[str, str] = {}
    labelled = any(truth.has(frame) for frame in scene.test)
    for prefix, protocols in VARIANTS.items():
        reason = "no labelled held-out view shows anything"
        if not labelled:
            reason = "no held-out view is labelled"
        elif prefix == "beyond_" and metrics:
            reason = "no labelled held-out view shows a prompt that was asked in another view"
        names = [metric for protocol in protocols for metric in protocol.METRICS]
        reasons |= {f"{g}_{prefix}{metric}": reason for g in grounders for metric in names}
    return {metric: reason for metric, reason in reasons.items() if metric not in metrics}
