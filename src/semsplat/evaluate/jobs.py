"""Predictions to disk, and scores from disk, of all that a training is asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from semsplat.data.manifest import write_manifest
from semsplat.data.scene import Scene
from semsplat.evaluate.answers import Asked, Judged, Scores, answer
from semsplat.evaluate.cases import means
from semsplat.evaluate.protocols import protocol_of, protocols_of
from semsplat.folders import atomic_dir
from semsplat.io import read_json, sha256_file, write_json, write_sealed
from semsplat.provenance import model_facts

Options = dict[str, dict[str, Any]]
"""{answer: what it is told}, without those that are told nothing."""


def predict(names: Sequence[str], asked: Asked, options: Options, out: Path) -> None:
    """Write the predictions of all answers into one folder.

    Its ``manifest.json`` says which model they are of.
    """
    facts = model_facts(asked.model_dir, asked.device)
    with atomic_dir(out) as partial:
        for name in names:
            told = asked._replace(options=options.get(name, {}))
            facts |= answer(name).predict(told, partial)
        write_manifest(partial, facts)


def score(names: Sequence[str], judged: Judged, options: Options) -> None:
    """Write ``scores.json`` at ``judged.out``: what the answers say, together.

    ``protocols`` names the protocol of each metric where there are several.
    """
    scores = identity(judged.scene, judged.predictions_dir, judged.out)
    for name in names:
        told = judged._replace(options=options.get(name, {}))
        scores = together(scores, answer(name).score(told))
    kinds = [kind for name in names for kind in answer(name).CASES]
    asked = {protocol.NAME for kind in kinds for protocol in protocols_of(kind)}
    protocols = {metric: protocol_of(metric) for metric in scores["metrics"]}
    scores["protocol"] = ", ".join(sorted(set(protocols.values()) or asked))
    if len(asked) > 1:
        scores["protocols"] = protocols
    write_sealed(judged.out, scores)


def identity(scene: Scene, predictions_dir: Path, out: Path) -> Scores:
    """Return what every ``scores.json`` says of the run it judges and of the files it read.

    ``out`` ends in {dataset}/{scene}/{setting}/{seed}/scores.json.
    """
    dataset, name, setting, seed = out.parts[-5:-1]
    return {
        "dataset": dataset,
        "scene": name,
        "setting": setting,
        "seed": int(seed),
        "size_px": [scene.frames[0].width, scene.frames[0].height],
        "predictions_sha256": sha256_file(predictions_dir / "manifest.json"),
        "truth_sha256": sha256_file(scene.scene_dir / "manifest.json"),
    }


def together(first: Any, second: Any) -> Any:
    """Return what two answers say: sections merged, lists one after the other, the larger count."""
    if isinstance(first, dict) and isinstance(second, dict):
        both = {key: together(first[key], second[key]) for key in first.keys() & second.keys()}
        return {**first, **second, **both}
    if isinstance(first, list):
        return [*first, *second]
    return max(first, second)


def collect(score_paths: list[Path], out: Path) -> None:
    """Write ``metrics.json``: per data set, scene and setting the mean of each metric over seeds.

    Names are nested the way ``dvc metrics diff`` shows best: ``procedural.room.geometry.psnr``.
    """
    groups: dict[tuple[str, str, str], list[dict[str, float]]] = defaultdict(list)
    for path in score_paths:
        scores = read_json(path)
        groups[scores["dataset"], scores["scene"], scores["setting"]].append(scores["metrics"])
    table: dict[str, Any] = {}
    for (dataset, scene, setting), rows in sorted(groups.items()):
        rounded = {metric: round(value, 6) for metric, value in means(rows).items()}
        table.setdefault(dataset, {}).setdefault(scene, {})[setting] = rounded
    write_json(out, table)
