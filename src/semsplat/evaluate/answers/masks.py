"""What a prompt's mask in one view means in all others: masks of what it asks for.

A grounder finds the mask in the prompt's reference view: the first held-out view that shows what it
asks for, or where none does the first annotated training view.  A prompt is a text, asked once
whoever names it: CGC's Tables 1 and 2 are about the single objects of held-out views
(`named_objects.Truth`), GAGS's Tables 1 and 2 about what the scene's annotations name in held-out
and in training views.  Grounders that give no masks are not asked.

A method that answers texts alone, with ``vectors``, is asked by the prompt's text; the grounder's
mask it does not see (`semsplat.evaluate.text_masks`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semsplat.data.annotations import load_annotations
from semsplat.data.scene import Frame, Scene
from semsplat.evaluate.answers import Asked, Judged, Scores
from semsplat.evaluate.answers.similarity import beyond, models
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
from semsplat.evaluate.named_objects import Truth
from semsplat.evaluate.prompt_kinds import KINDS, of_kind, parts_of, why_absent
from semsplat.evaluate.protocols import mask_pairs, protocols_of
from semsplat.evaluate.selections import References, read_masks, read_references
from semsplat.params.evaluate import Evaluate, SelectionsJob
from semsplat.params.features import SamModel
from semsplat.train.methods import method

if TYPE_CHECKING:
    from semsplat.train.model import TrainedField

__all__ = ["models"]
PREDICTS_FROM = ("features",)
SCORES_WITH = ()
CASES = ("masks", "query_masks")
OF_OBJECTS, OF_QUERIES = protocols_of("masks"), protocols_of("query_masks")
SPLITS = {"": "held-out", "train_": "training"}


def predict_options(
    evaluate: Evaluate, place: str, sam_models: Mapping[str, SamModel]
) -> SelectionsJob:
    """Return who is asked for masks on a scene, ``dataset/scene``; a person's clicks have none."""
    return evaluate.selections_job(place, sam_models).model_copy(update={"clicks": {}})


def modules(options: SelectionsJob) -> list[str]:
    """Return the grounders, which are imported by name."""
    return [f"semsplat.evaluate.grounders.{name}" for name in options.grounders]


def predict(asked: Asked, folder: Path) -> dict[str, Any]:
    """Write what `write_masks` writes."""
    from semsplat.evaluate.write_masks import write_masks

    return write_masks(asked, folder)


def time(field: TrainedField, frames: list[Frame]) -> dict[str, float]:
    """Return milliseconds of one prompt in one view, by parts, after its mask is known.

    ``render_ms`` and ``predict_ms``: what `select` takes, projection and blending apart.
    ``ask_ms``: what it takes to make of a mask, here the middle ninth of a view, what is asked
    by.  What finds the mask is not in it.  Nothing of a method whose masks are cut from its
    relevancy: that is timed as relevancy.
    """
    if not hasattr(method(field.facts.method), "select"):
        return {}
    import torch
    from torch import Tensor

    from semsplat.evaluate.stopwatch import median_seconds
    from semsplat.train.methods import Reference
    from semsplat.train.model import SemanticField

    assert isinstance(field, SemanticField)  # what has `select` has Gaussians
    device, kind = field.trained.device, method(field.facts.method)
    text = torch.eye(field.facts.shape.get("out", 1), device=device)[0]

    def ask(frame: Frame) -> Tensor:
        mask = torch.zeros(frame.height, frame.width, dtype=torch.bool, device=device)
        rows, columns = frame.height // 3, frame.width // 3
        mask[rows : 2 * rows, columns : 2 * columns] = True
        query: Tensor = kind.query(field, Reference(frame, mask, text))
        return query

    with torch.no_grad():
        queries = ask(frames[0])[None]
        render = median_seconds(field.blend, frames, device)
        whole = median_seconds(lambda frame: kind.select(field, frame, queries), frames, device)
        asking = median_seconds(ask, frames, device)
    return {
        "render_ms": round(1000 * render, 3),
        "predict_ms": round(1000 * (whole - render), 3),
        "ask_ms": round(1000 * asking, 3),
    }


@dataclass
class Answered:
    """One grounder's cases, view by view."""

    objects: list[Case] = field(default_factory=list)  # single ones, of held-out views
    queries: dict[str, list[Case]] = field(default_factory=dict)  # annotated, by split's prefix

    @property
    def everything(self) -> list[Case]:
        """All cases; a pair that both know stands twice."""
        return [*self.objects, *(case for cases in self.queries.values() for case in cases)]


