"""The MLflow index: nothing lost with many writers, nothing twice, history kept."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from semsplat.io import read_json, write_json
from semsplat.provenance import run_key
from semsplat.track.index import (
    index_name,
    index_number,
    missing_lines,
    single_writer,
    tracking_uri,
    tries,
)

SRC = Path(__file__).parents[3] / "src"
N_PROCESSES = 8
CURVE = [(0, 1.0, 0.5), (10, 2.5, 0.25), (20, 4.0, 0.125)]  # step, seconds, loss
Files = tuple[Path, Path, Path, Path]


def write_files(
    scene: str, *, setting: str = "geometry", psnr: float = 20.0, steps: int = 30
) -> Files:
    """Write one finished run as the phases do; return the paths that ``semsplat.track`` takes."""
    data, result = Path("data/toys", scene), Path("results", setting, scene)
    config: dict[str, Any] = {"dataset": "toys", "scene": scene, "setting": setting, "seed": 0}
    config["geometry"] = {"steps": steps, "lr": {"means": 1.6e-4}}
    card = {
        "run_key": run_key(config, {"scene": "5ce"}, "c0de"),
        "config": config,
        "code": "c0de",
        "git": {"commit": "abc123", "dirty": False},
        "machine": {"host": "here", "gpu": None, "packages": {"torch": "2.15.0"}},
        "numbers": {"train_s": 4.5, "n_gaussians": 77, "device": "cpu"},
        "started": "2026-01-02T03:04:05+00:00",
        "ended": "2026-01-02T03:05:05+00:00",
    }
    lines = [{"step": s, "seconds": t, "loss": v, "psnr": 10.0 + s} for s, t, v in CURVE]
    scores: dict[str, Any] = {"dataset": "toys", "scene": scene, "setting": setting, "seed": 0}
    scores |= {"protocol": "rgb/held_out@2", "metrics": {"psnr": psnr, "ssim": 0.5}}
    write_json(result / "run.json", card)
    (result / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    write_json(result / "scores.json", scores)
    write_json(data / "manifest.json", {"dataset": "toys", "scene": scene, "digest": "d" * 64})
    return (
        result / "run.json",
        result / "metrics.jsonl",
        result / "scores.json",
        data / "manifest.json",
    )


def track_command(paths: Files, stamp: Path) -> list[str]:
    words = [sys.executable, "-m", "semsplat.track", "--stamp", str(stamp)]
    for flag, path in zip(("--card", "--curve", "--scores", "--scene"), paths, strict=True):
        words += [flag, str(path)]
    return words


def environment() -> dict[str, str]:
    env = {key: value for key, value in os.environ.items() if key != "MLFLOW_TRACKING_URI"}
    return {**env, "PYTHONPATH": str(SRC)}


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[tuple[int, str]]]:
    """Eight processes that meet in a folder without a store; (exit status, stderr) of each."""
    folder = tmp_path_factory.mktemp("crowd")
    env = environment()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        jobs = []
        for number in range(N_PROCESSES):
            paths = write_files(f"s{number}", psnr=20.0 + number)
            command = track_command(paths, Path(f"mlruns/.logged/s{number}.json"))
            jobs.append(subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True))
        ends = [(job.communicate()[1], job.returncode) for job in jobs]
        yield [(status, text) for text, status in ends]


@pytest.fixture
def client(crowd: list[tuple[int, str]]) -> Any:
    from mlflow.tracking import MlflowClient

    return MlflowClient(tracking_uri())


def search(client: Any, **tags: str) -> list[Any]:
    from semsplat.track.mlflow_log import EXPERIMENT

    experiment = client.get_experiment_by_name(EXPERIMENT).experiment_id
    query = " and ".join(f"tags.`{key}` = '{value}'" for key, value in tags.items())
    return list(client.search_runs([experiment], query))


def log(paths: Files) -> str:
    from semsplat.track.mlflow_log import Finished, log_finished

    return log_finished(Finished(*paths))


def dump(client: Any, run_id: str) -> dict[str, Any]:
    """Return all that MLflow knows about a run."""
    run = client.get_run(run_id)
    history = {key: client.get_metric_history(run_id, key) for key in run.data.metrics}
    points = {key: [(p.step, p.value, p.timestamp) for p in ps] for key, ps in history.items()}
    return {**run.to_dictionary(), "history": points}


def test_eight_first_contacts_at_once_lose_nothing(crowd: Any, client: Any) -> None:
    assert [status for status, _ in crowd] == [0] * N_PROCESSES, crowd
    with sqlite3.connect("mlflow.db") as database:
        assert database.execute("pragma integrity_check").fetchone() == ("ok",)
    runs = [run for n in range(N_PROCESSES) for run in search(client, scene=f"s{n}")]
    assert len(runs) == N_PROCESSES
    assert {run.info.status for run in runs} == {"FINISHED"}
    stamps = [read_json(Path(f"mlruns/.logged/s{n}.json")) for n in range(N_PROCESSES)]
    assert [stamp["run_id"] for stamp in stamps] == [run.info.run_id for run in runs]
    assert len(search(client, parent_of="geometry")) == 1


def test_a_run_shows_what_the_files_say(client: Any) -> None:
    (run,) = search(client, scene="s3")
    assert run.info.run_name == "geometry/toys/s3/0"
    assert run.data.params == {
        "dataset": "toys",
        "scene": "s3",
        "setting": "geometry",
        "seed": "0",
        "geometry.steps": "30",
        "geometry.lr.means": "0.00016",
    }
    expected = {"git_commit": "abc123", "git_dirty": "False", "code": "c0de", "host": "here"}
    expected |= {"gpu": "None", "version.torch": "2.15.0", "current": "true", "complete": "true"}
    expected |= {"protocol": "rgb/held_out@2", "run_key": read_json(card_of("s3"))["run_key"]}
    assert expected.items() <= run.data.tags.items()
    assert run.data.metrics["eval/psnr"] == 23.0 and run.data.metrics["eval/ssim"] == 0.5
    assert run.data.metrics["system/train_s"] == 4.5 and run.data.metrics["train/loss"] == 0.125
    assert run.info.end_time - run.info.start_time == 4_500  # of training
    (used,) = run.inputs.dataset_inputs
    assert (used.dataset.name, used.dataset.digest) == ("toys/s3", "d" * 32)
    files = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert files == {"run.json", "scores.json"}


def card_of(scene: str) -> Path:
    return Path("results/geometry", scene, "run.json")


def test_curves_have_their_steps_and_times(client: Any) -> None:
    (run,) = search(client, scene="s2")
    history = client.get_metric_history(run.info.run_id, "train/loss")
    start = run.info.start_time
    assert [(p.step, (p.timestamp - start) / 1000, p.value) for p in history] == CURVE


def test_runs_fold_under_their_setting_which_shows_the_mean(client: Any) -> None:
    (parent,) = search(client, parent_of="geometry")
    children = search(client, **{"mlflow.parentRunId": parent.info.run_id})
    assert len(children) == N_PROCESSES
    assert parent.info.run_name == "geometry" and parent.info.status == "FINISHED"
    assert parent.data.metrics["eval/psnr"] == pytest.approx(20 + (N_PROCESSES - 1) / 2)


def test_logging_again_changes_nothing(client: Any) -> None:
    paths = write_files("again", setting="twice")
    run_id = log(paths)
    (parent,) = search(client, parent_of="twice")
    before = dump(client, run_id), dump(client, parent.info.run_id)
    assert log(paths) == run_id
    assert (dump(client, run_id), dump(client, parent.info.run_id)) == before
    assert len(search(client, scene="again")) == 1


def test_new_scores_of_the_same_run_replace_the_old(client: Any) -> None:
    run_id = log(write_files("rescored", setting="rescored", psnr=20.0))
    assert log(write_files("rescored", setting="rescored", psnr=21.0)) == run_id
    assert client.get_run(run_id).data.metrics["eval/psnr"] == 21.0
    folder = Path(client.download_artifacts(run_id, ""))
    assert read_json(folder / "scores.json")["metrics"]["psnr"] == 21.0
    assert search(client, parent_of="rescored")[0].data.metrics["eval/psnr"] == 21.0


def test_a_changed_parameter_makes_a_new_run_and_keeps_the_old(client: Any) -> None:
    def current() -> dict[str, str]:
        return {r.info.run_id: r.data.tags["current"] for r in search(client, scene="changed")}

    def parent_psnr() -> float:
        value: float = search(client, parent_of="changed")[0].data.metrics["eval/psnr"]
        return value

    old = log(write_files("changed", setting="changed", steps=30, psnr=20.0))
    new = log(write_files("changed", setting="changed", steps=60, psnr=30.0))
    assert current() == {old: "false", new: "true"} and parent_psnr() == 30.0
    assert client.get_run(old).data.params["geometry.steps"] == "30"
    # An older state is checked out: its run is the current one again.
    assert log(write_files("changed", setting="changed", steps=30, psnr=20.0)) == old
    assert current() == {old: "true", new: "false"} and parent_psnr() == 20.0


def test_a_half_logged_run_is_replaced(client: Any) -> None:
    paths = write_files("half", setting="half")
    first = log(paths)
    client.delete_tag(first, "complete")  # a kill before the last step leaves it so
    second = log(paths)
    assert second != first
    assert [run.info.run_id for run in search(client, scene="half")] == [second]
    assert client.get_run(first).info.lifecycle_stage == "deleted"


def test_a_deleted_store_is_followed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    for number in (1, 2):
        assert index_number() == number and index_number() == number  # asking changes nothing
        with single_writer():
            Path("mlflow.db").touch()
        assert index_number() == number
        with single_writer():  # the next run in the same store
            pass
        assert index_number() == number
        Path("mlflow.db").unlink()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://example.org")  # a server is not lost so
    assert index_number() == 2


def tracked(folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command on a run's files with a stamp, and tell how long it took."""
    paths = [Path(path).absolute() for path in write_files("solo", psnr=20.0)]
    command = [*track_command(tuple(paths), Path("stamp.json")), "--tries", "2"]
    whole = {**environment(), **env}
    return subprocess.run(command, cwd=folder, env=whole, capture_output=True, text=True)


