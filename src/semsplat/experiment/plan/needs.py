"""What of the register a suite reads, and what of that is missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from semsplat.data.register.entries import entry_named, entry_of, file_of
from semsplat.data.register.fetch import is_filled_by_hand, is_unpacked
from semsplat.experiment.plan.weights import answer_weights, recipe_weights, teacher_weights
from semsplat.experiment.recipes import features_job, features_keys
from semsplat.experiment.runs import geometry_keys, lessons_keys, own_keys, scene_options
from semsplat.experiment.schema import Params
from semsplat.paths import evaluate_dir, features_dir, lessons_dir, scene_dir

Needs = dict[str, set[Path]]
"""entry: the places of it that are read."""


class Missing(NamedTuple):
    """An entry of the register that a suite lacks."""

    name: str
    places: list[Path]  # of those that are read, the ones that are not there
    by_hand: bool  # a person has to get it


def needs(params: Params) -> Needs:
    """Return what of the register the chosen suite reads, whether it is there or not."""
    return _by_entry(place for _, places in _readers(params) for place in places)


def missing(params: Params) -> list[Missing]:
    """Return what the suite still needs and lacks; what was made of it before needs it no more."""
    undone = [places for result, places in _readers(params) if not result.is_file()]
    wanted = _by_entry(place for places in undone for place in places)
    entries = [_missing(name, sorted(places)) for name, places in sorted(wanted.items())]
    return [entry for entry in entries if entry is not None]


def missing_lpips(params: Params) -> list[Missing]:
    """Return the weights of LPIPS's backbone if they are not there; no job waits for them."""
    name = f"lpips_{params.evaluate.lpips_net}"
    path = file_of(entry_named(name))
    return [] if path is None or path.is_file() else [Missing(name, [path], by_hand=False)]


def _missing(name: str, places: list[Path]) -> Missing | None:
    """Return an entry if some of its places are not there."""
    entry = entry_named(name)
    if entry.folder is not None and is_unpacked(name):
        return None
    absent = [place for place in places if not place.exists()]
    if not absent:
        return None
    others = entry.folder is not None and is_filled_by_hand(Path(entry.folder))
    return Missing(name, absent, by_hand=others or (not entry.urls and not _is_file_there(name)))


def _is_file_there(name: str) -> bool:
    """Tell whether a person has put the archive, which the workflow unpacks."""
    path = file_of(entry_named(name))
    return path is not None and path.is_file()


def _readers(params: Params) -> Iterator[tuple[Path, list[Path]]]:
    """Yield the file that each job leaves, and the places it may read."""
    for place in dict.fromkeys((run.dataset, run.scene) for run in geometry_keys(params)):
        yield scene_dir(*place) / "manifest.json", _scene_places(params, *place)
    for key in features_keys(params):
        places = recipe_weights(features_job(params, key))
        yield features_dir(*key) / "manifest.json", places
    for lesson in lessons_keys(params):
        weights = teacher_weights(params, lesson.teacher)
        yield lessons_dir(*lesson) / "manifest.json", weights
    for run in own_keys(params):
        if places := answer_weights(params, run):
            yield evaluate_dir(*run) / "predictions/manifest.json", places


def _scene_places(params: Params, dataset: str, scene: str) -> list[Path]:
    """Return the places that the import of a scene names, and that of the scene it is cut from."""
    options = scene_options(params, dataset, scene)
    if "of" in options:
        return _scene_places(params, *options["of"].split("/"))
    return [Path(value) for value in options.values() if _is_path(value)]


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and "/" in value


def _by_entry(places: Iterator[Path]) -> Needs:
    needed: Needs = {}
    for place in places:
        name = entry_of(place)
        if name is not None:
            needed.setdefault(name, set()).add(place)
    return needed
