"""Which device a job gets, and that nobody else gets it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from semsplat.gpu import claim_device, visible_gpus

SRC = Path(__file__).parents[2] / "src"
HOLD = """
import os, sys, time
from pathlib import Path
from semsplat.gpu import claim_device
with claim_device() as device:
    held = Path(sys.argv[1] + ".tmp")
    held.write_text(device + " " + os.environ["CUDA_VISIBLE_DEVICES"])
    held.rename(sys.argv[1])
    while not Path(sys.argv[1] + ".release").exists():
        time.sleep(0.02)
"""
PATIENCE_S = 30


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ("", []),
        ("-1", []),
        ("3", ["3"]),
        ("0,1", ["0", "1"]),
        ("0, 1", ["0", "1"]),
        ("0,-1,1", ["0"]),
        ("GPU-8932f937,MIG-7", ["GPU-8932f937", "MIG-7"]),
    ],
)
def test_cuda_visible_devices_decides(
    monkeypatch: pytest.MonkeyPatch, listed: str, expected: list[str]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", listed)
    assert visible_gpus() == expected


def test_without_a_driver_there_are_no_gpus(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert visible_gpus() == []
    script = tmp_path / "nvidia-smi"
    script.write_text("#!/bin/sh\necho No devices were found\nexit 6\n")
    script.chmod(0o755)
    assert visible_gpus() == []
    script.write_text("#!/bin/sh\necho 0\necho 1\n")
    assert visible_gpus() == ["0", "1"]


@pytest.mark.parametrize(("listed", "device"), [("", "cpu"), ("1", "cuda")])
def test_none_and_a_single_gpu_need_no_lock(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, listed: str, device: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", listed)
    with claim_device() as claimed:
        assert claimed == device
    assert os.environ["CUDA_VISIBLE_DEVICES"] == listed and not list(tmp_path.iterdir())


def test_a_cluster_job_that_sees_several_locks_one_by_host(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Jobs of two nodes may use GPUs of the same number, though they share a folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLURM_JOB_ID", "17")

    @contextmanager
    def on(node: str) -> Iterator[str]:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")
        monkeypatch.setattr("semsplat.gpu.platform.node", lambda: node)
        with claim_device() as claimed:
            assert claimed == "cuda"
            yield os.environ["CUDA_VISIBLE_DEVICES"]

    with on("a") as first, on("b") as second, on("a") as third:
        assert (first, second, third) == ("2", "2", "3")


def test_a_failed_job_frees_its_gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(3):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
        with pytest.raises(KeyboardInterrupt), claim_device():
            assert os.environ["CUDA_VISIBLE_DEVICES"] == "0"
            raise KeyboardInterrupt


Start = Callable[[str], subprocess.Popen[bytes]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start jobs that hold a device until told otherwise, on a machine with two GPUs."""
    jobs = []
    env = os.environ | {"CUDA_VISIBLE_DEVICES": "0,1", "PYTHONPATH": str(SRC)}

    def popen(name: str) -> subprocess.Popen[bytes]:
        job = subprocess.Popen([sys.executable, "-c", HOLD, name], cwd=tmp_path, env=env)
        jobs.append(job)
        return job

    yield popen
    for job in jobs:
        job.kill()
        job.wait()


def claimed_by(file: Path) -> str:
    """Wait until a job says what it holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not file.exists():
        assert time.monotonic() < deadline, f"{file.name} got no device"
        time.sleep(0.02)
    return file.read_text()


def test_two_jobs_never_share_a_gpu_and_a_third_waits(start: Start, tmp_path: Path) -> None:
    first = start("first")
    start("second")
    held = {name: claimed_by(tmp_path / name) for name in ("first", "second")}
    assert sorted(held.values()) == ["cuda 0", "cuda 1"]
    start("third")
    time.sleep(1.0)
    assert not (tmp_path / "third").exists()
    first.kill()  # SIGKILL: no clean-up of its own
    assert claimed_by(tmp_path / "third") == held["first"]
    (tmp_path / "second.release").touch()
    start("fourth")
    assert claimed_by(tmp_path / "fourth") == held["second"]
