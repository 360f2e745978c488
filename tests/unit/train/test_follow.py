"""Semantics taught along a record: what a training beside its colours leaves, to the last bit."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from semsplat.bench.gpu.world import write_masks
from semsplat.errors import SemsplatError
from semsplat.geometry import recorder as recording
from semsplat.geometry.__main__ import reconstruct
from semsplat.geometry.record import Record, geometry_card, record_of
from semsplat.io import read_json, write_sealed
from semsplat.params.geometry import Geometry, GeometryJob
from semsplat.train import run as module
from semsplat.train.run import Places, train
from tests.unit.train.conftest import GEOMETRY, stop_at
from tests.unit.train.mask_helpers import config as mask_config
from tests.unit.train.mask_helpers import options as mask_options
from tests.unit.train.test_run import SEED, config

FILES = ("point_cloud.ply", "semantics.safetensors")
PLACE = {"dataset": "made", "scene": "plane", "seed": 0, "run_seed": SEED, "steps_scaler": 1.0}


def lively(**changes: Any) -> Geometry:
    """Return a schedule that clones, splits, prunes and resets within 40 steps."""
    densify = {
        "start": 4, "stop": 36, "every": 7, "every_floor": 1, "grad_threshold": 1e-6,
        "split_scale": 0.02, "prune_opacity": 0.09, "reset_every": 20, "reset_floor": 1,
    }  # fmt: skip
    told = GEOMETRY.model_dump()
    return Geometry(**{**told, "densify": {**told["densify"], **densify}, **changes})


class World:
    """A scene with lessons, and trainings of it that share records or do not."""

    def __init__(self, scene: Any, lessons: Any, folder: Path) -> None:
        self.scene, self.lessons, self.folder = scene.scene_dir, lessons.folder, folder
        self.records = folder / "records"

    def reconstruct(self, geometry: Geometry) -> Path:
        out, job = self.folder / "geometry", GeometryJob(**PLACE, geometry=geometry, log_every=5)
        places = self.scene, out, self.folder / "scratch_geometry"
        reconstruct(*places, job.model_dump_json(), 1e9, "cpu", self.records)
        return out

    def train(self, name: str, told: str, records: bool = True, every_s: float = 1e9) -> Path:
        out = self.folder / name
        places = Places(self.scene, self.lessons, None, None, self.records if records else None)
        train(places, out, self.folder / f"scratch_{name}", told, every_s, "cpu")
        return out


@pytest.fixture
def world(tiny_scene, lessons, tmp_path) -> World:
    return World(tiny_scene, lessons, tmp_path)


def curves(folder: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k != "seconds"} for line in lines]


def assert_alike(one: Path, other: Path) -> None:
    for name in FILES:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name
    assert curves(one) == curves(other)


def follows(folder: Path) -> bool:
    return "recorded_s" in read_json(folder / "run.json")["numbers"]


def test_along_the_record_of_a_reconstruction_all_comes_out_alike(world):
    geometry = lively()
    made = world.reconstruct(geometry)
    sizes = {line["n_gaussians"] for line in curves(made)}
    assert len(sizes) > 3  # or nothing would have to be carried along
    alone = world.train("alone", config(geometry=geometry), records=False)
    along = world.train("along", config(geometry=geometry))
    assert follows(along) and not follows(alone)
    assert_alike(alone, along)
    assert (made / FILES[0]).read_bytes() == (along / FILES[0]).read_bytes()


def test_a_training_leaves_the_record_where_no_reconstruction_has_its_schedule(world):
    told = config(
        geometry=lively(progressive={**GEOMETRY.progressive.model_dump(), "enabled": True})
    )
    alone = world.train("alone", told, records=False)
    first, second = world.train("first", told), world.train("second", told)
    assert (follows(first), follows(second)) == (False, True)
    assert_alike(alone, first)
    assert_alike(alone, second)
    assert len(list(world.records.iterdir())) == 1


def test_steps_that_blend_nothing_come_out_alike(tiny_scene, tmp_path):
    features = write_masks(tmp_path / "masks", tiny_scene)
    masks = Path(features.folder)
    told = mask_config(mask_options()).model_copy(update={"geometry": lively()}).model_dump_json()
    made = []
    for name, records in (
        ("alone", None),
        ("first", tmp_path / "records"),
        ("second", tmp_path / "records"),
    ):
        places = Places(tiny_scene.scene_dir, None, masks, None, records)
        train(places, tmp_path / name, tmp_path / f"scratch_{name}", told, 1e9, "cpu")
        made.append(tmp_path / name)
    assert [follows(folder) for folder in made] == [False, False, True]
    assert_alike(made[0], made[1])
    assert_alike(made[0], made[2])


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
    assert len(list(world.records.iterdir())) == 3  # the one that moves has left none


def test_on_a_gpu_there_are_no_records(world):
    card = geometry_card(GeometryJob(**PLACE, geometry=GEOMETRY, log_every=5), world.scene)
    assert record_of(world.records, card, "cuda") is None
    assert record_of(None, card, "cpu") is None


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


@pytest.mark.usefixtures("saved_each_step")
@pytest.mark.parametrize("lost", [False, True])
def test_a_record_that_was_interrupted_is_finished_or_left_out(world, monkeypatch, lost):
    interrupted(world, monkeypatch, "joint_objective", "killed")
    (partial,) = world.records.iterdir()
    if lost:
        (partial / "000003.npz").unlink()
    world.train("killed", config(geometry=lively()))
    left = list(world.records.iterdir())
    assert left == ([] if lost else [partial.with_suffix("")])
    if not lost:
        alone = world.train("alone", config(geometry=lively()), records=False)
        assert_alike(alone, world.train("along", config(geometry=lively())))


def test_a_record_that_becomes_too_large_is_given_up(world, monkeypatch):
    monkeypatch.setattr(recording, "MOST_BYTES", 100_000)
    made = world.reconstruct(lively())
    assert not any(world.records.iterdir()) and (made / "run.json").exists()


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("name", ["000007.npz", "*.refined.npz"])
def test_a_damaged_record_is_one_line_that_names_its_folder(world, name, lost):
    world.reconstruct(lively())
    (folder,) = world.records.iterdir()
    damaged = next(folder.glob(name))
    if lost:
        damaged.unlink()
    else:
        content = bytearray(damaged.read_bytes())
        content[len(content) // 2] ^= 1
        damaged.write_bytes(content)
    with pytest.raises(SemsplatError) as raised:
        world.train("along", config(geometry=lively()))
    said = str(raised.value)
    assert said.startswith(f"{folder}: damaged record") and "delete this folder" in said
    assert "\n" not in said
