"""Semantics taught along a record: what a training beside its colours leaves, to the last bit."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from semsplat.bench.gpu.world import write_masks
from semsplat.errors import SemsplatError
from semsplat.fit.job import PLY
from semsplat.geometry import record as recorded
from semsplat.geometry.record import Record
from semsplat.io import read_json, write_sealed
from semsplat.params.geometry import Geometry, GeometryJob
from semsplat.params.methods import TrainingJob
from semsplat.train import run as module
from semsplat.train.methods import clip_gs
from semsplat.train.run import Places, train
from tests.unit.train.conftest import GEOMETRY, stop_at
from tests.unit.train.follow_helpers import (
    GROWING,
    PLACE,
    World,
    assert_alike,
    curves,
    follows,
    lively,
)
from tests.unit.train.mask_helpers import config as mask_config
from tests.unit.train.mask_helpers import options as mask_options
from tests.unit.train.test_run import SEED, config


def test_along_the_record_of_a_reconstruction_all_comes_out_alike(world):
    geometry = lively()
    made = world.reconstruct(geometry)
    sizes = {line["n_gaussians"] for line in curves(made)}
    assert len(sizes) > 3  # or nothing would have to be carried along
    alone = world.train("alone", config(geometry=geometry), records=False)
    along = world.train("along", config(geometry=geometry))
    assert follows(along) and not follows(alone)
    assert_alike(alone, along)
    assert (made / PLY).read_bytes() == (along / PLY).read_bytes()


@pytest.mark.parametrize("changes", [{"background": "white"}, {"progressive": GROWING}])
def test_other_schedules_come_out_alike_too(world, changes):
    geometry = lively(**changes)
    world.reconstruct(geometry)
    alone = world.train("alone", config(geometry=geometry), records=False)
    along = world.train("along", config(geometry=geometry))
    assert follows(along)
    assert_alike(alone, along)


@pytest.mark.parametrize("dim", [1, 512])
def test_any_number_of_channels_comes_out_alike(world, dim):
    world.reconstruct(GEOMETRY)
    options = json.loads(config())["options"] | {"dim": dim}
    made = [world.train(f"{n}", config(options=options), records=n > 0) for n in range(2)]
    assert_alike(*made)


def test_steps_that_blend_nothing_come_out_alike(world, tiny_scene, tmp_path):
    features = write_masks(tmp_path / "masks", tiny_scene)
    told = mask_config(mask_options()).model_copy(update={"geometry": lively()}).model_dump_json()
    job = GeometryJob(**PLACE | {"dataset": "procedural"}, geometry=lively(), log_every=10)
    world.reconstruct(lively(), job)
    for name in ("alone", "along"):
        records = world.records if name == "along" else None
        places = Places(world.scene, None, Path(features.folder), None, records)
        train(places, tmp_path / name, tmp_path / f"scratch_{name}", told, 1e9, "cpu")
    assert follows(tmp_path / "along")
    assert_alike(tmp_path / "alone", tmp_path / "along")


def test_only_those_follow_who_take_the_very_same_steps(world):
    geometry = lively()
    world.reconstruct(geometry)
    rates = geometry.lr.model_copy(update={"scales": 0.004})
    other = world.train("rates", config(geometry=geometry.model_copy(update={"lr": rates})))
    told = json.loads(config())["options"]
    moving = world.train(
        "moving", config(geometry=geometry, options={**told, "moves_geometry": True})
    )
    seeded = world.train("seeded", config(geometry=geometry, run_seed=SEED + 1))
    assert not any(follows(folder) for folder in (other, moving, seeded))
    assert len(list(world.records.iterdir())) == 1  # trainings leave none


@pytest.mark.parametrize("other", ["cpu", "packages"])
def test_a_record_is_of_one_kind_of_processor_and_versions(world, monkeypatch, other):
    world.reconstruct(GEOMETRY)
    here = recorded.machine()
    monkeypatch.setattr(recorded, "machine", lambda: here | {other: "another"})
    assert not follows(world.train("elsewhere", config()))


def test_on_a_gpu_no_record_is_followed(world):
    world.reconstruct(GEOMETRY)
    told = TrainingJob.model_validate_json(config())
    options = clip_gs.Options(**told.options)
    places = Places(world.scene, None, None, None, world.records)
    assert module._record(told, options, places, "cpu") is not None
    assert module._record(told, options, places, "cuda") is None


def test_the_card_has_the_time_and_memory_of_both(world):
    world.reconstruct(GEOMETRY)
    (folder,) = world.records.iterdir()
    write_sealed(
        folder / "record.json", {**Record(folder).summary, "train_s": 50.0, "peak_ram_mb": 10**6}
    )
    numbers = read_json(world.train("along", config()) / "run.json")["numbers"]
    assert numbers["recorded_s"] == 50 < numbers["train_s"] < 100
    assert numbers["peak_ram_mb"] == 10**6


def interrupted(world: World, monkeypatch: Any, objective: str, name: str, **places: Any) -> None:
    stop_at(monkeypatch, module, objective, 30)
    with pytest.raises(KeyboardInterrupt):
        world.train(name, config(geometry=lively()), every_s=1e-9, **places)
    monkeypatch.undo()


@pytest.mark.usefixtures("saved_each_step")
def test_one_that_was_killed_goes_on_along_the_record(world, monkeypatch, capsys):
    world.reconstruct(lively())
    alone = world.train("alone", config(geometry=lively()), records=False)
    interrupted(world, monkeypatch, "following_objective", "along")
    again = world.train("along", config(geometry=lively()))
    assert "resuming at step 30" in capsys.readouterr().out
    assert_alike(alone, again)


@pytest.mark.usefixtures("saved_each_step")
@pytest.mark.parametrize("recorded_first", [False, True])
def test_a_state_of_one_way_is_none_of_the_other(world, monkeypatch, capsys, recorded_first):
    alone = world.train("alone", config(geometry=lively()), records=False)
    if recorded_first:
        world.reconstruct(lively())
        interrupted(world, monkeypatch, "following_objective", "killed")
        shutil.rmtree(world.records)
    else:
        interrupted(world, monkeypatch, "joint_objective", "killed", records=False)
        world.reconstruct(lively())
    capsys.readouterr()
    again = world.train("killed", config(geometry=lively()))
    assert "resuming" not in capsys.readouterr().out and follows(again) is not recorded_first
    assert_alike(alone, again)


def test_where_all_gaussians_are_pruned_they_are_recorded_too(world):
    told = lively().model_dump()
    geometry = Geometry(**told | {"densify": told["densify"] | {"prune_opacity": 0.99}})
    world.reconstruct(geometry)
    alone = world.train("alone", config(geometry=geometry), records=False)
    along = world.train("along", config(geometry=geometry))
    assert follows(along) and curves(along)[-1]["n_gaussians"] == 0
    assert_alike(alone, along)


@pytest.mark.parametrize(
    ("name", "lost"), [("000007.npz", True), ("000007.npz", False), ("record.json", False)]
)
def test_a_damaged_record_is_one_line_that_names_its_folder(world, name, lost):
    world.reconstruct(lively())
    (folder,) = world.records.iterdir()
    damaged = folder / name
    if lost:
        damaged.unlink()
    else:
        content = bytearray(damaged.read_bytes())
        content[len(content) // 2] ^= 1
        damaged.write_bytes(content)
    with pytest.raises(SemsplatError) as raised:
        world.train("along", config(geometry=lively()))
    said = str(raised.value)
    assert (
        said.startswith(f"{folder}: damaged record of steps ({name}")
        and "delete this folder" in said
    )
    assert "\n" not in said