def score(judged: Judged) -> Scores:
    """Return what ``scores.json`` says of a setting's masks.

    Pairs of a prompt and a view that shows it are of two kinds: single objects of labelled held-out
    views, and what annotations name in held-out views and, with ``train_``, in training views.  A
    pair without a prediction counts as 0 and stands in ``missing`` behind its grounder.  The name
    of a metric starts with the grounder's.  After that, of objects, ``beyond_`` is of the pairs
    whose view is not the prompt's reference view; of annotations, ``object_`` and ``part_`` are of
    prompts of one granularity.  ``counts`` is about the pairs of all grounders together,
    ``grounders`` about those of each.  ``views``, ``prompts`` and ``queries`` hold the means of
    every view and of every prompt, and every pair.
    """
    scene, folder = judged.scene, judged.predictions_dir
    references = read_references(folder, scene)
    answered = judge_all(scene, folder, references)
    metrics: Numbers = {}
    for name, one in answered.items():
        metrics |= prefixed(f"{name}_", grounder_metrics(one, references[name], parts_of(scene)))
    everything = together(answered)
    return {
        "n_views": len({case.frame for case in everything}),
        "counts": _total(answered),
        "grounders": {
            name: {**counted(one.objects), "beyond_pairs": len(beyond(one.objects, of))}
            for (name, one), of in zip(answered.items(), references.values(), strict=True)
        },
        "metrics": metrics,
        "views": _grouped(everything, "frame"),
        "prompts": _grouped(everything, "prompt"),
        "queries": by_frame(everything),
        "missing": [[name, *row] for name, one in answered.items() for row in _missing(one)],
        "absent": _absent(scene, metrics, list(answered)),
    }


def judge_all(scene: Scene, predictions_dir: Path, references: References) -> dict[str, Answered]:
    """Return {grounder: its cases}."""
    truth, answered = Truth(scene), {name: Answered() for name in references}
    for prefix, frames in {"": scene.test, "train_": scene.train}.items():
        for frame in frames:
            objects = truth.masks(frame) if not prefix and truth.has(frame) else {}
            named = load_annotations(frame) if frame.annotations_path else {}
            found = read_masks(predictions_dir, frame, references) if objects or named else {}
            for name, masks in found.items():
                one, said = answered[name], masks.get
                one.objects += _cases(OF_OBJECTS, frame, said, objects)
                one.queries.setdefault(prefix, []).extend(_cases(OF_QUERIES, frame, said, named))
    return answered


def _cases(
    protocols: list[Any], frame: Frame, said: Any, truth: Mapping[str, Any]
) -> Iterator[Case]:
    """Yield the case of every prompt that a frame shows."""
    return (judge(protocols, frame.name, p, said(p), shown) for p, shown in truth.items())


def grounder_metrics(one: Answered, references: Mapping[str, str], parts: set[str]) -> Numbers:
    """Return {metric: value} of one grounder, without its name; nothing of no pairs."""
    metrics = aggregate(OF_OBJECTS, one.objects)
    metrics |= prefixed("beyond_", aggregate([mask_pairs], beyond(one.objects, references)))
    for split, cases in one.queries.items():
        for kind in KINDS:
            values = aggregate(OF_QUERIES, of_kind(cases, kind, parts))
            metrics |= prefixed(f"{split}{kind}", values)
    return metrics


def together(answered: Mapping[str, Answered]) -> list[Case]:
    """Return every pair once, with the values of all grounders and both kinds of truth."""
    rows: dict[tuple[str, str], Numbers] = {}
    for name, one in answered.items():
        for case in one.everything:
            values = rows.setdefault((case.frame, case.prompt), {})
            values.update(prefixed(f"{name}_", case.values))
    return [Case(*pair, True, {"": values}) for pair, values in rows.items()]


def _missing(one: Answered) -> list[list[str]]:
    """Return [frame, prompt] of every pair without a prediction, each once."""
    return [list(pair) for pair in dict.fromkeys(map(tuple, missing(one.everything)))]


def _total(answered: Mapping[str, Answered]) -> dict[str, dict[str, int]]:
    """Return how many pairs each protocol has of all grounders together."""
    objects = counted([case for one in answered.values() for case in one.objects])
    of_split = {
        split: [case for one in answered.values() for case in one.queries.get(split, [])]
        for split in SPLITS
    }
    queries: dict[str, int] = {}
    for split, cases in of_split.items():
        queries |= prefixed(split, counted(cases))
    named = {protocol.NAME: objects for protocol in OF_OBJECTS}
    return named | {protocol.NAME: queries for protocol in OF_QUERIES}


def _grouped(everything: Iterable[Case], key: str) -> dict[str, Numbers]:
    """Return {frame or prompt: {metric: its mean over the pairs that have it}}."""
    found: dict[str, Numbers] = {}
    for name, cases in grouped(list(everything), key).items():
        columns: dict[str, list[float]] = {}
        for case in cases:
            for metric, value in case.values.items():
                columns.setdefault(metric, []).append(value)
        found[name] = {metric: sum(of) / len(of) for metric, of in columns.items()}
    return found


def _absent(scene: Scene, metrics: Numbers, grounders: list[str]) -> dict[str, str]:
    """Return {metric: reason} for what could not be computed from this scene."""
    reasons, parts = {}, parts_of(scene)
    objects = [m for protocol in OF_OBJECTS for m in protocol.METRICS]
    elsewhere = [f"beyond_{metric}" for metric in mask_pairs.METRICS]
    named = dict.fromkeys(objects, "no labelled held-out view shows anything")
    named |= dict.fromkeys(elsewhere, "no labelled held-out view shows a prompt asked elsewhere")
    for split, word in SPLITS.items():
        frames = scene.train if split else scene.test
        for kind in KINDS:
            keys = [f"{split}{kind}{m}" for p in OF_QUERIES for m in p.METRICS]
            named |= dict.fromkeys(keys, why_absent(frames, word, kind, parts))
    reasons = {f"{grounder}_{key}": why for grounder in grounders for key, why in named.items()}
    return {metric: reason for metric, reason in reasons.items() if metric not in metrics}