def check_failed(folder: Path, done: subprocess.CompletedProcess[str], reason: str) -> None:
    """Check that a failure is one line, and a stamp that asks for another try."""
    assert done.returncode == 0 and "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("warning: ")]
    assert len(lines) == 1 and reason in lines[0]
    stamp = read_json(folder / "stamp.json")
    assert stamp["run_id"] is None and stamp["tries"] == 3 == tries(folder / "stamp.json")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_mlflow_results_stand_and_the_run_is_tried_again(folder: Path) -> None:
    (folder / "broken").mkdir()
    (folder / "broken/mlflow.py").write_text("raise ModuleNotFoundError('No module named mlflow')")
    done = tracked(folder, PYTHONPATH=f"{folder / 'broken'}{os.pathsep}{SRC}")
    check_failed(folder, done, "MLflow cannot be imported")


def test_a_dead_server_is_one_line_without_its_password(folder: Path) -> None:
    done = tracked(folder, MLFLOW_TRACKING_URI="http://me:secret@127.0.0.1:9")
    check_failed(folder, done, "http://127.0.0.1:9 cannot be used")
    assert "secret" not in done.stderr


def test_a_damaged_index_is_one_line(folder: Path) -> None:
    (folder / "mlflow.db").write_bytes(b"no database" * 999)
    check_failed(folder, tracked(folder), "mlflow.db cannot be used")
    assert (folder / "mlflow.db").read_bytes().startswith(b"no database")  # the user's to repair


