"""Two trainings of one run at once: the second one is refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from semsplat.errors import SemsplatError
from semsplat.fit.lock import sole_trainer
from tests.unit.processes import environment

HOLD = """
import sys
from pathlib import Path
from semsplat.fit.lock import sole_trainer
with sole_trainer(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Return another process that trains the run ``tmp_path/run``."""
    command, pipe = [sys.executable, "-c", HOLD, str(tmp_path / "run")], subprocess.PIPE
    env = environment()
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=env) as process:
        assert process.stdout and process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_run_that_is_being_trained_is_left_alone(
    tmp_path: Path, other: subprocess.Popen[str]
) -> None:
    with pytest.raises(SemsplatError) as caught, sole_trainer(tmp_path / "run"):
        pass
    assert str(caught.value) == (
        f"{tmp_path}/run is being trained by another process (pid {other.pid});"
        " wait for it or stop it"
    )


def test_another_run_is_free(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    with sole_trainer(tmp_path / "run_2"):
        pass


def test_a_killed_process_leaves_the_run_free(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    other.send_signal(signal.SIGKILL)
    other.wait()
    with sole_trainer(tmp_path / "run"):
        assert (tmp_path / "run.lock").read_text() == str(os.getpid())
