"""What a GPU job needs: each thing that is missing is a line that says what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from semsplat import cli, doctor
from semsplat.doctor import findings
from semsplat.errors import SemsplatError
from semsplat.splat import kernels_gpu

SRC = Path(__file__).parents[2] / "src"
ROW = "0, NVIDIA H200, 580.65.06, {free}, 143771"


def script(folder: Path, name: str, said: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\ncat <<'X'\n{said}\nX\n")
    path.chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of programs: a machine with a GPU that has all it needs."""
    programs = tmp_path / "bin"
    programs.mkdir()
    script(programs, "nvidia-smi", ROW.format(free=142000))
    script(programs, "nvcc", f"Cuda compilation tools, release {torch.version.cuda}, V1")
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(kernels_gpu, "built_library", lambda: None)
    return programs


def wrong(about: str) -> str:
    """Return the only line that is wrong."""
    (line,) = [one for one in findings() if not one.good]
    assert line.about == about and str(line).startswith(f"ERROR {about}: ")
    return line.said


def test_a_machine_without_a_gpu_computes_on_its_cpu(monkeypatch, capsys):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    cli.doctor()
    first, second = capsys.readouterr().out.splitlines()
    assert first == "ok    GPU: none is visible: every job computes on the CPU"
    assert second.startswith("ok    disk: ")
    with pytest.raises(SemsplatError, match="no GPU is visible"):
        cli.doctor(build=True)


def test_a_machine_that_has_everything_is_ready(machine, capsys):
    cli.doctor()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "ok    GPU 0", "ok    torch", "ok    nvcc", "ok    gsplat", "ok    disk",
    ]  # fmt: skip
    assert "NVIDIA H200, driver 580.65.06, 142000 of 143771 MB free" in lines[0]
    assert f"for CUDA {torch.version.cuda}" in lines[1]
    assert "not built yet" in lines[3]


def test_without_a_driver(machine):
    (machine / "nvidia-smi").write_text("#!/bin/sh\nexit 9\n")
    assert "install NVIDIA's driver" in wrong("driver")


def test_a_gpu_that_others_use(machine):
    script(machine, "nvidia-smi", ROW.format(free=1000))
    assert "1000 of 143771 MB free; others use it" in wrong("GPU 0")


def test_a_driver_too_old_for_torch(machine, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert "update" in wrong("torch")
    with pytest.raises(SemsplatError, match="not ready for GPU jobs: torch"):
        cli.doctor()


def test_a_torch_for_cpus(machine, monkeypatch):
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(kernels_gpu, "built_library", lambda: Path("gsplat_cuda.so"))
    assert "built for CPUs" in wrong("torch")


@pytest.mark.parametrize("said", ["Cuda compilation tools, release 11.8, V11.8.89", "what?"])
def test_a_compiler_of_another_cuda_matters_until_the_kernels_are_built(machine, monkeypatch, said):
    script(machine, "nvcc", said)
    assert f"install the CUDA toolkit {torch.version.cuda.split('.')[0]}.x" in wrong("nvcc")
    monkeypatch.setattr(kernels_gpu, "built_library", lambda: Path("gsplat_cuda.so"))
    assert all(one.good for one in findings())


def test_a_full_disk(machine, monkeypatch):
    monkeypatch.setattr(doctor, "MIN_FREE_DISK_GB", 10**9)
    assert " GB free in " in wrong("disk")


BACKEND = """
import os, time
with open("log", "a") as log:
    log.write(f"begin {os.environ['MAX_JOBS']}\\n"); log.flush()
    time.sleep(0.5)
    log.write("end\\n")
_C = VALUE
"""
LOAD = "from semsplat.splat.kernels_gpu import load_kernels; load_kernels()"


def stub(folder: Path, value: str) -> dict[str, str]:
    """Write a gsplat that is built as slowly as it says; return the environment that has it."""
    package = folder / "stub/gsplat/cuda"
    package.mkdir(parents=True, exist_ok=True)
    for init in (package.parent, package):
        (init / "__init__.py").touch()
    (package / "_backend.py").write_text(BACKEND.replace("VALUE", value))
    return os.environ | {"PYTHONPATH": f"{folder / 'stub'}:{SRC}"}


def test_kernels_are_built_by_one_process_at_a_time(tmp_path):
    env = stub(tmp_path, "object()")
    jobs = [subprocess.Popen([sys.executable, "-c", LOAD], cwd=tmp_path, env=env) for _ in "ab"]
    assert [job.wait(60) for job in jobs] == [0, 0]
    lines = [line.split()[0] for line in (tmp_path / "log").read_text().splitlines()]
    assert lines == ["begin", "end"] * 2


def test_compilers_fit_into_memory_and_kernels_that_cannot_be_built_are_one_line(
    tmp_path, monkeypatch
):
    env = stub(tmp_path, "None")
    run = subprocess.run([sys.executable, "-c", LOAD], cwd=tmp_path, env=env, capture_output=True)
    assert run.returncode and b"run semsplat doctor" in run.stderr
    assert 1 <= int((tmp_path / "log").read_text().split()[1]) <= len(os.sched_getaffinity(0))
    monkeypatch.setattr(
        kernels_gpu.psutil, "virtual_memory", lambda: type("", (), {"available": 9 * 2**30})
    )
    monkeypatch.setattr(kernels_gpu.os, "sched_getaffinity", lambda _: range(64))
    assert kernels_gpu.compilers() == 2
