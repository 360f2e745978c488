"""Where the time of a run went."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from semsplat.errors import SemsplatError
from semsplat.job import spent


def record(name: str, **facts) -> None:
    """Write what Snakemake notes of an output."""
    path = spent.RECORDS / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"endtime": None, "log": [], "shellcmd": None, **facts}))


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> float:
    """Return when the run began; it is 100 s old and has two cores."""
    monkeypatch.chdir(tmp_path)
    began = time.time() - 100
    monkeypatch.setenv(spent.RUN, f"{began} 2")
    return began


def test_phases_jobs_and_idle_cores(start):
    train = {"log": ["logs/train/a.log"], "shellcmd": "python --threads=1 train"}
    record("a", starttime=start + 1, endtime=start + 41, **train)
    record("deep/er/b", starttime=start + 1, endtime=start + 41.0001, **train)  # another output
    record("c", starttime=start + 2, endtime=start + 12, **train | {"log": ["logs/train/b.log"]})
    speed = {"log": ["logs/evaluate/speed.log"], "shellcmd": "python --threads=2 evaluate"}
    record("d", starttime=start + 50, endtime=start + 60, **speed)
    record("e", starttime=start - 30, endtime=start - 5, **speed)  # of an earlier run
    record("f", starttime=start + 60, log=["logs/figures/x.log"])  # has not ended
    run = spent.present_run()
    assert run and [(p.phase, p.jobs) for p in run.phases] == [("train", 2), ("evaluate", 1)]
    assert [p.seconds for p in run.phases] == pytest.approx([50, 10], abs=1e-3)
    assert [p.busy for p in run.phases] == pytest.approx([50, 20], abs=1e-3)
    assert run.seconds == pytest.approx(100, abs=5)
    assert run.idle == pytest.approx(2 * run.seconds - 70, abs=1e-3)


def test_outside_of_a_run_nothing_is_known(monkeypatch):
    monkeypatch.delenv(spent.RUN, raising=False)
    assert spent.present_run() is None


def test_a_damaged_record_is_one_line(start):
    record("a")
    (spent.RECORDS / "a").write_text("{")
    with pytest.raises(SemsplatError, match="metadata/a: not a record of Snakemake's"):
        spent.present_run()
