"""Every kind of figure: its contract, its bytes, its provenance."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import BaseModel

from semsplat.data.manifest import write_manifest
from semsplat.errors import SemsplatError
from semsplat.figures import figure_kind, figure_kinds, unfit
from semsplat.io import read_json
from semsplat.keys import GeometryKey, SceneKey
from semsplat.splat.ply import read_ply, write_ply
from tests.unit.evaluate.feature_helpers import features_of
from tests.unit.figures.conftest import (
    ASKED_AT,
    KINDS,
    OPTIONS,
    RECIPE,
    RUNS,
    SCENES,
    SETTINGS,
    run_key,
    write_feature_results,
    write_relevancy,
    write_selections,
)
from tests.unit.processes import environment

CHANGES = {
    '"psnr": 2': '"psnr": 1',
    ": 1000": ": 1234",
    '"miou": 0.': '"miou": 0.0',
    '"inconsistency": 0.': '"inconsistency": 0.0',
    '"wall": 0.': '"wall": 0.0',
    '"lamp": 0.': '"lamp": 0.0',
    '"query_miou": 0.': '"query_miou": 0.0',
    '"points_mask_miou": 0.': '"points_mask_miou": 0.0',
}
SHOWN: dict[str, list[GeometryKey] | list[SceneKey]] = {
    "run": RUNS[:1],
    "scene": SCENES[:1],
    "suite": RUNS,
}


def draw(kind: str, out: Path) -> bytes:
    """Draw a kind as the command line does, and return the file."""
    module = figure_kind(kind)
    shown = SHOWN[module.SCOPE]
    module.draw(shown, module.Options.model_validate(OPTIONS[kind]), out)
    return out.read_bytes()


def out_path(kind: str, name: str = "figure") -> Path:
    return Path("paper_figures", kind, f"{name}.{figure_kind(kind).EXTENSION}")


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_has_all_parts(kind: str) -> None:
    module = figure_kind(kind)
    assert module.SCOPE in SHOWN and module.EXTENSION in ("svg", "png", "pdf", "json")
    assert issubclass(module.Options, BaseModel) and callable(module.draw)
    for pattern in module.NEEDS:
        filled = pattern.format(dataset="d", scene="s", seed=0, recipe="r", setting="x")
        assert "{" not in filled and ("d/s" in filled or filled == pattern)
        assert filled.split("/")[0] in ("data", "results")


def test_the_tables_are_no_pictures() -> None:
    tables = {"claims", "classes", "costs", "paper_table", "scores", "summary"}
    assert tables <= set(figure_kinds()) - set(KINDS)


def test_checking_parameters_does_not_load_matplotlib() -> None:
    code = (
        "import sys; from semsplat.figures import figure_kind, figure_kinds, unfit;"
        "kinds = [figure_kind(k).Options for k in figure_kinds()];"
        "print(len(kinds), 'matplotlib' in sys.modules, 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True
    )
    assert done.stdout.split() == [str(len(figure_kinds())), "False", "False"], done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_equal_results_give_equal_bytes(results: Path, kind: str) -> None:
    first = draw(kind, out_path(kind, "first"))
    assert len(first) > 100
    assert draw(kind, out_path(kind, "second")) == first
    assert sorted(p.stem for p in (results / "paper_figures" / kind).iterdir()) == [
        *("first", "second"),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_figure_reads_only_what_it_needs(results: Path, kind: str) -> None:
    """What is not in NEEDS may be absent: Snakemake makes nothing else first."""
    needs = {
        results / pattern.format(**run._asdict(), recipe=RECIPE, setting=setting)
        for pattern in figure_kind(kind).NEEDS
        for run in RUNS
        for setting in SETTINGS
    }
    # a job that writes scores.json writes what else it found beside it
    beside = ("inconsistency.npz", "votes.npz")
    needs |= {p.with_name(name) for p in needs if p.name == "scores.json" for name in beside}
    folders = {path.parent for path in needs if path.name == "manifest.json"}
    for path in list(results.rglob("*")):
        if path.is_file() and path not in needs and not folders & set(path.parents):
            path.unlink()
    assert draw(kind, out_path(kind))


@pytest.mark.parametrize("kind", ["curves", "gaussians"])
def test_another_process_gives_the_same_bytes(results: Path, kind: str) -> None:
    here = draw(kind, out_path(kind, "here"))
    words = ["--kind", kind, "--options", json.dumps(OPTIONS[kind]), "--out", "there.svg"]
    runs = ["/".join(map(str, run)) for run in RUNS]
    command = [sys.executable, "-m", "semsplat.figures", *words, "--runs", *runs]
    subprocess.run(command, env=environment(PYTHONHASHSEED="7", TZ="Asia/Tokyo"), check=True)
    assert Path("there.svg").read_bytes() == here


@pytest.mark.parametrize("kind", ["curves", "gaussians"])
def test_an_svg_names_its_runs_and_no_date(results: Path, kind: str) -> None:
    text = draw(kind, out_path(kind)).decode()
    assert all(run_key(run) in text for run in RUNS)
    assert all(run.label in text for run in RUNS)  # the legend, as text
    assert "<dc:date>" not in text and not re.search(r"\b20\d\d-\d\d-\d\dT", text)
    assert str(results) not in text


def test_a_png_names_its_run_and_no_date(results: Path) -> None:
    draw("views", out_path("views"))
    with Image.open(out_path("views")) as image:
        assert image.info["Source"] == run_key(RUNS[0])
        assert image.info["Software"] == "semsplat"
        assert "Creation Time" not in image.info


# A ladder's rows are trained in test_ladders alone.
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "ladder_plot"])
def test_another_result_gives_another_figure(results: Path, kind: str) -> None:
    before = draw(kind, out_path(kind))
    for name in ("metrics.jsonl", "scores.json", "run.json"):
        for path in results.rglob(name):
            text = path.read_text()
            for old, new in CHANGES.items():
                text = text.replace(old, new)
            path.write_text(text)
    view = replace(features_of(np.zeros((12, 16)), [3]), **ASKED_AT)
    write_feature_results(SCENES[0], {"train": view})
    for path in results.rglob("relevancy"):
        write_relevancy(path.parent, "left/a", 0.5)
    for path in results.rglob("point_cloud.ply"):
        gaussians = read_ply(path)
        write_ply(path, gaussians | {"means": gaussians["means"] / 2})
    for path in results.rglob("clusters"):
        write_selections(path.parent, 3)
    for path in results.rglob("manifest.json"):
        write_manifest(path.parent, read_json(path))
    assert draw(kind, out_path(kind)) != before


def test_more_rows_than_held_out_views_are_no_mistake(results: Path) -> None:
    module = figure_kind("views")
    heights = []
    for n_views in (1, 3, 9):
        options = module.Options.model_validate({**OPTIONS["views"], "n_views": n_views})
        module.draw(RUNS[:1], options, out_path("views"))
        with Image.open(out_path("views")) as image:
            heights.append(image.height)
    assert heights[0] < heights[1] == heights[2]


def test_a_curve_shorter_than_its_moving_average_is_drawn(results: Path) -> None:
    for run in RUNS:
        path = run.geometry_dir / "metrics.jsonl"
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:2]))
    assert draw("curves", out_path("curves"))


def test_a_missing_prediction_is_one_line(results: Path) -> None:
    (RUNS[0].evaluate_dir / "predictions/c.png").unlink()
    with pytest.raises(SemsplatError, match=r"c\.png: no such file"):
        draw("views", out_path("views"))
    assert not list(results.glob("paper_figures/views/*"))


def test_an_unknown_kind_is_one_line_on_the_command_line() -> None:
    words = ["--kind", "curve", "--runs", "a/b/0", "--options", "{}", "--out", "x.svg"]
    command = [sys.executable, "-m", "semsplat.figures", *words]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "error: no figure kind 'curve'; did you mean 'curves'?\n"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"SCOPE": "training"}, "SCOPE 'training' is none of run, scene, suite, trainings"),
        ({"EXTENSION": "tiff"}, "EXTENSION 'tiff' is none of png, svg, pdf, json, or md of a"),
        ({"EXTENSION": "md"}, "EXTENSION 'md' is none of png, svg, pdf, json, or md of a table"),
        ({"NEEDS": ("results/{settting}/run.json",)}, "NEEDS names {settting}; there are dataset"),
    ],
)
def test_a_kind_that_no_rule_can_follow_is_named(changes: dict[str, Any], said: str) -> None:
    plain = {"__name__": "semsplat.figures.bars", "SCOPE": "suite", "EXTENSION": "pdf", "NEEDS": ()}
    assert list(unfit(SimpleNamespace(**plain))) == []
    (line,) = unfit(SimpleNamespace(**{**plain, **changes}))
    assert line.startswith("bars.py: ") and said in line


def test_every_kind_fits() -> None:
    assert [line for name in figure_kinds() for line in unfit(figure_kind(name))] == []
