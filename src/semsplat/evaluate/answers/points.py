"""What every Gaussian is by itself, and so what is at points of the scene that are labelled.

Nothing has to be added to a method for it: who answers class maps or relevancy is asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semsplat.data.labelled_points import (
    ClassLists,
    LabelledPoints,
    class_lists,
    own_points,
    seen_points,
)
from semsplat.evaluate.answers import Asked, Judged, Scores
from semsplat.evaluate.cases import Case, Numbers, aggregate, counted, judge, prefixed
from semsplat.evaluate.points import Said, Whereabouts, labels_at, read_said, write_said
from semsplat.evaluate.protocols import protocols_of, scannet_points
from semsplat.evaluate.protocols.image_mean import ClassMap
from semsplat.io import sha256_file
from semsplat.paths import FIELD_FILE

if TYPE_CHECKING:
    from pathlib import Path

    from semsplat.train.model import SemanticField

FOLLOWS = ("classes", "relevancy")
UNLESS = ("pictures",)  # which methods without Gaussians answer
PREDICTS_FROM = ("features",)
SCORES_WITH = ()
CASES = ("points",)
PROTOCOLS = protocols_of("points")


def predict(asked: Asked, folder: Path) -> dict[str, Any]:
    """Write what `semsplat.evaluate.points` describes; nothing where the scene names no class.

    Of the scene the lists of classes are read, and neither depth nor labels.
    """
    from semsplat.train.model import open_gaussians

    lists = class_lists(asked.scene)
    if lists:
        field = open_gaussians(asked.model_dir, asked.device)
        by_class = bool(field.facts.class_ids)
        classes = _by_score(field, lists) if by_class else _by_text(field, lists, asked)
        gaussians = field.trained.gaussians
        means = gaussians["means"].cpu().numpy()
        opacities = gaussians["opacities"].sigmoid().cpu().numpy()
        write_said(folder, Said(means, opacities, classes))
    return {"semantics": sha256_file(asked.model_dir / FIELD_FILE)}


def _by_score(field: SemanticField, lists: ClassLists) -> dict[str, NDArray[np.uint16]]:
    """Return {list: uint16 [N]}, of a method that knows classes."""
    from semsplat.evaluate.gaussians import classes_of

    return {name: classes_of(field, list(known)) for name, known in lists.items()}


def _by_text(
    field: SemanticField, lists: ClassLists, asked: Asked
) -> dict[str, NDArray[np.uint16]]:
    """Return {list: uint16 [N]}, of a method that is asked by the names of classes."""
    from semsplat.evaluate.gaussians import best_of, relevancy_of
    from semsplat.features.cache import Cache
    from semsplat.features.queries import Texts
    from semsplat.features.store import open_features

    assert asked.features_dir is not None
    texts = Texts(open_features(asked.features_dir), asked.device, Cache(asked.cache))
    names = list(dict.fromkeys(name for known in lists.values() for name in known.values()))
    said = relevancy_of(field, texts.encode(names), texts.canonical)
    rows = {name: row for row, name in enumerate(names)}
    return {
        name: best_of(said[[rows[one] for one in known.values()]], list(known))
        for name, known in lists.items()
    }


def score(judged: Judged) -> Scores:
    """Return what ``scores.json`` says of a setting's Gaussians at labelled points.

    Metrics without prefix are of the points that the scene brings, or else of those that held-out
    views show; ``train_`` those of training views; after that a class list's name, where it is not
    that of all classes.  ``counts`` tells how many scenes or views count, and of how many points.
    """
    scene, lists = judged.scene, class_lists(judged.scene)
    said, own = read_said(judged.predictions_dir, lists), own_points(scene)
    groups: dict[str, Iterable[tuple[str, LabelledPoints | None]]] = {"": [("", own)]}
    if own is None:
        views = {"": scene.test, "train_": scene.train}
        groups = {p: ((f.name, seen_points(f)) for f in some) for p, some in views.items()}
    cases = {prefix: _cases(said, lists, some) for prefix, some in groups.items()}
    metrics: Numbers = {}
    for prefix, of_lists in cases.items():
        for name, some in of_lists.items():
            metrics |= prefixed(f"{prefix}{name and name + '_'}", aggregate(PROTOCOLS, some))
    return {
        "metrics": metrics,
        "counts": {protocol.NAME: _counts(cases, own is not None) for protocol in PROTOCOLS},
        "absent": _absent(metrics, bool(lists)),
    }


def _cases(
    said: Said | None, lists: ClassLists, groups: Iterable[tuple[str, LabelledPoints | None]]
) -> dict[str, list[Case]]:
    """Return {list: a case per group of points}; a group without points is left out."""
    cases: dict[str, list[Case]] = {name: [] for name in lists}
    gaussians = Whereabouts(said, scannet_points.OPAQUE) if said else None
    for frame, points in groups:
        if points is None:
            continue
        found = gaussians.at(points.xyz) if gaussians else None
        for name, known in lists.items():
            ids = np.array(sorted(known), np.int32)
            counts = np.isin(points.labels, ids) & (found.counts if found else True)
            truth = ClassMap(np.where(counts, points.labels, 0).astype(np.int32), ids)
            labels = labels_at(said.classes[name], found) if said and found else None
            cases[name].append(judge(PROTOCOLS, frame, "", labels, truth))
    return cases


def _counts(cases: dict[str, dict[str, list[Case]]], brought: bool) -> dict[str, int]:
    """Return how many views, or scenes, have points that count, how many lack a prediction, and
    how many points there are, by the list of all classes."""
    numbers: dict[str, int] = {"brought": int(brought)}
    for prefix, of_lists in cases.items():
        some = [case for case in of_lists.get("", []) if _points(case)]
        found = counted(some) | {"points": sum(map(_points, some))}
        numbers |= prefixed(prefix, found)
    return numbers


def _points(case: Case) -> int:
    return int(case.found[PROTOCOLS[0].NAME].sum())


def _absent(metrics: Numbers, named: bool) -> dict[str, str]:
    """Return {metric: reason} for what could not be computed from this scene."""
    reason = "no held-out view has depth and labels, and the scene brings no labelled points"
    if not named:
        reason = "the scene names no classes"
    names = [metric for protocol in PROTOCOLS for metric in protocol.METRICS]
    return {name: reason for name in names if name not in metrics}
