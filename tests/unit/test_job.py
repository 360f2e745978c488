"""A job in a fork is to all around it the program that was asked for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

import semsplat
from semsplat.job import ADDRESS, server

PROBE = """
import os, signal, sys, time
print("modules" if "torch" in sys.modules else "no modules", os.getpid(), flush=True)
match sys.argv[1:]:
    case ["tell", *rest]:
        print(os.getcwd(), os.environ.get("TOLD"), os.environ["OMP_NUM_THREADS"], rest, input())
    case ["exit", code]:
        sys.exit(int(code))
    case ["refuse"]:
        sys.exit("error: no")
    case ["fail"]:
        {}["nothing"]
    case ["wait"]:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
        print("waiting", flush=True)
        time.sleep(60)
    case ["masks"]:
        for thread in os.listdir("/proc/self/task"):
            status = open(f"/proc/self/task/{thread}/status").read()
            print(thread, status.partition("SigBlk:")[2].split()[0])
"""
KERNELS = """
def compile_kernels():
    open("{}/compiled", "w").close()
"""
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="no server there")


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a place with our package and a phase "probe" in it."""
    root = tmp_path_factory.mktemp("sources")
    (root / "semsplat").mkdir()
    (root / "semsplat/fit").mkdir()
    package = Path(semsplat.__file__).parent
    for path in [*package.iterdir(), *(package / "fit").iterdir()]:
        if path.name not in ("fit", "kernels.py"):
            (root / "semsplat" / path.relative_to(package)).symlink_to(path)
    (root / "semsplat/fit/kernels.py").write_text(KERNELS.format(root))
    (root / "semsplat/probe.py").write_text(PROBE)
    return root


@pytest.fixture(scope="module")
def served(sources: Path) -> Iterator[dict[str, str]]:
    """Return the environment of jobs beside a server."""
    env = {**os.environ, "PYTHONPATH": str(sources)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(sources))
        patch.setenv("CUDA_VISIBLE_DEVICES", "")
        address, program = server.start()
    assert program.stdin
    yield {**env, ADDRESS: address}
    program.stdin.close()
    end = time.monotonic() + 20
    while Path(address).exists():
        assert time.monotonic() < end, "the server outlives its workflow"
        time.sleep(0.05)


def command(*arguments: str, threads: int = 1) -> list[str]:
    return [sys.executable, "-m", "semsplat.job", f"--threads={threads}", "probe", *arguments]


def run(env: dict[str, str], *arguments: str, threads: int = 1, **options):
    return subprocess.run(
        command(*arguments, threads=threads), env=env, capture_output=True, text=True,
        timeout=60, **options,
    )  # fmt: skip


def waiting(env: dict[str, str]) -> tuple[subprocess.Popen[str], int]:
    """Return a program whose job waits, and the job's process."""
    program = subprocess.Popen(command("wait"), env=env, stdout=subprocess.PIPE, text=True)
    assert program.stdout
    pid = int(program.stdout.readline().split()[-1])
    assert program.stdout.readline() == "waiting\n" and pid != program.pid
    return program, pid


def ends(pid: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        psutil.Process(pid).wait(20)
    return not psutil.pid_exists(pid)


def test_a_fork_has_the_folder_environment_arguments_and_streams_of_who_asks(served, tmp_path):
    done = run({**served, "TOLD": "something"}, "tell", "a b", "", cwd=tmp_path, input="in\n")
    first, second = done.stdout.splitlines()
    assert first.startswith("modules ")
    assert second == f"{tmp_path} something 1 ['a b', ''] in"
    assert done.returncode == 0 and not done.stderr


def test_it_ends_as_the_program_ends(served):
    assert run(served, "exit", "3").returncode == 3
    refused, failed = run(served, "refuse"), run(served, "fail")
    assert (refused.returncode, refused.stderr) == (1, "error: no\n")
    assert failed.returncode == 1 and failed.stderr.endswith("KeyError: 'nothing'\n")


def test_without_a_server_or_on_several_threads_it_is_the_program(served):
    alone = {key: value for key, value in served.items() if key != ADDRESS}
    for env, threads in (
        (alone, 1), (served, 2), ({**served, ADDRESS: "/nowhere/socket"}, 1),
    ):  # fmt: skip
        done = run(env, "tell", threads=threads, input="in\n")
        assert done.stdout.startswith("no modules") and f"None {threads} []" in done.stdout


def test_a_signal_reaches_the_fork_and_its_answer_who_asked(served):
    program, pid = waiting(served)
    program.send_signal(signal.SIGTERM)
    assert program.wait(20) == 7 and ends(pid)


def test_signals_reach_the_thread_that_does_the_job(served):
    """Another that took one would leave the job asleep: so it was for one stopped just before."""
    first, *threads = run(served, "masks").stdout.splitlines()
    blocked = {thread: int(mask, 16) for thread, mask in map(str.split, threads)}
    handled = {number: 1 << (number - 1) for number in (signal.SIGINT, signal.SIGTERM)}
    job = first.split()[-1]
    assert len(blocked) > 1 and not blocked.pop(job) & sum(handled.values())
    assert all(mask & sum(handled.values()) == sum(handled.values()) for mask in blocked.values())


def test_a_fork_dies_with_who_asked(served):
    program, pid = waiting(served)
    program.kill()
    assert ends(pid)


def test_a_killed_fork_is_told(served):
    program = subprocess.Popen(
        command("wait"), env=served, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert program.stdout and program.stderr
    pid = int(program.stdout.readline().split()[-1])
    os.kill(pid, signal.SIGKILL)
    assert program.wait(20) == 137
    assert program.stderr.read() == f"error: the job was killed (process {pid})\n"


def test_a_phase_that_cannot_be_imported_says_so_itself(served):
    done = subprocess.run(
        [sys.executable, "-m", "semsplat.job", "--threads=1", "nowhere"],
        env=served, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1 and "No module named semsplat.nowhere" in done.stderr


def test_kernels_are_compiled_meanwhile(served, sources):
    end = time.monotonic() + 20
    while not (sources / "compiled").exists():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_stopped_fork_outlives_its_server(served):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", served["PYTHONPATH"])
        address, workflow = server.start()
    program, pid = waiting({**served, ADDRESS: address})
    os.kill(pid, signal.SIGSTOP)
    assert workflow.stdin
    workflow.stdin.close()
    end = time.monotonic() + 20
    while Path(address).exists():
        assert time.monotonic() < end
        time.sleep(0.05)
    time.sleep(0.5)
    assert psutil.Process(pid).status() == psutil.STATUS_STOPPED
    os.kill(pid, signal.SIGCONT)
    program.send_signal(signal.SIGTERM)
    assert program.wait(20) == 7
