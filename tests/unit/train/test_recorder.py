"""Leaving a record of a reconstruction's steps."""

from __future__ import annotations

import errno
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from semsplat.geometry import __main__ as program
from semsplat.geometry import recorder as recording
from semsplat.geometry import rgb
from tests.unit.train.conftest import GEOMETRY, stop_at
from tests.unit.train.follow_helpers import (
    World,
    assert_alike,
    follows,
    lively,
)
from tests.unit.train.test_run import config


@pytest.mark.parametrize(
    ("device", "followers", "left"), [("cpu", 3, True), ("cpu", 0, False), ("cuda", 3, False)]
)
def test_a_reconstruction_leaves_a_record_where_one_is_followed(
    monkeypatch, tmp_path, device, followers, left
):
    seen: list[Path | None] = []
    monkeypatch.setattr(program, "claim_device", lambda: nullcontext(device))
    monkeypatch.setattr(program, "reconstruct", lambda *places: seen.append(places[-1]))
    records = tmp_path / "records"
    program.run(tmp_path, tmp_path / "out", tmp_path / "scratch", "{}", 20.0, records, followers)
    assert seen == [records if left else None]


def killed_reconstruction(world: World, monkeypatch: Any, step: int) -> Path:
    stop_at(monkeypatch, rgb, "rgb_objective", step)
    with pytest.raises(KeyboardInterrupt):
        world.reconstruct(lively(), every_s=1e-9)
    monkeypatch.undo()
    (partial,) = world.records.iterdir()
    return partial


@pytest.mark.usefixtures("saved_each_step")
@pytest.mark.parametrize("step", [20, 21, 22])  # around a refinement and a reset
def test_a_record_that_was_interrupted_is_finished(world, monkeypatch, step):
    killed_reconstruction(world, monkeypatch, step)
    world.reconstruct(lively())
    alone = world.train("alone", config(geometry=lively()), records=False)
    along = world.train("along", config(geometry=lively()))
    assert follows(along)
    assert_alike(alone, along)


@pytest.mark.usefixtures("saved_each_step")
def test_a_record_that_lost_a_step_is_left_out(world, monkeypatch):
    (killed_reconstruction(world, monkeypatch, 30) / "000003.npz").unlink()
    made = world.reconstruct(lively())
    assert not any(world.records.iterdir()) and (made / "run.json").exists()


@pytest.mark.usefixtures("saved_each_step")
def test_the_bytes_before_a_kill_count_too(world, monkeypatch, capsys):
    partial = killed_reconstruction(world, monkeypatch, 38)  # what is left takes less
    written = sum(path.stat().st_size for path in partial.iterdir())
    monkeypatch.setattr(recording, "MOST_BYTES", written + 1000)
    world.reconstruct(lively())
    assert "no record of the steps is left: it takes more than" in capsys.readouterr().out
    assert not any(world.records.iterdir())


def test_a_folder_without_a_summary_is_no_record_and_gives_way(world):
    world.reconstruct(GEOMETRY)
    (folder,) = world.records.iterdir()
    (folder / "record.json").unlink()
    assert not follows(world.train("beside", config()))
    world.reconstruct(GEOMETRY)
    assert follows(world.train("along", config()))


@pytest.mark.parametrize("what", ["a file", "a dangling link"])
def test_where_nothing_can_be_written_nothing_is_recorded(world, what, capsys):
    if what == "a file":
        world.records.write_text("mine")
    else:
        world.records.symlink_to("/proc/1/nothing")
    made = world.reconstruct(GEOMETRY)
    assert (made / "run.json").exists()
    said = [line for line in capsys.readouterr().out.splitlines() if "no record" in line]
    assert len(said) == 1


@pytest.mark.parametrize("file", ["000021.npz", "000040.npz", "record.json"])
def test_a_disk_too_full_for_a_record_costs_the_record_alone(world, monkeypatch, file):
    def full(path: Path, *rest: Any, write: Any, **options: Any) -> None:
        if path.name == file:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, *rest, **options)

    for name in ("write_arrays", "write_sealed"):
        monkeypatch.setattr(recording, name, partial(full, write=getattr(recording, name)))
    made = world.reconstruct(lively())
    assert not any(world.records.iterdir()) and (made / "run.json").exists()
