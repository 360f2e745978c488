"""Predictions that were made elsewhere, before anything runs: what of them is missing or wrong."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from semsplat.data.scene import load_scene
from semsplat.errors import SemsplatError
from semsplat.evaluate.external import external_answer
from semsplat.evaluate.external.given import CARD, find, read_card, run_folder, taken, walk
from semsplat.experiment.mistakes import dangling
from semsplat.experiment.runs import external_keys
from semsplat.experiment.schema import Params
from semsplat.keys import TrainingKey
from semsplat.paths import scene_dir


def declared_keys(params: Params, names: Iterable[str]) -> list[TrainingKey]:
    """Return all runs that entries of the section external declare, in the suite or not."""
    return [
        TrainingKey(dataset, scene, name, seed)
        for name in names
        for dataset, scene in (place.split("/") for place in params.external[name].scenes)
        for seed in params.external[name].seeds
    ]


def given_files(params: Params, run: TrainingKey) -> list[Path]:
    """Return the files of a run and the card, whether they are there or not."""
    root = Path(params.external[run.setting].folder)
    return [root / CARD, *walk(run_folder(root, run.dataset, run.scene, run.seed))]


def mistakes_in(params: Params, runs: Sequence[TrainingKey], opened: bool) -> list[str]:
    """Return a line for each thing that is missing or wrong in predictions made elsewhere.

    Where a scene is not imported yet, nobody knows its views: of its runs only the folder is seen.

    Args:
        params: of the experiment.
        runs: whose predictions are looked at.
        opened: whether what files hold is looked at too, which takes time.
    """
    lines = []
    for name in dict.fromkeys(run.setting for run in runs):
        lines += _card_lines(params, name)
    for run in runs:
        lines += _run_lines(params, run, opened)
    return lines


def unknown_scenes(runs: Iterable[TrainingKey]) -> list[str]:
    """Return the scenes of runs, dataset/scene, that are not imported yet, each once."""
    return [place for place in dict.fromkeys(run.place for run in runs) if not _is_there(place)]


def refuse_incomplete(params: Params) -> None:
    """Print what the chosen suite lacks of predictions made elsewhere, and exit with status 1.

    Files are not opened: their imports do, and fail with the same lines.
    """
    lines = mistakes_in(params, external_keys(params), opened=False)
    if lines:
        told = "nothing was run; docs/external.md says what it takes"
        print("\n".join([*lines, told]), file=sys.stderr)
        sys.exit(1)


def _card_lines(params: Params, name: str) -> list[str]:
    """Return what is wrong with the card of an entry, and with the runs that it names."""
    root = Path(params.external[name].folder)
    try:
        card = read_card(root)
    except SemsplatError as error:
        return str(error).splitlines()
    known = ["/".join((run.place, str(run.seed))) for run in declared_keys(params, [name])]
    return dangling((str(root / CARD), "spent"), card.spent, known)


def _run_lines(params: Params, run: TrainingKey, opened: bool) -> list[str]:
    """Return what is missing or wrong in the predictions of one run."""
    entry: Any = params.external[run.setting]
    root = Path(entry.folder)
    folder = run_folder(root, run.dataset, run.scene, run.seed)
    if not _is_there(run.place):
        return [] if folder.is_dir() else [f"{folder}: no such folder; put the predictions there"]
    scene = load_scene(scene_dir(run.dataset, run.scene))
    layouts = {name: external_answer(name) for name in entry.answers}
    found = find(root, folder, layouts, scene)
    held = taken(found, layouts, scene, lambda *_: None) if opened else []
    return [*found.lines, *held]


def _is_there(place: str) -> bool:
    return (scene_dir(*place.split("/")) / "manifest.json").is_file()
