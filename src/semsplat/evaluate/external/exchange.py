"""Predictions made elsewhere become ours, and ours leave in the same layout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from semsplat.data.manifest import write_manifest
from semsplat.data.scene import Scene, load_scene
from semsplat.errors import SemsplatError
from semsplat.evaluate.external import external_answer, external_names
from semsplat.evaluate.external.given import (
    CARD,
    GivenError,
    find,
    read_card,
    run_folder,
    taken,
    walk,
)
from semsplat.folders import atomic_dir
from semsplat.io import atomic_path, read_json, sha256_file, write_json
from semsplat.keys import TrainingKey
from semsplat.params.external import ExternalCard, ExternalJob
from semsplat.paths import evaluate_dir, scene_dir
from semsplat.provenance import Card
from semsplat.train.methods import method

SOURCES = "sources.json"
"""Beside the card of an import, {file below the run's folder: its sha256}."""


def import_predictions(
    job: ExternalJob, scene_dir: Path, root: Path, out: Path, predictions: Path
) -> None:
    """Write the predictions as our own are written, then what they are, ``run.json``, the last.

    The card's ``config`` has the author's under ``external``; its privileges are those that the
    author names, and on our geometry the scene's too.

    Args:
        job: whose predictions they are.
        scene_dir: the canonical scene.
        root: the folder that holds ``card.yaml``.
        out: of the card.
        predictions: what `semsplat.evaluate.jobs.score` reads.

    Raises:
        GivenError: a line for each thing that is missing or wrong; nothing is written.
    """
    author, scene = read_card(root), load_scene(scene_dir)
    run = run_folder(root, job.dataset, job.scene, job.seed)
    with atomic_dir(out) as beside:
        files = {path.relative_to(run).as_posix(): sha256_file(path) for path in _files(run)}
        write_json(beside / SOURCES, files)
        inputs = {"scene": scene_dir / "manifest.json", "card": root / CARD}
        inputs |= {"sources": beside / SOURCES}
        config = {**job.model_dump(), "external": author.model_dump(exclude={"spent"})}
        card = Card("evaluate", "semsplat.evaluate.external.exchange", config, inputs)
        card.privileges = [*author.told, *(card.privileges if author.geometry == "ours" else [])]
        with atomic_dir(predictions) as partial:
            _take(job, root, run, scene, partial)
            facts = {"model": sha256_file(beside / SOURCES), "device": author.device}
            write_manifest(partial, facts)
        card.write(beside / "run.json", [beside / SOURCES], **_spent(author, job))


def _files(run: Path) -> list[Path]:
    return [path for path in walk(run) if path.is_file()]


def _take(job: ExternalJob, root: Path, run: Path, scene: Scene, folder: Path) -> None:
    """Write all answers into a folder; raise with all that is missing or wrong."""
    layouts = {name: external_answer(name) for name in job.answers}
    found = find(root, run, layouts, scene)
    lines = taken(found, layouts, scene, lambda kind, frame, said: kind.write(folder, frame, said))
    if found.lines or lines:
        raise GivenError([*found.lines, *lines])
    for layout in layouts.values():
        if hasattr(layout, "finish"):
            layout.finish(folder, scene)


def _spent(author: ExternalCard, job: ExternalJob) -> dict[str, float]:
    """Return what the author says that the run took."""
    spent = author.spent.get(f"{job.dataset}/{job.scene}/{job.seed}")
    return spent.model_dump(exclude_none=True) if spent else {}


def export_predictions(training: TrainingKey, root: Path) -> Path:
    """Write one of our predictions as a person would give them, and return the run's folder.

    Raises:
        SemsplatError: it answers nothing that can be given, its card names no commit, or ``root``
            has the card of something else.
    """
    card = read_json(training.card_path)
    scene = load_scene(scene_dir(training.dataset, training.scene))
    predictions = evaluate_dir(*training) / "predictions"
    read_json(predictions / "manifest.json")  # there, and as it was written
    known = external_names()
    if "method" not in card["config"]:
        raise SemsplatError(f"{training}: is no training of ours; name one of a method")
    answers = [name for name in method(card["config"]["method"]).ANSWERS if name in known]
    if not answers:
        raise SemsplatError(f"{training}: answers none of {', '.join(known)}")
    _write_card(root, training, card)
    run = run_folder(root, training.dataset, training.scene, training.seed)
    with atomic_dir(run) as partial:
        for layout in map(external_answer, answers):
            for frame in layout.views(scene):
                layout.give(predictions, frame, scene, partial)
    return run


def _write_card(root: Path, training: TrainingKey, card: Any) -> None:
    """Write ``card.yaml`` of a setting of ours; several runs of it share one."""
    if card["git"]["commit"] is None:
        raise SemsplatError(f"{training.card_path}: names no commit; train in a checkout of git")
    author = ExternalCard(
        method=f"{card['config']['method']}, setting {training.setting}",
        who="semsplat",
        repository="semsplat",
        commit=card["git"]["commit"],
        changes="uncommitted" if card["git"]["dirty"] else "",
        device=card["machine"]["gpu"] or card["machine"]["cpu"],
        geometry="ours" if "geometry" in card["inputs"] else "own",
        told=card["privileges"],
    )
    path = root / CARD
    if path.exists() and read_card(root) != author:
        raise SemsplatError(f"{path}: is the card of something else; name another folder")
    with atomic_path(path) as partial:
        partial.write_text(yaml.safe_dump(author.model_dump(), sort_keys=False), encoding="utf-8")
