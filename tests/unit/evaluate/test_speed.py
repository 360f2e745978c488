"""The speed of trained settings: what the clock runs around, and what is reported."""

from __future__ import annotations

import subprocess
import sys
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from semsplat.data.scene import Frame
from semsplat.data.scene_writer import SceneWriter
from semsplat.evaluate import speed, stopwatch
from semsplat.evaluate.answers import relevancy
from semsplat.io import read_json
from semsplat.train.model import SemanticField
from tests.unit.data.scene_helpers import ORIGIN, K, one_line_error, viewmat_at
from tests.unit.evaluate.model_helpers import (
    write_asked,
    write_grouped,
    write_identified,
    write_model,
    write_scene,
)
from tests.unit.processes import environment

RUNS = ("toys/shelf/a/0", "toys/shelf/b/1")  # clip_gs and feature_3dgs


@pytest.fixture
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two trainings of one scene with two held-out views, in the working directory."""
    monkeypatch.chdir(tmp_path)
    write_scene(Path("data/toys/shelf"))
    for run, method_name in zip(RUNS, ("clip_gs", "feature_3dgs"), strict=True):
        write_model(Path("results/train", run), method_name)
    return tmp_path


def test_a_report_has_one_row_per_training_and_names_the_machine(trained: Path) -> None:
    report = speed.benchmark(list(RUNS[::-1]), 2, "cpu")
    assert list(report["runs"]) == list(RUNS[::-1])
    assert report.keys() == {
        *("protocol", "machine", "git", "device", "torch_threads", "turns", "runs"),
    }
    assert "median of 2 after 3" in report["protocol"] and report["device"] == "cpu"
    assert "of 3 turns through all trainings" in report["protocol"] and len(report["turns"]) == 3
    assert all(0 <= turn["others_busy"] <= 1 for turn in report["turns"])
    assert {"cpu", "gpu", "threads"} <= report["machine"].keys() and report["torch_threads"] >= 1
    first, second = (report["runs"][run] for run in RUNS)
    assert first.keys() == {"fps", "frame_ms", "size_px", "n_gaussians", "semantic_dim"}
    assert first["size_px"] == [16, 12] and first["n_gaussians"] == 2
    assert (first["semantic_dim"], second["semantic_dim"]) == (2, 4)
    assert all(row["fps"] > 0 and row["frame_ms"] > 0 for row in report["runs"].values())


def test_trainings_are_measured_in_turns_and_the_median_turn_counts(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[str] = []

    def one(run: str, repeats: int, device: str) -> dict[str, Any]:
        measured.append(run)
        slow = 9.0 * (len(measured) in (3, 6))  # one turn of each training was disturbed
        return {"fps": len(measured) + slow, "n_gaussians": 2, "size_px": [16, 12]}

    monkeypatch.setattr(speed, "measure", one)
    rows = speed.benchmark(list(RUNS), 5, "cpu")["runs"]
    first, second = RUNS
    assert measured == [first, second, second, first, first, second]
    assert rows[first] == {"fps": 4.0, "n_gaussians": 2, "size_px": [16, 12]}  # of 1, 4 and 5
    assert rows[second]["fps"] == 12.0  # of 2, 12 and 15


def test_the_median_counts_and_the_frames_before_the_clock_do_not(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = iter([50.0, 0.001, 50.0, *(0.25, 8.0, 0.5, 0.125, 4.0)])
    monkeypatch.setattr(stopwatch, "timed", lambda work, device: next(seconds))
    row = speed.measure(RUNS[0], 5, "cpu")
    assert (row["fps"], row["frame_ms"]) == (2.0, 500.0)
    assert next(seconds, None) is None


def test_held_out_views_come_in_turn_as_often_as_it_takes(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(SemanticField, "render", lambda self, frame: shown.append(frame.name))
    speed.measure(RUNS[0], 4, "cpu")
    assert shown == ["cam/near", "cam/far"] * 3 + ["cam/near"]


def test_a_frame_is_drawn_with_its_classes(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    classes: list[np.ndarray] = []
    render = SemanticField.render

    def kept(self: SemanticField, frame: Frame) -> Any:
        drawn = render(self, frame)
        classes.append(drawn[2].numpy())
        return drawn

    monkeypatch.setattr(SemanticField, "render", kept)
    speed.measure(RUNS[0], 1, "cpu")
    assert [c.shape for c in classes] == [(12, 16)] * 4
    assert set(np.unique(classes[0])) == {2, 300, 65535} and set(np.unique(classes[1])) == {2}


def test_a_field_that_answers_prompts_is_timed_by_the_parts_of_a_query(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_asked(Path("results/train", RUNS[0]))
    seconds = iter([9.0, 9.0, 9.0, 0.25, 9.0, 9.0, 9.0, 1.0])  # rendering, then whole queries
    with monkeypatch.context() as patch:
        patch.setattr(stopwatch, "timed", lambda work, device: (work(), next(seconds))[1])
        row = speed.measure(RUNS[0], 1, "cpu")
    assert (row["render_ms"], row["predict_ms"], row["query_ms"]) == (250.0, 750.0, 1000.0)
    assert "fps" not in row and row["semantic_dim"] == 2
    done = bench("--runs", RUNS[0])
    assert done.returncode == 0, done.stderr
    assert "ms a query at 16x12 on cpu" in done.stdout


def test_a_field_that_selects_is_timed_by_a_mask(trained: Path) -> None:
    write_grouped(Path("results/train/toys/shelf/c/0"))
    row = speed.benchmark(["toys/shelf/c/0"], 2, "cpu")["runs"]["toys/shelf/c/0"]
    assert row["mask_ms"] > 0 and row.keys().isdisjoint({"fps", "query_ms"})


def test_a_field_that_answers_masks_is_timed_by_its_parts(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_identified(Path("results/train/toys/shelf/c/0"))
    rendering, selecting, asking = (9.0,) * 3 + (0.25,), (9.0,) * 3 + (1.0,), (9.0,) * 3 + (4.0,)
    seconds = iter([*rendering, *selecting, *asking])
    monkeypatch.setattr(stopwatch, "timed", lambda work, device: (work(), next(seconds))[1])
    row = speed.measure("toys/shelf/c/0", 1, "cpu")
    assert (row["render_ms"], row["predict_ms"], row["ask_ms"]) == (250.0, 750.0, 4000.0)
    assert row.keys().isdisjoint({"query_ms", "mask_ms"})  # what finds the mask is not in it


def test_the_clock_runs_around_the_work_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks, done = count(start=10, step=3), []
    monkeypatch.setattr(stopwatch.time, "perf_counter", lambda: next(ticks))
    assert stopwatch.timed(lambda: done.append(next(ticks)), "cpu") == 6  # 10, work at 13, 16
    assert done == [13]


@pytest.mark.parametrize("run", ["toys/shelf/a", "toys/shelf/a/0/1", "toys/shelf/a/first"])
def test_a_run_that_is_no_place_of_a_training_is_one_line(trained: Path, run: str) -> None:
    with one_line_error(run, "dataset/scene/setting/seed"):
        speed.measure(run, 1, "cpu")


def test_a_scene_without_held_out_views_is_measured_on_training_views(trained: Path) -> None:
    with SceneWriter(Path("data/toys/shelf"), **ORIGIN) as writer:
        writer.add_frame("a", np.zeros((12, 16, 3), np.uint8), viewmat_at(0), K, "train")
    assert speed.measure(RUNS[0], 1, "cpu")["size_px"] == [16, 12]


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "semsplat.evaluate", "speed", "--repeats", "2", *words]
    env = environment(CUDA_VISIBLE_DEVICES="")
    return subprocess.run(command, env=env, capture_output=True, text=True)


def test_the_command_measures_all_trainings_there_are(trained: Path) -> None:
    done = bench()
    assert done.returncode == 0, done.stderr
    report = read_json(Path("results/benchmarks/speed.json"))
    assert list(report["runs"]) == sorted(RUNS)
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == [*RUNS, "written"]
    assert all("FPS at 16x12 on cpu" in line for line in lines[:-1])


def test_the_command_measures_the_trainings_that_are_named(trained: Path) -> None:
    done = bench("--runs", RUNS[1], "--out", "speed.json")
    assert done.returncode == 0, done.stderr
    assert list(read_json(Path("speed.json"))["runs"]) == [RUNS[1]]


def test_a_training_that_is_not_there_is_one_line(trained: Path) -> None:
    done = bench("--runs", "toys/shelf/c/0", "--out", "speed.json")
    assert done.returncode == 1 and not Path("speed.json").exists()
    error = "error: results/train/toys/shelf/c/0/semantics.safetensors: no such file"
    assert any(line.startswith(error) for line in done.stderr.splitlines())
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("name", "passes"), [("langsplat", 3), ("gags", 1)])
def test_what_an_answer_renders_is_timed_pass_by_pass(
    monkeypatch: pytest.MonkeyPatch, name: str, passes: int
) -> None:
    """LangSplat renders three models for one answer (GAGS, Table 3)."""
    blended: list[int] = []

    def blend(frame: Any, values: Any = None) -> torch.Tensor:
        blended.append(9 if values is None else values.shape[1])
        return torch.rand(2, 2, blended[-1])

    def once(ask: Any, frames: list[Any], device: str) -> float:
        blended.clear()
        ask(frames[0])
        counts.append(list(blended))
        return 1.0

    decoders = {
        "langsplat": lambda codes: torch.ones(*codes.shape[:-1], 8),
        "gags": lambda codes: (torch.ones(2, 2, 8), torch.ones(2, 2, 3)),
    }
    counts: list[list[int]] = []
    field = SemanticField(
        SimpleNamespace(device="cpu"),
        torch.rand(4, 9),
        decoders[name],
        SimpleNamespace(method=name, shape={"out": 8}),
    )  # type: ignore[arg-type]
    monkeypatch.setattr(SemanticField, "blend", lambda _, *asked: blend(*asked))
    monkeypatch.setattr(stopwatch, "median_seconds", once)
    relevancy.time(field, [None])  # type: ignore[arg-type,list-item]
    assert counts == [[9 // passes] * passes] * 2  # rendering alone, then the whole query


@pytest.mark.parametrize(
    ("each_s", "drawn"),
    [(0.001, 33), (0.02, 3 + 25), (0.1, 3 + 12), (5.0, 3 + 12)],  # of 33 frames three are warm-up
)
def test_slow_work_is_timed_less_often_but_often_enough(
    monkeypatch: pytest.MonkeyPatch, each_s: float, drawn: int
) -> None:
    seen: list[Any] = []

    def timed(work: Any, device: str) -> float:
        work()
        return each_s if len(seen) > 3 else 100.0

    monkeypatch.setattr(stopwatch, "timed", timed)
    found = stopwatch.median_seconds(seen.append, [SimpleNamespace()] * 33, "cpu")  # type: ignore[list-item]
    assert (len(seen), found) == (drawn, each_s)
