"""The loop: it learns, it can be killed anywhere, and it resumes to the same result."""

from __future__ import annotations

import json
import os
import signal
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import yaml

from semsplat.errors import one_line_errors
from semsplat.fit.inputs import Inputs
from semsplat.fit.loop import fit
from semsplat.fit.state import load_state, state_of, write_state
from semsplat.fit.steps import Fit, run_steps
from semsplat.fit.trainee import seed_everything
from semsplat.fit.views import frame_at, load_view, views_in_order
from semsplat.geometry.rgb import rgb_objective, start_training
from semsplat.params.geometry import Geometry, Training
from semsplat.params.scaling import scaled_geometry

STEPS = 60
PAPER = Geometry(**yaml.safe_load(Path("params.yaml").read_text())["geometry"])
SCALED = scaled_geometry(PAPER, STEPS / 30_000)
# Refinements and a reset within the few steps, so that resuming has to get through them.
BUSY = {"every": 8, "stop": 50, "reset_every": 45, "grad_threshold": 5e-5}
GEOMETRY = SCALED.model_copy(update={"densify": SCALED.densify.model_copy(update=BUSY)})
TRAINING = Training(save_every_s=1e9, log_every=5)


class Interrupted(Exception):
    pass


def train(scene, scratch, key="key", stop_at=None, training=TRAINING, action=None):
    """Train, or raise (or act) at a step; return the Gaussians."""
    generator = seed_everything(3)
    trainee = start_training(scene, GEOMETRY, generator, "cpu")
    inner = rgb_objective(trainee.gaussians, GEOMETRY)

    def objective(step, view):
        if step == stop_at:
            (action or raise_interrupted)()
        return inner(step, view)

    views = partial(views_in_order, scene.train, seed=3, scale=lambda _: 1.0, inputs=Inputs("cpu"))
    fit(Fit(STEPS, key, scratch, training), trainee, objective, views)
    return {k: v.detach().clone() for k, v in trainee.gaussians.items()}


def raise_interrupted():
    raise Interrupted


def curve(scratch):
    lines = [json.loads(line) for line in (scratch / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k != "seconds"} for line in lines]


@pytest.fixture(scope="module")
def undisturbed(tiny_scene, tmp_path_factory):
    scratch = tmp_path_factory.mktemp("undisturbed")
    return train(tiny_scene, scratch), curve(scratch)


def test_training_learns(undisturbed):
    lines = undisturbed[1]
    assert max(line["psnr"] for line in lines) > lines[0]["psnr"] + 2
    assert lines[-1]["n_gaussians"] > 400  # refinement took place
    assert [line["step"] for line in lines] == [*range(0, STEPS, 5), STEPS - 1]


@pytest.mark.usefixtures("saved_each_step")
@pytest.mark.parametrize("stop_at", [1, 33, 59])
def test_a_killed_run_resumes_to_identical_bits(tiny_scene, tmp_path, undisturbed, stop_at):
    often = Training(save_every_s=1e-9, log_every=5)  # a state after every step
    with pytest.raises(Interrupted):
        train(tiny_scene, tmp_path, stop_at=stop_at, training=often)
    assert load_state(tmp_path / "state.pt", "key")["step"] == stop_at
    resumed = train(tiny_scene, tmp_path)
    for key, value in undisturbed[0].items():
        assert torch.equal(resumed[key], value), key
    assert curve(tmp_path) == undisturbed[1]


def test_lines_after_the_saved_state_and_half_lines_are_dropped(tiny_scene, tmp_path, undisturbed):
    with pytest.raises(SystemExit) as stop:
        train(tiny_scene, tmp_path, stop_at=21, action=lambda: os.kill(os.getpid(), signal.SIGTERM))
    assert stop.value.code == 128 + signal.SIGTERM
    with (tmp_path / "metrics.jsonl").open("a") as log:
        log.write('{"step": 40, "loss": 1}\n{"step": 45, "lo')
    train(tiny_scene, tmp_path)
    assert curve(tmp_path) == undisturbed[1]


def test_ctrl_c_saves_the_step_it_reached(tiny_scene, tmp_path):
    with pytest.raises(SystemExit) as stop:
        train(tiny_scene, tmp_path, stop_at=10, action=lambda: os.kill(os.getpid(), signal.SIGINT))
    assert stop.value.code == 130
    assert load_state(tmp_path / "state.pt", "key")["step"] == 11


def test_a_state_of_other_parameters_is_not_continued(tiny_scene, tmp_path, undisturbed):
    train(tiny_scene, tmp_path, key="other")
    assert load_state(tmp_path / "state.pt", "key") is None
    again = train(tiny_scene, tmp_path)
    assert torch.equal(again["means"], undisturbed[0]["means"])


