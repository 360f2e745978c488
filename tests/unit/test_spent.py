"""Where the time of a run went."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from semsplat.errors import SemsplatError
from semsplat.job import ended, spent
from semsplat.job.spent import Run, Spent


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


def test_a_workflow_ends_with_what_was_made_and_where_to_look(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    trainings = [Path("results/train/d/s", name, "0") for name in ("one", "two", "three")]
    for folder in trainings[:2]:
        folder.mkdir(parents=True)
        (folder / "run.json").touch()
    assert list(ended.lines(Path("page.html"), trainings[2:])) == []
    Path("page.html").touch()
    phases = [Spent("train", 2, 9.0, 9.0), Spent("data", 1, 1.0, 2.0)]
    monkeypatch.setattr(ended, "present_run", lambda: Run(phases, 61.4, 2))
    assert list(ended.lines(Path("page.html"), trainings)) == [
        "made in 0:01:01: 1 data, 2 train",
        "look first at: page.html",
        "look around:   semsplat view results/train/d/s/one/0 results/train/d/s/two/0",
    ]
    monkeypatch.setattr(ended, "present_run", lambda: Run([], 2.0, 2))
    assert next(ended.lines(Path("page.html"), [])) == "nothing had to be made"
