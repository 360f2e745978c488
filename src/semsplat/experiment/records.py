"""Which trainings follow the recorded steps of a geometry run, and when all of them have."""

from __future__ import annotations

import shutil
from functools import cache
from itertools import chain
from pathlib import Path

from semsplat.experiment.runs import geometry_keys, merged, own_keys, setting_options
from semsplat.experiment.schema import Params
from semsplat.fit.lock import is_trained
from semsplat.keys import GeometryKey, TrainingKey
from semsplat.params.methods import Joint
from semsplat.paths import RECORD_FILE, records_dir
from semsplat.train.methods import method_options

Followers = dict[GeometryKey, list[TrainingKey]]


def followers(params: Params) -> Followers:
    """Return the trainings of the chosen suite that take the steps of each geometry run.

    Their semantics stay out of the geometry, and its schedule is that of the geometry runs.
    """
    schedule = params.geometry.model_dump()

    @cache
    def follows(setting: str) -> bool:
        kind, entry = method_options(params.settings[setting].method), params.settings[setting]
        if not issubclass(kind, Joint) or setting_options(params, setting)["moves_geometry"]:
            return False
        return merged(schedule, entry.geometry) == schedule

    found: Followers = {key: [] for key in geometry_keys(params)}
    for run in own_keys(params):
        if follows(run.setting):
            found[GeometryKey(run.dataset, run.scene, run.seed)].append(run)
    return found


def drop_records(following: Followers) -> None:
    """Remove the records of steps that all their followers have taken.

    A training that is older than a record has yet to take its steps.  While a scene and seed are
    trained, perhaps by another workflow, their records stay.
    """
    for key, trainings in following.items():
        folder = records_dir(*key)
        left = max((p.stat().st_mtime for p in folder.glob(f"*/{RECORD_FILE}")), default=0.0)
        cards = [training.folder / "run.json" for training in trainings]
        taken = all(card.exists() and card.stat().st_mtime > left for card in cards)
        if taken and not _is_busy(key):
            leaving = folder.with_name(f"{folder.name}.leaving")  # a name that nobody reads
            shutil.rmtree(leaving, ignore_errors=True)
            if folder.exists():
                folder.rename(leaving)
                shutil.rmtree(leaving)


def _is_busy(key: GeometryKey) -> bool:
    """Tell whether a process fits Gaussians to a scene with a seed."""
    scratch = Path("scratch")
    trained = scratch.glob(f"train/{key.dataset}/{key.scene}/*/{key.seed}.lock")
    fitted = scratch.glob(f"geometry/{key.dataset}/{key.scene}/{key.seed}.lock")
    return any(is_trained(lock.with_suffix("")) for lock in chain(trained, fitted))
