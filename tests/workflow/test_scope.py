"""A change makes stale what depends on it, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.workflow.project import (
    ALL_FEATURE_JOBS,
    ALL_FITTED_JOBS,
    ALL_FROZEN_JOBS,
    ALL_LEVEL_JOBS,
    ALL_MASKED_JOBS,
    ALL_TAUGHT_JOBS,
    EVERYTHING,
    PAGE,
    PAPER_TABLES,
    QUERY_TABLE,
    SCENES,
    SCORES,
    SELECTION_TABLE,
    SPEED,
    SUITE_FIGURES,
    SUITE_JOBS,
    TABLE,
    TABLES,
    TRAINED_SUITE_JOBS,
    Project,
    data_jobs,
    feature_figures,
    feature_jobs,
    frozen_figures,
    frozen_jobs,
    level_jobs,
    masked_figures,
    masked_jobs,
    run_jobs,
    setting_jobs,
    taught_jobs,
)

VIEWS = {f"draw paper_figures/smoke/views/{scene}/0.png" for scene in SCENES}
FEATURE_FIGURES = {job for scene in SCENES for job in feature_figures(scene)}
MAPS = {f"draw paper_figures/smoke/clipgs_maps/{scene}/0.png" for scene in SCENES}
QUERIES = {job for scene in SCENES for job in frozen_figures(scene)}
SELECTIONS = {job for scene in SCENES for job in masked_figures(scene)}
CLUSTERED = {f"cluster cgc on {scene}, seed 0" for scene in SCENES} | {
    f"draw paper_figures/smoke/cgc_clusters/{scene}/0.png" for scene in SCENES
}
TRAININGS = {f"train cgc on {scene}, seed 0" for scene in SCENES}
WHOLE = {job for scene in SCENES for job in setting_jobs(scene, "clipgs_d")}
CURVES = {"draw paper_figures/smoke/curves.svg"}
Plans = dict[str, Future[set[str]]]
NEW_CODE = (
    "from __future__ import annotations\n",
    "from __future__ import annotations\n\nNEW = 1\n",
)
LOSSES = "src/semsplat/fit/losses.py"
SSIM = "src/semsplat/fit/ssim_cpu.py"
TRAY = "{kind: tabletop, seed: 8, n_views: 12"
SMOKE_SEEDS = "scenes: [procedural/nook, procedural/tray]\n    seeds: [0]"

CHANGES = {
    "an option of a figure": ("params.yaml", "error_max: 0.3", "error_max: 0.4", VIEWS | {PAGE}),
    "a learning rate": (
        "params.yaml", "sh0: 2.5e-3", "sh0: 3.0e-3", ALL_FITTED_JOBS,
    ),
    "the interval between saved states": (
        "params.yaml", "save_every_s: 20.0", "save_every_s: 21.0", set(),
    ),
    "the interval between logged steps": (
        "params.yaml", "log_every: 10", "log_every: 11",
        ALL_FITTED_JOBS,
    ),
    "an option of one scene": (
        "params.yaml", TRAY, TRAY.replace("12", "11"),
        data_jobs(SCENES[1]) | run_jobs(SCENES[1]) | feature_jobs(SCENES[1])
        | taught_jobs(SCENES[1]) | level_jobs(SCENES[1]) | frozen_jobs(SCENES[1])
        | masked_jobs(SCENES[1]) | SUITE_JOBS,
    ),
    "one more seed": (
        "params.yaml", SMOKE_SEEDS, SMOKE_SEEDS.replace("[0]", "[0, 1]"),
        run_jobs(SCENES[0], 1) | run_jobs(SCENES[1], 1) | taught_jobs(SCENES[0], 1)
        | taught_jobs(SCENES[1], 1) | level_jobs(SCENES[0], 1) | level_jobs(SCENES[1], 1)
        | frozen_jobs(SCENES[0], 1) | frozen_jobs(SCENES[1], 1)
        | masked_jobs(SCENES[0], 1) | masked_jobs(SCENES[1], 1) | SUITE_JOBS,
    ),
    "the size of dense maps": (
        "params.yaml", "short_side_px: 184", "short_side_px: 120",
        ALL_FEATURE_JOBS | ALL_TAUGHT_JOBS | ALL_MASKED_JOBS | TRAINED_SUITE_JOBS,
    ),
    "an override of one setting": (
        "params.yaml", "clipgs_d: {method: clip_gs, override: {},",
        "clipgs_d: {method: clip_gs, override: {dim: 4},", WHOLE | MAPS | TRAINED_SUITE_JOBS,
    ),
    "a setting that the suite does not show": (
        "params.yaml", "clipgs_b1: {method: clip_gs, override: {dim: 16}",
        "clipgs_b1: {method: clip_gs, override: {dim: 12}", set(),
    ),
    "the self-training's code": (
        "src/semsplat/train/coherent.py", *NEW_CODE, WHOLE | MAPS | TRAINED_SUITE_JOBS,
    ),
    "a segmenter's code": (
        "src/semsplat/features/segmenters/sam_automatic.py", *NEW_CODE,
        ALL_FEATURE_JOBS | ALL_TAUGHT_JOBS | ALL_MASKED_JOBS | TRAINED_SUITE_JOBS,
    ),
    "the code of a segmenter that follows the geometry": (
        "src/semsplat/features/segmenters/sam_granular.py", *NEW_CODE,
        ALL_LEVEL_JOBS | ALL_FROZEN_JOBS | TRAINED_SUITE_JOBS,
    ),
    "a loss on finished geometry": (
        "src/semsplat/train/granularity.py", *NEW_CODE, ALL_FROZEN_JOBS | TRAINED_SUITE_JOBS,
    ),
    "a loss on masks": (
        "src/semsplat/train/contrast.py", *NEW_CODE, ALL_MASKED_JOBS | TRAINED_SUITE_JOBS,
    ),
    "a grounder's code": (
        "src/semsplat/evaluate/grounders/points.py", *NEW_CODE,
        ALL_MASKED_JOBS - CLUSTERED - TRAININGS | TRAINED_SUITE_JOBS
        - {SPEED, TABLE, QUERY_TABLE, *PAPER_TABLES},
    ),
    "a protocol's code": (
        "src/semsplat/evaluate/protocols/localisation.py", *NEW_CODE,
        {f"score gags on {scene}, seed 0" for scene in SCENES}
        | {f"index gags on {scene}, seed 0, in MLflow" for scene in SCENES}
        | {f"draw paper_figures/smoke/gags_relevancy/{scene}/0.png" for scene in SCENES}
        | TRAINED_SUITE_JOBS
        - {SPEED, TABLE, SELECTION_TABLE, "draw paper_figures/smoke/clipgs_table1.md"},
    ),
    "another segmenter's code": (
        "src/semsplat/features/segmenters/felzenszwalb.py", *NEW_CODE, set(),
    ),
    "a comment": (SSIM, "SIGMA = 1.5\n", "SIGMA = 1.5  # pixels\n", set()),
    "a docstring": (LOSSES, '"""Reconstruction losses."""', '"""Losses."""', set()),
    "a constant of a loss": (
        SSIM, "SIGMA = 1.5\n", "SIGMA = 1.6\n",
        ALL_FITTED_JOBS,
    ),
    "the code of one figure": (
        "src/semsplat/figures/curves.py", *NEW_CODE, CURVES | {PAGE},
    ),
    "the code of all figures": (
        "src/semsplat/figures/style.py", *NEW_CODE,
        VIEWS | FEATURE_FIGURES | MAPS | QUERIES | SELECTIONS | SUITE_FIGURES - TABLES | {PAGE},
    ),
    "the rules of verdicts": (
        "src/semsplat/figures/published/claims.yaml", "alpha: 0.05", "alpha: 0.04",
        TABLES - {SCORES} | {PAGE},
    ),
    "a precondition's code": (
        "src/semsplat/figures/referee/preconditions/levels_differ.py", *NEW_CODE,
        {"draw paper_figures/smoke/claims.md", PAGE},
    ),
    "the page's template": (
        "src/semsplat/figures/page/costs.html", "<h2 id=\"costs\">", "<h2 id=\"cost\">", {PAGE},
    ),
    "one more setting of the suite": (
        "params.yaml", "settings: [clipgs_a, clipgs_d, gags, cgc]",
        "settings: [clipgs_a, clipgs_b, clipgs_d, gags, cgc]",
        {job for scene in SCENES for job in setting_jobs(scene, "clipgs_b")} | MAPS
        | TRAINED_SUITE_JOBS,
    ),
    "the ray caster": (
        "src/semsplat/data/world/raycast.py", *NEW_CODE, EVERYTHING,
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def plans(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plans]:
    """Return what would run after each change; the dry runs share the cores."""
    folder = tmp_path_factory.mktemp("changed")

    def plan(what: str) -> set[str]:
        project = finished.copy(folder / what.replace(" ", "_"))
        project.edit(*CHANGES[what][:3])
        return project.plan()

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield {what: pool.submit(plan, what) for what in CHANGES}


@pytest.mark.parametrize("what", CHANGES)
def test_only_what_depends_on_a_change_is_stale(what: str, plans: Plans):
    assert plans[what].result() == CHANGES[what][3]
