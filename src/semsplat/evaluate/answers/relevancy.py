"""Relevancy maps of the prompts that a scene's annotations name: open-vocabulary search."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, product
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from semsplat.arrays import write_arrays
from semsplat.data.annotations import load_annotations
from semsplat.data.scene import Frame
from semsplat.evaluate.answers import Asked, Judged, Scores
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
from semsplat.evaluate.protocols import protocols_of, select3d
from semsplat.evaluate.relevancy_maps import SILHOUETTES, read_relevancy, read_silhouettes
from semsplat.features.cache import Cache
from semsplat.features.store import open_features
from semsplat.io import sha256_file
from semsplat.log import progress
from semsplat.paths import FIELD_FILE, RELEVANCY

if TYPE_CHECKING:
    from torch import Tensor

    from semsplat.features.queries import Texts
    from semsplat.train.model import SemanticField, TrainedField

PREDICTS_FROM = ("features",)
SCORES_WITH = ()
CASES = ("relevancy", SILHOUETTES)
N_CANONICAL = 4
"""Phrases against which a relevancy is timed (GAGS, Eq. 8)."""
PROTOCOLS = protocols_of("relevancy")
OF_CHOICES = protocols_of(SILHOUETTES)
NO_CHOICES = "the predictions have no silhouettes: no Gaussians were asked"
SPLITS = {"": "held-out", "train_": "training"}
Cases = dict[str, list[Case]]
"""By the prefix of their split."""


def predict(asked: Asked, folder: Path) -> dict[str, Any]:
    """Write ``relevancy/{frame}.npz`` for every annotated view, held out or not.

    ``prompts``: the view's own categories, P strings; of its annotations nothing else is read.
    ``relevancy`` [P, L, H, W] float16 in (0, 1), a map per level.  ``factors`` [3, H, W] float16:
    the shares of sub-part, part and whole, where the method knows them.  ``silhouettes`` [P, H, W]
    float16 in [0, 1]: the opacity of the Gaussians that are relevant each by itself, drawn alone,
    where there are any.
    """
    from semsplat.features.queries import Texts
    from semsplat.train.model import SemanticField, open_field

    assert asked.features_dir is not None
    field = open_field(asked.model_dir, asked.device)
    texts = Texts(open_features(asked.features_dir), asked.device, Cache(asked.cache))
    frames = [frame for frame in asked.scene.frames if frame.annotations_path]
    prompts_of = {frame.name: list(load_annotations(frame)) for frame in frames}
    gaussians = field if isinstance(field, SemanticField) else None
    everything = list(dict.fromkeys(chain(*prompts_of.values())))
    chosen = choose(gaussians, texts, everything) if gaussians else {}
    for frame in progress(frames, "query"):
        if prompts := prompts_of[frame.name]:
            arrays = ask(field, frame, texts, prompts)
            if gaussians:
                arrays[SILHOUETTES] = silhouettes(gaussians, frame, [chosen[p] for p in prompts])
            write_arrays(folder / RELEVANCY / f"{frame.name}.npz", arrays)
    return {"semantics": sha256_file(asked.model_dir / FIELD_FILE)}


def ask(
    field: TrainedField, frame: Frame, texts: Texts, prompts: list[str]
) -> dict[str, np.ndarray]:
    """Return the arrays of one view (see `predict`)."""
    import torch

    from semsplat.evaluate.relevancy import relevancy

    with torch.no_grad():
        said = field.vectors(frame)
        maps = relevancy(said.asked, texts.encode(prompts), texts.canonical)  # [P, L, H, W]
    arrays = {"prompts": np.array(prompts), "relevancy": maps.half().cpu().numpy()}
    if said.factors is not None:
        arrays["factors"] = said.factors.movedim(-1, 0).half().cpu().numpy()
    return arrays


def choose(field: SemanticField, texts: Texts, prompts: list[str]) -> dict[str, Tensor]:
    """Return {prompt: bool [N]}, the Gaussians that are relevant to it, each by itself."""
    from semsplat.evaluate.gaussians import relevancy_of

    if not prompts:
        return {}
    said = relevancy_of(field, texts.encode(prompts), texts.canonical)
    return dict(zip(prompts, said > select3d.CHOSEN, strict=True))


def silhouettes(field: SemanticField, frame: Frame, members: list[Tensor]) -> np.ndarray:
    """Return the opacity float16 [P, H, W] in [0, 1] of chosen Gaussians bool [N], drawn alone."""
    import torch

    from semsplat.evaluate.gaussians import silhouette

    drawn = [silhouette(field, some, frame).clamp(0, 1).half().cpu() for some in members]
    return torch.stack(drawn).numpy()


def time(field: TrainedField, frames: list[Frame]) -> dict[str, float]:
    """Return milliseconds of one prompt asked of one view, and of the two parts of that."""
    import torch

    from semsplat.evaluate.relevancy import relevancy
    from semsplat.evaluate.stopwatch import median_seconds

    device = field.device
    texts = torch.eye(field.facts.shape["out"], device=device)[: 1 + N_CANONICAL]

    def ask_one(frame: Frame) -> Tensor:
        return relevancy(field.vectors(frame).asked, texts[:1], texts[1:])

    with torch.no_grad():
        render = median_seconds(field.drawn, frames, device)
        whole = median_seconds(ask_one, frames, device)
    return {
        "query_ms": round(1000 * whole, 3),
        "render_ms": round(1000 * render, 3),
        "predict_ms": round(1000 * (whole - render), 3),
    }


def score(judged: Judged) -> Scores:
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
    protocols = _answered(scene.frames, judged.predictions_dir)
    pairs = {prefix: _cases(f, judged.predictions_dir, protocols) for prefix, f in frames.items()}
    metrics: Numbers = {}
    for prefix, members in pairs.items():
        for kind in KINDS:
            values = aggregate(protocols, of_kind(members, kind, parts))
            metrics |= prefixed(f"{prefix}{kind}", values)
    everything = [*pairs[""], *pairs["train_"]]
    counts = counted(pairs[""]) | prefixed("train_", counted(pairs["train_"]))
    return {
        "n_views": len({case.frame for case in pairs[""]}),
        "metrics": metrics,
        "views": {f: aggregate(protocols, of) for f, of in grouped(everything, "frame").items()},
        "prompts": _of_prompts(pairs, protocols),
        "queries": by_frame(everything),
        "missing": missing(everything),
        "counts": {protocol.NAME: counts for protocol in protocols},
        "absent": _absent(frames, metrics, parts, protocols),
    }


def _answered(frames: Iterable[Frame], predictions_dir: Path) -> list[ModuleType]:
    """Return the protocols whose cases these predictions hold.

    Predictions of other people's code are maps alone; of ours one that lacks silhouettes in a view
    counts as 0 there.
    """
    annotated = [frame for frame in frames if frame.annotations_path]
    held = (read_silhouettes(predictions_dir, frame) is not None for frame in annotated)
    return [*PROTOCOLS, *(OF_CHOICES if any(held) else ())]


def _cases(
    frames: Iterable[Frame], predictions_dir: Path, protocols: list[ModuleType]
) -> list[Case]:
    """Return all pairs of the annotated frames."""
    cases = []
    for frame in frames:
        if frame.annotations_path is not None:
            maps = read_relevancy(predictions_dir, frame)
            drawn = read_silhouettes(predictions_dir, frame) or {}
            for prompt, truth in load_annotations(frame).items():
                case = judge(PROTOCOLS, frame.name, prompt, maps.get(prompt), truth)
                further = [protocol for protocol in protocols if protocol not in PROTOCOLS]
                chosen = judge(further, frame.name, prompt, drawn.get(prompt), truth)
                cases.append(case._replace(found=case.found | chosen.found))
    return cases


def _of_prompts(pairs: Cases, protocols: list[ModuleType]) -> dict[str, Numbers]:
    """Return {prompt: {"views": its frames, metric: mean}}, prefixed as the metrics are.

    A prompt that only one split shows has no keys of the other.
    """
    rows: dict[str, Numbers] = {}
    for prefix, members in pairs.items():
        for prompt, cases in grouped(members, "prompt").items():
            row = {"views": len(cases), **aggregate(protocols, cases)}
            rows.setdefault(prompt, {}).update(prefixed(prefix, row))
    return rows


def _absent(
    frames: dict[str, tuple[Frame, ...]],
    metrics: Numbers,
    parts: set[str],
    protocols: list[ModuleType],
) -> dict[str, str]:
    """Return {metric: reason} for what could not be computed from this scene."""
    reasons: dict[str, str] = {}
    for prefix, members in frames.items():
        annotated = any(frame.annotations_path for frame in members)
        for kind, protocol in product(KINDS, (*PROTOCOLS, *OF_CHOICES)):
            unasked = annotated and protocol not in protocols
            reason = NO_CHOICES if unasked else why_absent(members, SPLITS[prefix], kind, parts)
            names = (f"{prefix}{kind}{metric}" for metric in protocol.METRICS)
            reasons |= dict.fromkeys(names, reason)
    return {metric: reason for metric, reason in reasons.items() if metric not in metrics}
