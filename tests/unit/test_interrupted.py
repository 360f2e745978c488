"""Ctrl-C is silent or one line, whatever a program is doing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import semsplat

SOURCES = str(Path(semsplat.__file__).parents[1])
HIT = "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(10)\n"


def interrupted(library: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """Run a training that gets a SIGINT while it imports a library."""
    (tmp_path / f"{library}.py").write_text(HIT)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), SOURCES])}
    options = {name: str(tmp_path / name) for name in ("scene", "out", "scratch")}
    arguments = [f"--{k}={v}" for k, v in {**options, "config": "{}", "save-every-s": "1"}.items()]
    return subprocess.run(
        [sys.executable, "-m", "semsplat.train", *arguments], cwd=tmp_path, env=env,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_before_the_command_it_ends_without_a_word(tmp_path: Path):
    done = interrupted("tyro", tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


@pytest.mark.parametrize("library", ["torch", "safetensors"])
def test_within_the_command_it_says_one_line(library: str, tmp_path: Path):
    done = interrupted(library, tmp_path)
    assert done.returncode == 128 + signal.SIGINT
    assert done.stderr == "stopped by SIGINT; what is finished or saved will be continued from\n"


def test_a_program_that_only_uses_the_package_keeps_its_own_way(tmp_path: Path):
    code = "import signal, semsplat; raise SystemExit(signal.getsignal(signal.SIGINT) != h)"
    code = f"import signal; h = signal.default_int_handler; {code}"
    env = {**os.environ, "PYTHONPATH": SOURCES}
    subprocess.run([sys.executable, "-c", code], env=env, check=True, cwd=tmp_path)
