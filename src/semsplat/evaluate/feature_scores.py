"""Scores of 2-D features from what lies on disk: labels against truth, and from view to view."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semsplat.arrays import write_arrays
from semsplat.data.scene import Frame, Scene, load_scene
from semsplat.errors import SemsplatError
from semsplat.evaluate.cases import Case, Numbers, judge, prefixed
from semsplat.evaluate.confusion import class_ids_of, load_truth
from semsplat.evaluate.labeller import Labeller
from semsplat.evaluate.pairs import NOT_COMPARED, neighbours, why_none
from semsplat.evaluate.protocols import consistency
from semsplat.evaluate.protocols import feature_labels as protocol
from semsplat.evaluate.protocols.image_mean import ClassMap
from semsplat.evaluate.things import measure_things
from semsplat.features.store import open_features
from semsplat.io import sha256_file, write_sealed

Cases = dict[str, list[Case]]
"""By the kind of labels."""
OF_A_VIEW = ("accuracy", "coverage")


class Pair(NamedTuple):
    """Two neighbouring views."""

    names: list[str]
    cases: dict[str, Case]  # by the kind of labels


def score_features(scene_dir: Path, features_dir: Path, out: Path) -> None:
    """Write ``scores.json`` under protocol ``features/labels@1``, and ``inconsistency.npz``.

    The archive holds ``names`` [P, 2], the pairs of views, and per kind of labels and pair
    ``{kind}_{index}`` uint8 [H, W] on the first view's pixels, as `compare` returns.  ``things``
    is what `measure_things` says of the scene under this recipe.

    Args:
        scene_dir: the canonical scene; its truth is read.
        features_dir: the features of the scene under one recipe.
        out: results/evaluate/{dataset}/{scene}/features/{recipe}/{seed or all}/scores.json.
    """
    scene, features = load_scene(scene_dir), open_features(features_dir)
    labeller, known = Labeller(features), features.manifest
    labels, neighbouring = view_cases(scene, labeller), neighbour_cases(scene, labeller)
    metrics: Numbers = {}
    for kind in protocol.KINDS:
        compared = [pair.cases[kind] for pair in neighbouring if kind in pair.cases]
        of_kind = protocol.aggregate(labels.get(kind, [])) | consistency.aggregate(compared)
        metrics |= prefixed(f"{kind}_", of_kind)
    views, pairs = _of_views(labels, scene), _rows(neighbouring)
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
        "absent": _absent(scene, labeller, metrics),
        "metrics": metrics,
        "views": views,
        "pairs": pairs,
        "things": measure_things(scene, features),
        "features_sha256": sha256_file(features_dir / "manifest.json"),
        "truth_sha256": sha256_file(scene_dir / "manifest.json"),
    }
    beside = out.with_name("inconsistency.npz")
    write_arrays(beside, _archive(neighbouring))
    write_sealed(out, {**scores, "files": {beside.name: sha256_file(beside)}})


def view_cases(scene: Scene, labeller: Labeller) -> Cases:
    """Return a case per training view, of each kind of labels that there are."""
    class_ids = class_ids_of(scene)
    cases: Cases = {}
    for frame in scene.train:
        labels = load_truth(frame, class_ids)
        truth = None if labels is None else ClassMap(labels, class_ids)
        for kind, predicted in labeller.labels(frame.name).items():
            _check_size(predicted, frame)
            case = judge([protocol], frame.name, "", predicted, truth)
            cases.setdefault(kind, []).append(case)
    return cases


def neighbour_cases(scene: Scene, labeller: Labeller) -> list[Pair]:
    """Return every two neighbouring training views with depth: a case per kind that both have."""
    pairs = []
    for (first, own), (second, other), shared in neighbours(
        scene.train, lambda frame: dict(labeller.labels(frame.name))
    ):
        cases = {
            kind: judge([consistency], first.name, second.name, (labels, other[kind]), shared)
            for kind, labels in own.items()
            if kind in other
        }
        pairs.append(Pair([first.name, second.name], cases))
    return pairs


def _of_views(cases: Cases, scene: Scene) -> dict[str, Numbers]:
    """Return accuracy and coverage of every training view."""
    views: dict[str, Numbers] = {frame.name: {} for frame in scene.train}
    for kind, members in cases.items():
        for case in members:
            metrics = protocol.aggregate([case])
            shown = {name: value for name, value in metrics.items() if name in OF_A_VIEW}
            views[case.frame] |= prefixed(f"{kind}_", shown)
    return views


def _rows(pairs: list[Pair]) -> list[dict[str, Any]]:
    """Return the numbers of every pair of neighbours, how many pixels were compared among them."""
    rows = []
    for names, cases in pairs:
        row: dict[str, Any] = {"views": names}
        for kind, case in cases.items():
            verdict = case.found[consistency.NAME]
            row[f"{kind}_compared_px"] = int(np.count_nonzero(verdict != NOT_COMPARED))
            row |= prefixed(f"{kind}_", consistency.aggregate([case]))
        rows.append(row)
    return rows


def _archive(pairs: list[Pair]) -> dict[str, NDArray[Any]]:
    """Return the verdicts and the names of all pairs."""
    archive: dict[str, NDArray[Any]] = {
        f"{kind}_{index}": case.found[consistency.NAME]
        for index, pair in enumerate(pairs)
        for kind, case in pair.cases.items()
    }
    return archive | {"names": np.array([pair.names for pair in pairs], str).reshape(-1, 2)}


def _absent(scene: Scene, labeller: Labeller, metrics: Numbers) -> dict[str, str]:
    """Return {metric: reason} for every metric of the protocol that could not be computed."""
    kinds = labeller.labels(scene.train[0].name)
    has_truth = any(frame.labels_path for frame in scene.train)
    reasons = {}
    for name in protocol.METRICS:
        kind, metric = name.split("_", maxsplit=1)
        if name in metrics:
            continue
        if kind not in kinds:
            reasons[name] = labeller.absent or f"the recipe makes no {kind} labels"
        elif metric == "inconsistency":
            reasons[name] = why_none(scene.train)
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