@pytest.fixture(scope="module")
def saved(tiny_scene, tmp_path_factory):
    """Return the bytes of a state, and what it holds."""
    scratch = tmp_path_factory.mktemp("saved")
    with pytest.raises(Interrupted):
        train(tiny_scene, scratch, stop_at=2, training=Training(save_every_s=1e-9, log_every=1))
    path = scratch / "state.pt"
    return path.read_bytes(), load_state(path, "key")


def same(first, second):
    if isinstance(first, torch.Tensor):
        return torch.equal(first, second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[k], second[k]) for k in first)
    if isinstance(first, (list, tuple)):
        return len(first) == len(second) and all(map(same, first, second))
    return first == second


def test_a_damaged_state_is_never_continued(saved, tmp_path, capsys):
    whole, state = saved
    path, rng = tmp_path / "state.pt", np.random.default_rng(0)
    changes = [whole[: len(whole) * part // 20] for part in range(20)]
    for place in rng.choice(len(whole), 300, replace=False):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << rng.integers(8)
        changes.append(bytes(flipped))
    thrown_away = 0
    for changed in changes:
        path.write_bytes(changed)
        loaded = load_state(path, "key")
        said = capsys.readouterr().err
        assert said.count("\n") == (loaded is None)
        assert loaded is None or same(loaded, state)  # padding says nothing
        thrown_away += loaded is None
    assert thrown_away > 250 and "so this starts over" in said


def test_after_a_damaged_state_it_starts_over(tiny_scene, tmp_path, undisturbed, saved):
    (tmp_path / "state.pt").write_bytes(saved[0][:-9])
    again = train(tiny_scene, tmp_path)
    assert torch.equal(again["means"], undisturbed[0]["means"])


def test_the_curve_survives_a_lost_log(tiny_scene, tmp_path, undisturbed):
    with pytest.raises(SystemExit):
        train(tiny_scene, tmp_path, stop_at=21, action=lambda: os.kill(os.getpid(), signal.SIGTERM))
    (tmp_path / "metrics.jsonl").unlink()
    train(tiny_scene, tmp_path)
    assert curve(tmp_path) == undisturbed[1]


def test_a_full_disk_is_called_one(saved, tmp_path, capsys):
    state = saved[1]
    (tmp_path / f".state.partial-{os.getpid()}.pt").symlink_to("/dev/full")
    again = state_of("key", 2, 1.0, "", state["content"])
    with pytest.raises(SystemExit), one_line_errors():
        write_state(tmp_path / "state.pt", again)
    said = capsys.readouterr().err
    assert "the disk is full" in said and said.count("\n") == 1


def test_every_view_comes_once_per_epoch_in_changing_order():
    epochs = [[frame_at(step, 9, seed=1) for step in range(9 * e, 9 * e + 9)] for e in range(3)]
    assert all(sorted(epoch) == list(range(9)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]


def test_a_smaller_image_sees_the_same_rays(tiny_scene):
    full, half = (load_view(tiny_scene.train[0], scale, Inputs("cpu")) for scale in (1.0, 0.5))
    assert (half.width, half.height) == (24, 18) and half.image.shape == (18, 24, 3)
    corner = torch.tensor([full.width, full.height, 1.0])
    small = torch.tensor([half.width, half.height, 1.0])
    torch.testing.assert_close(torch.linalg.inv(full.K) @ corner, torch.linalg.inv(half.K) @ small)


def test_a_slow_save_leaves_time_for_steps(tmp_path, monkeypatch):
    """Saving takes 3 s, a step 1 s: the next state is due ten saves later, not at every step."""
    now, saved = [0.0], []

    def save(_, state):
        saved.append(state["step"])
        now[0] += 3.0

    def steps(todo):
        for _ in todo:
            now[0] += 1.0
            yield dict

    monkeypatch.setattr("semsplat.fit.steps.time.monotonic", lambda: now[0])
    monkeypatch.setattr("semsplat.fit.steps.write_state", save)
    for save_every_s, expected in ((2.0, [3, 34, 65, 70]), (40.0, [41, 70])):
        now[0], saved[:] = 0.0, []
        fit = Fit(70, "key", tmp_path, Training(save_every_s=save_every_s, log_every=1000))
        run_steps(fit, SimpleNamespace(state_dict=dict), steps)
        assert saved == expected


def test_a_state_of_another_device_is_not_continued(saved, tmp_path, capsys):
    _, state = saved
    for device, there in (("cpu", True), ("cuda", False)):
        write_state(tmp_path / "state.pt", state_of("key", 3, 1.0, "", state["content"]))
        assert (load_state(tmp_path / "state.pt", "key", device) is not None) == there
    line = capsys.readouterr().err
    said = "of a run on cpu, and this one is on cuda, so this starts over"
    assert line == f"{tmp_path}/state.pt: {said}\n"
