"""The whole suite smoke as jobs of a real SLURM cluster whose one node has no GPU.

Some twenty minutes, most of them waiting: ``pytest -m slow tests/workflow/test_slurm.py``.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import psutil
import pytest

from tests.workflow.cluster import ACCOUNT, PARTITION, cluster, why_not
from tests.workflow.project import SCENES, checkout

MOST_MB = 4000


@pytest.mark.slow
@pytest.mark.timeout(5400)
@pytest.mark.skipif(why_not() is not None, reason=f"no SLURM: {why_not()}")
def test_account_partition_and_one_parameter_are_all_a_small_cluster_needs(tmp_path: Path):
    pytest.importorskip("snakemake_executor_plugin_slurm")
    project = checkout(tmp_path / "project")
    profile = "profiles/slurm/profile.yaml"
    project.edit(profile, "slurm_account: myaccount", f"slurm_account: {ACCOUNT}")
    project.edit(profile, "slurm_partition: gpu", f"slurm_partition: {PARTITION}")
    node = f"node={{cores: {os.cpu_count()}, gpus: 0, mem_mb: {MOST_MB}}}"
    assert psutil.virtual_memory().total / 2**20 > 2 * MOST_MB
    (tmp_path / "cluster").mkdir()
    with cluster(tmp_path / "cluster") as user:
        path = os.pathsep.join([str(Path(sys.executable).parent), user["PATH"]])
        project.run(
            "snakemake", "--profile", "profiles/slurm", "--config", node,
            "--slurm-init-seconds-before-status-checks", "5",
            timeout_s=5000, **{**user, "PATH": path},
        )  # fmt: skip
    for scene in SCENES:
        assert project.json(f"results/train/{scene}/clipgs_d/0/run.json")["phase"] == "train"
    assert project.plan() == set()
