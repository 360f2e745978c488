"""What the cache serves counts with the seconds that it took to make."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from semsplat.features import cache as module
from semsplat.features.cache import Cache


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch):
    """A clock that only moves when a test moves it."""
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def arrays(clock: list[float], seconds: float):
    """Return a computation that takes so many seconds."""

    def compute():
        clock[0] += seconds
        return {"a": np.arange(3)}

    return compute


def test_who_is_served_learns_what_it_cost(tmp_path: Path, clock) -> None:
    first, second = Cache(tmp_path), Cache(tmp_path)
    made = first.get(tmp_path / "x.npz", arrays(clock, 3.0))
    served = second.get(tmp_path / "x.npz", arrays(clock, 9.0))
    assert (first.saved_s, second.saved_s) == (0, 3)
    assert list(served) == ["a"] == list(made) and served["a"].tolist() == [0, 1, 2]


def test_what_is_served_within_is_a_part_of_what_is_made(tmp_path: Path, clock) -> None:
    Cache(tmp_path).get(tmp_path / "inner.npz", arrays(clock, 3.0))

    def outer():
        clock[0] += 2
        return second.get(tmp_path / "inner.npz", arrays(clock, 9.0))

    second, third = Cache(tmp_path), Cache(tmp_path)
    second.get(tmp_path / "outer.npz", outer)
    third.get(tmp_path / "outer.npz", outer)
    assert (second.saved_s, third.saved_s) == (3, 5)


def test_waiting_for_who_computes_is_no_saving(tmp_path: Path, clock, monkeypatch) -> None:
    Cache(tmp_path).get(tmp_path / "x.npz", arrays(clock, 3.0))

    class Lock:
        def __init__(self, _path: Path) -> None:
            pass

        def __enter__(self) -> None:
            clock[0] += 2

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(module, "FileLock", Lock)
    waited = Cache(tmp_path)
    waited.shared(tmp_path / "x.npz", arrays(clock, 9.0))
    assert waited.saved_s == 1
