"""Every published data set's layout, from its files to scores, through the whole workflow.

The scene is a procedural one, written in each layout, so that nothing has to be downloaded; data
sets, importers and tables are those of ``params.yaml``.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.workflow.project import Project

SIZE = {"n_points": 800}
SCENES: dict[str, dict[str, Any]] = {
    "replica": {
        "root": "photos/replica/desk", "hfov_deg": 68.0, "frame_step": 1, "test_every": 4, **SIZE,
    },
    "scannet": {
        "root": "photos/scannet/desk", "n_frames": 12, "test_every": 4, "width_px": 64,
        "height_px": 48, **SIZE,
    },
    "lerf_ovs": {"root": "photos/lerf_ovs/desk", "labels": "photos/lerf_ovs/label/desk"},
    "mipnerf360_held_out": {"root": "photos/360_v2/desk", "labels": "photos/gags_labels/desk"},
    "lerf_mask": {"root": "photos/lerf_mask/desk"},
    "ovs3d": {"root": "photos/ovs3d/desk", **SIZE},
}  # fmt: skip
METHODS = {
    "clipgs_d": ("clipgs_details", ["replica", "scannet"]),
    "gags": ("gags_details", ["lerf_ovs", "mipnerf360_held_out"]),
    "cgc": ("cgc_details", ["lerf_mask", "ovs3d"]),
}
"""setting: a table with its measures, and the data sets of its own table"""
PUBLISHED = "src/semsplat/figures/published"
SCORES = {
    "replica": {"miou": "clipgs/image_mean@1", "psnr": "rgb/held_out@2"},
    "scannet": {"miou": "clipgs/image_mean@1", "accuracy": "clipgs/image_mean@1"},
    # As published: labelled views are trained on, and no colour is left to score.
    "lerf_ovs": {"train_localisation": "lerf_ovs/localisation@1"},
    "mipnerf360_held_out": {"localisation": "lerf_ovs/localisation@1"},
    "lerf_mask": {"points_mask_miou": "lerf_mask/pairs@1"},
    "ovs3d": {"points_argmax_miou": "ovs3d/argmax@1"},
}


@pytest.fixture(scope="module")
def laid_out(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project in which the suite ``layouts`` is computed."""
    project = finished.copy(tmp_path_factory.mktemp("layouts") / "project")
    writer = "tests/unit/data/published_writers.py"
    project.run(sys.executable, writer, "data/procedural/nook", "photos")
    native = project.root / "data/native/procedural/nook"
    shutil.copytree(native, project.root / "photos/replica/desk")
    suite = {
        "scenes": [f"{name}/desk" for name in SCENES],
        "seeds": [0],
        "steps_scaler": 0.002,
        "rates_scaler": 20.0,
        "settings": [],
        "without": [],
        "figures": list(METHODS),
        "override": {},
    }
    for name, (like, datasets) in METHODS.items():
        table = yaml.safe_load(project.read(f"{PUBLISHED}/{like}.yaml"))
        table |= {
            "stand_in": None,
            "datasets": datasets,
            "rows_of": [],
            "rows": {name: {"setting": name}},
        }
        (project.root / PUBLISHED / f"layout_{name}.yaml").write_text(yaml.safe_dump(table))
    figures = {
        name: {"kind": "paper_table", "options": {"table": f"layout_{name}"}} for name in METHODS
    }
    config = {
        "suite": "layouts",
        "suites": {"layouts": suite},
        "datasets": {name: {"scenes": {"desk": options}} for name, options in SCENES.items()},
        "figures": figures,
    }
    (project.root / "layouts.json").write_text(json.dumps(config))
    project.snakemake("--configfile", "layouts.json", "--", "evaluate", "figures")
    return project


@pytest.mark.parametrize(
    ("dataset", "setting"), [(name, s) for s, (_, names) in METHODS.items() for name in names]
)
def test_a_method_goes_through(laid_out: Project, dataset: str, setting: str) -> None:
    scores = laid_out.json(f"results/evaluate/{dataset}/desk/{setting}/0/scores.json")
    for metric, protocol in SCORES[dataset].items():
        assert scores["protocols"][metric] == protocol
        assert scores["metrics"][metric] >= 0
    table = laid_out.read(f"paper_figures/layouts/{setting}.md")
    assert f": {dataset}/desk\n" in table


def test_colours_are_not_scored_where_every_view_is_trained_on(laid_out: Project) -> None:
    scores = laid_out.json("results/evaluate/lerf_ovs/desk/geometry/0/scores.json")
    assert scores["metrics"] == {} and scores["absent"]["psnr"] == "no view is held out"


def test_the_import_waits_for_nothing_that_a_person_has_put_there(laid_out: Project) -> None:
    assert not list(Path(laid_out.root, "downloads").rglob("*"))
    assert laid_out.plan("--configfile", "layouts.json", "--", "evaluate", "figures") == set()
