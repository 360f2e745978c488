"""What others use of a device while something is measured on it."""

from __future__ import annotations

import subprocess
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from semsplat.evaluate import others
from semsplat.evaluate.others import Others


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting, and one GPU."""
    monkeypatch.setattr(others, "SETTLED_S", 0.0)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")


def clocks(monkeypatch: pytest.MonkeyPatch, every: dict[str, float], own: float) -> None:
    """Let these seconds pass between the first look and the second."""
    names = ("user", "nice", "system", "irq", "softirq", "steal", "idle", "iowait", "guest")
    looks = iter([dict.fromkeys(names, 100.0), {n: 100.0 + every.get(n, 0) for n in names}])
    mine = iter([5.0, 5.0 + own])
    monkeypatch.setattr(psutil, "cpu_times", lambda: SimpleNamespace(**next(looks)))
    process = SimpleNamespace(cpu_times=lambda: SimpleNamespace(user=next(mine), system=0.0))
    monkeypatch.setattr(psutil, "Process", lambda: process)


@pytest.mark.parametrize(
    ("every", "own", "share"),
    [
        ({"user": 10, "idle": 10}, 10.0, 0.0),  # all of it was ours
        ({"user": 9, "system": 2, "idle": 9}, 9.0, 0.1),
        ({"user": 10, "steal": 5, "idle": 5}, 10.0, 0.25),  # another guest of the host
        ({"user": 10, "guest": 10, "iowait": 10}, 10.0, 0.0),  # a guest's is in user already
        ({"user": 9.99, "idle": 10}, 10.0, 0.0),  # clocks tick
    ],
)
def test_what_is_neither_ours_nor_free_is_others(
    monkeypatch: pytest.MonkeyPatch, every: dict[str, float], own: float, share: float
) -> None:
    clocks(monkeypatch, every, own)
    assert Others("cpu").share() == pytest.approx(share)


def told(monkeypatch: pytest.MonkeyPatch, text: str | None) -> list[list[str]]:
    """Let nvidia-smi say this, or be not there; return what is asked."""
    asked = []

    def run(command: list[str], **_: Any) -> Any:
        asked.append(command)
        if text is None:
            raise FileNotFoundError
        return subprocess.CompletedProcess(command, 0, text)

    monkeypatch.setattr(subprocess, "run", run)
    return asked


@pytest.mark.parametrize(("text", "share"), [("40\n", 0.4), ("0\n", 0.1), ("[N/A]\n", None)])
def test_a_gpu_is_asked_before_it_is_used(
    monkeypatch: pytest.MonkeyPatch, text: str, share: float | None
) -> None:
    clocks(monkeypatch, {"user": 9, "system": 2, "idle": 9}, 9.0)
    asked = told(monkeypatch, text)
    busy = Others("cuda")
    assert len(asked) == 1 and "--id=2" in asked[0]
    assert busy.share() == share and len(asked) == 1


def test_a_gpu_that_does_not_tell_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    told(monkeypatch, None)
    assert Others("cuda").share() is None
