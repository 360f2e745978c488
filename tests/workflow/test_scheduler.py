"""Snakemake itself costs nothing that grows with the number of finished jobs."""

from __future__ import annotations

from pathlib import Path

from tests.workflow.project import SCENES, Project, checkout

COUNTED = """
import sys
from snakemake.cli import main
from snakemake.scheduling.job_scheduler import JobScheduler

ask_again = JobScheduler._schedule_reevalutation
def counted(self, delay):
    print("ASKS AGAIN")
    ask_again(self, delay)

JobScheduler._schedule_reevalutation = counted
main(sys.argv[1:])
"""


def test_no_timer_asks_for_jobs_once_more(project: Project):
    (project.root / f"data/{SCENES[0]}/manifest.json").unlink()
    done = project.run("python", "-c", COUNTED, "--cores", "1", f"data/{SCENES[0]}/manifest.json")
    said = done.stdout + done.stderr
    assert "Finished jobid" in said and "ASKS AGAIN" not in said


def test_jobs_are_forks_of_what_has_imported_their_libraries(tmp_path: Path):
    fresh = checkout(tmp_path)
    manifest, log = f"data/{SCENES[0]}/manifest.json", f"logs/data/{SCENES[0]}.log"
    fresh.snakemake(manifest, PYTHONPROFILEIMPORTTIME="1")
    imported = fresh.read(log)  # what the job's own interpreter imported
    assert "semsplat.job" in imported and "semsplat.commands" not in imported
