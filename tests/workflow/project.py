"""A copy of the repository in which the real workflow runs."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
TIMEOUT_S = 600
SCENES = ("procedural/nook", "procedural/tray")
SETTINGS = ("clipgs_a", "clipgs_d")  # learn classes from lessons
FROZEN = ("gags",)  # learn from features on finished geometry
MASKED = ("cgc",)  # learn from masks
# What a person's shell may bring along; a test of the workflow must not depend on it.
FOREIGN = ("SNAKEMAKE_PROFILE", "MLFLOW_TRACKING_URI", "SLURM_JOB_ID", "NUMBA_CACHE_DIR")

Done = subprocess.CompletedProcess[str]


def environment() -> dict[str, str]:
    """Return the environment of commands: this interpreter, the copy's own code, no GPU."""
    kept = {key: value for key, value in os.environ.items() if key not in FOREIGN}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    git = {f"GIT_{who}_{what}": "test@example.org" for who in ("AUTHOR", "COMMITTER")
           for what in ("NAME", "EMAIL")}  # fmt: skip
    own = {"PATH": path, "PYTHONPATH": "src", "CUDA_VISIBLE_DEVICES": "", "NO_COLOR": "1"}
    return {**kept, **git, **own}


@dataclass(frozen=True)
class Project:
    """One working copy."""

    root: Path

    def run(
        self, *command: str, fails: bool = False, timeout_s: int = TIMEOUT_S, **env: str
    ) -> Done:
        """Run a command here; it must succeed, or fail where that is expected."""
        done = subprocess.run(
            command, cwd=self.root, env={**environment(), **env}, capture_output=True, text=True,
            timeout=timeout_s, check=False,
        )  # fmt: skip
        assert bool(done.returncode) == fails, f"{command}\n{done.stdout}\n{done.stderr}"
        return done

    def snakemake(self, *arguments: str, fails: bool = False, **env: str) -> str:
        """Run Snakemake on two cores and return all it says."""
        done = self.run("snakemake", "--cores", "2", *arguments, fails=fails, **env)
        return done.stdout + done.stderr

    def plan(self, *arguments: str) -> set[str]:
        """Return the messages of the jobs that Snakemake would run."""
        done = self.run("snakemake", "--dry-run", *arguments)
        said = done.stdout + done.stderr
        jobs = set(re.findall(r"^Job \d+: (.*)$", said, re.MULTILINE))
        assert jobs or "Nothing to be done" in said, said
        return jobs

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace a text that occurs once in a file."""
        file = self.root / path
        text = file.read_text()
        assert text.count(old) == 1, f"{path}: '{old}' occurs {text.count(old)} times"
        file.write_text(text.replace(old, new))

    def read(self, path: str) -> str:
        """Return a file's text."""
        return (self.root / path).read_text()

    def json(self, path: str) -> Any:
        """Return a JSON file's content."""
        return json.loads(self.read(path))

    def hashes(self, *folders: str) -> dict[str, str]:
        """Return {path: sha256} of all files below folders."""
        files = [p for f in folders for p in (self.root / f).rglob("*") if p.is_file()]
        return {
            path.relative_to(self.root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
        }

    def copy(self, root: Path) -> Project:
        """Return a copy, with file times and Snakemake's records."""
        shutil.copytree(self.root, root, symlinks=True)
        return Project(root)


def checkout(root: Path) -> Project:
    """Return a copy of the repository's sources as a repository of one commit, on suite smoke."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    ).stdout.split("\0")  # fmt: skip
    for name in listed:
        source = REPOSITORY / name
        if name and source.is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, root / name)
    project = Project(root)
    suite = re.search(r"^suite: .*$", project.read("params.yaml"), re.MULTILINE)
    assert suite
    project.edit("params.yaml", suite[0], "suite: smoke")
    project.run("git", "init", "--quiet")
    project.run("git", "add", "--all")
    project.run("git", "commit", "--quiet", "--message", "Start")
    return project


# What each job of suite smoke is called.


def run_jobs(scene: str, seed: int = 0) -> set[str]:
    """Return the jobs from reconstruction on of one run."""
    return {
        f"reconstruct {scene}, seed {seed}",
        f"ask geometry on {scene}, seed {seed}",
        f"score geometry on {scene}, seed {seed}",
        f"index {scene}, seed {seed}, in MLflow",
        f"draw paper_figures/smoke/views/{scene}/{seed}.png",
    }


def data_jobs(scene: str) -> set[str]:
    """Return the jobs that make one scene."""
    return {f"draw {scene}", f"import {scene}"}


def feature_figures(scene: str) -> set[str]:
    """Return the jobs that draw a scene's features."""
    kinds = ("masks", "labels", "inconsistency")
    return {f"draw paper_figures/smoke/{kind}/{scene}.png" for kind in kinds}


def feature_jobs(scene: str) -> set[str]:
    """Return the jobs from the images of one scene to the pictures of its features."""
    jobs = {f"extract features regions/all of {scene}", f"score features regions/all of {scene}"}
    return jobs | feature_figures(scene)


def setting_jobs(scene: str, setting: str, seed: int = 0) -> set[str]:
    """Return the jobs from training on of one setting."""
    place = f"{setting} on {scene}, seed {seed}"
    return {
        *(f"{verb} {place}" for verb in ("train", "ask", "score")),
        f"index {place}, in MLflow",
    }


def level_jobs(scene: str, seed: int = 0) -> set[str]:
    """Return the jobs from a seed's finished geometry to its features on three levels."""
    return {f"{verb} features granular/{seed} of {scene}" for verb in ("extract", "score")}


def frozen_figures(scene: str, seed: int = 0) -> set[str]:
    """Return the jobs that draw what was learned on finished geometry."""
    kinds = ("gags_relevancy", "gags_granularity")
    return {f"draw paper_figures/smoke/{kind}/{scene}/{seed}.png" for kind in kinds}


def frozen_jobs(scene: str, seed: int = 0) -> set[str]:
    """Return the jobs from a scene's features on three levels to pictures of what was learned."""
    trained = {job for setting in FROZEN for job in setting_jobs(scene, setting, seed)}
    return trained | frozen_figures(scene, seed)


def masked_figures(scene: str, seed: int = 0) -> set[str]:
    """Return the jobs that draw what was learned of masks."""
    kinds = ("clicks", "features", "extraction", "clusters")
    names = [f"cgc_{kind}/{scene}/{seed}.png" for kind in kinds]
    return {f"draw paper_figures/smoke/{name}" for name in names}


def masked_jobs(scene: str, seed: int = 0) -> set[str]:
    """Return the jobs from a scene's masks to pictures of what was learned."""
    trained = {job for setting in MASKED for job in setting_jobs(scene, setting, seed)}
    trained |= {f"cluster {setting} on {scene}, seed {seed}" for setting in MASKED}
    return trained | masked_figures(scene, seed)


def taught_jobs(scene: str, seed: int = 0) -> set[str]:
    """Return the jobs from a scene's lessons to the pictures of what was learned."""
    trained = {job for setting in SETTINGS for job in setting_jobs(scene, setting, seed)}
    maps = f"draw paper_figures/smoke/clipgs_maps/{scene}/{seed}.png"
    return {f"teach {scene} by clip, seed {seed}", maps} | trained


COLLECT = "collect the scores of suite smoke"
SPEED = "measure the speed of suite smoke"
TABLE = "draw paper_figures/smoke/clipgs_details.md"
QUERY_TABLE = "draw paper_figures/smoke/gags_details.md"
SELECTION_TABLE = "draw paper_figures/smoke/cgc_details.md"
PAPER_TABLES = {f"draw paper_figures/smoke/{name}.md" for name in ("clipgs_table1", "gags_table3")}
REFEREE = PAPER_TABLES | {f"draw paper_figures/smoke/{name}.md" for name in ("claims", "costs")}
PAGE = "write paper_figures/smoke/index.html"
SCORES = "draw paper_figures/smoke/scores.md"
TABLES = {SCORES, TABLE, QUERY_TABLE, SELECTION_TABLE, *REFEREE}
SUITE_FIGURES = {
    *(f"draw paper_figures/smoke/{name}.svg" for name in ("curves", "gaussians")),
    *TABLES,
}
SUITE_JOBS = SUITE_FIGURES | {COLLECT, SPEED, PAGE}
# the tables name the speed of the suite
TRAINED_SUITE_JOBS = {COLLECT, SPEED, TABLE, QUERY_TABLE, SELECTION_TABLE, *REFEREE, PAGE}
ALL_RUN_JOBS = {job for scene in SCENES for job in run_jobs(scene)}
ALL_DATA_JOBS = {job for scene in SCENES for job in data_jobs(scene)}
ALL_FEATURE_JOBS = {job for scene in SCENES for job in feature_jobs(scene)}
ALL_TAUGHT_JOBS = {job for scene in SCENES for job in taught_jobs(scene)}
ALL_LEVEL_JOBS = {job for scene in SCENES for job in level_jobs(scene)}
ALL_FROZEN_JOBS = {job for scene in SCENES for job in frozen_jobs(scene)}
ALL_MASKED_JOBS = {job for scene in SCENES for job in masked_jobs(scene)}
# what fits a geometry, or depends on a fitted one
ALL_FITTED_JOBS = (
    ALL_RUN_JOBS | ALL_TAUGHT_JOBS | ALL_LEVEL_JOBS | ALL_FROZEN_JOBS | ALL_MASKED_JOBS | SUITE_JOBS
)
EVERYTHING = ALL_DATA_JOBS | ALL_FEATURE_JOBS | ALL_FITTED_JOBS
