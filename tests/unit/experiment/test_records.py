"""Which trainings follow the recorded steps of a geometry run, and when the record goes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from semsplat.experiment.check import check
from semsplat.experiment.records import drop_records, followers
from semsplat.fit.lock import sole_trainer
from semsplat.keys import GeometryKey, TrainingKey
from semsplat.paths import RECORD_FILE, records_dir
from tests.unit.experiment.test_runs import CONFIG

KEY = GeometryKey("procedural", "room", 0)
TRAININGS = [TrainingKey("procedural", "room", setting, 0) for setting in ("clipgs_b", "cgc")]


def settings_of(suite: str, key: GeometryKey, **changes: Any) -> set[str]:
    found = followers(check({**CONFIG, "suite": suite, **changes}))[key]
    return {training.setting for training in found}


def test_trainings_that_leave_the_geometry_alone_follow_it():
    found = {"clipgs_a", "clipgs_b", "clipgs_c", "cgc", "cgc_printed"}
    assert settings_of("demo", KEY) == found


def test_trainings_that_move_it_or_have_another_schedule_do_not():
    found = settings_of("ablations", GeometryKey("procedural", "den", 2))
    assert {"clipgs_a", "clipgs_b_16", "cgc_no_3d"} < found
    others = {"clipgs_d", "clipgs_e", "gaussian_grouping", "le_gaussians", "gags", "lifted"}
    assert not found & others
    assert settings_of("ablations", GeometryKey("sparse", "room", 0)) == {"clipgs_a"}


@pytest.mark.parametrize("changed", [{"moves_geometry": True}, None])
def test_what_a_setting_changes_counts(changed):
    entry = CONFIG["settings"]["clipgs_b"]
    new = {"override": entry["override"] | changed} if changed else {"geometry": {"sh_degree": 1}}
    settings = {**CONFIG["settings"], "clipgs_b": {**entry, **new}}
    assert "clipgs_b" not in settings_of("demo", KEY, settings=settings)


def test_a_geometry_may_have_no_followers():
    suite = {**CONFIG["suites"]["demo"], "settings": ["clipgs_d", "gags"]}
    assert not settings_of("demo", KEY, suites={**CONFIG["suites"], "demo": suite})


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A record made at 100 s, and followers' cards of 200 s."""
    monkeypatch.chdir(tmp_path)
    made = records_dir(*KEY) / "key" / RECORD_FILE
    at(made, 100)
    for training in TRAININGS:
        at(training.folder / "run.json", 200)
    return made


def at(path: Path, seconds: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.utime(path, (seconds, seconds))


def dropped(record: Path) -> bool:
    drop_records({KEY: TRAININGS})
    assert record.exists() or not any(Path("scratch/records").rglob("*.json"))
    return not record.exists()


def test_a_record_goes_when_all_have_followed_it(record):
    assert dropped(record)
    drop_records({KEY: TRAININGS})  # there is nothing left to do


def test_it_stays_for_a_training_that_is_not_there(record):
    (TRAININGS[1].folder / "run.json").unlink()
    assert not dropped(record)


def test_it_stays_for_a_training_that_is_older(record):
    at(TRAININGS[0].folder / "run.json", 50)
    assert not dropped(record)


@pytest.mark.parametrize("busy", ["train/procedural/room/cgc/0", "geometry/procedural/room/0"])
def test_it_stays_while_the_scene_is_trained(record, busy):
    with sole_trainer(Path("scratch", busy)):
        assert not dropped(record)
    assert dropped(record)


@pytest.mark.parametrize("other", ["train/procedural/den/cgc/0", "train/procedural/room/cgc/1"])
def test_others_do_not_keep_it(record, other):
    with sole_trainer(Path("scratch", other)):
        assert dropped(record)


def test_what_was_left_by_a_kill_goes_too(record):
    left = records_dir(*KEY).with_name("0.leaving") / "key" / "000001.npz"
    for _ in range(2):  # with the record there, and without
        at(left, 10)
        assert dropped(record) and not left.exists()