def test_what_is_missing_is_said_once(folder: Path) -> None:
    for number, run_id in enumerate([None, "abc", None]):
        stamp = Path(f"mlruns/.logged/a/{number}.json")
        write_json(stamp, {"run_id": run_id, "tries": 1, "reason": "it is down"})
    (line,) = missing_lines()
    assert line.startswith("2 finished runs are not in MLflow: it is down; results are complete")


def test_another_server_is_another_index(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    names = {index_name()}
    for server in ("http://a", "http://user:secret@a"):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
        names.add(index_name())
    assert len(names) == 3 and not any("secret" in name for name in names)


def test_predictions_made_elsewhere_have_no_curve_and_perhaps_no_time(client: Any) -> None:
    card, _, scores, scene = write_files("elsewhere")
    said = read_json(card)
    del said["numbers"]["train_s"]
    write_json(card, {**said, "config": {**said["config"], "external": {"method": "LERF"}}})
    from semsplat.track.mlflow_log import Finished, log_finished

    run = client.get_run(log_finished(Finished(card, None, scores, scene)))
    assert run.data.params["external.method"] == "LERF" and run.data.metrics["eval/psnr"] == 20.0
    assert not [name for name in run.data.metrics if name.startswith("train/")]
    assert run.info.end_time == run.info.start_time


def test_steps_that_were_recorded_before_are_no_part_of_a_run(client: Any) -> None:
    card, curve, scores, scene = write_files("along")
    said = read_json(card)
    write_json(card, said | {"numbers": said["numbers"] | {"train_s": 6.5, "recorded_s": 4.0}})
    from semsplat.track.mlflow_log import Finished, log_finished

    run = client.get_run(log_finished(Finished(card, curve, scores, scene)))
    assert run.info.end_time - run.info.start_time == 2_500
    assert run.data.metrics["system/recorded_s"] == 4.0
