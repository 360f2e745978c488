"""The pictures of what clicks select."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from semsplat.arrays import write_arrays
from semsplat.data.manifest import write_manifest
from semsplat.figures import figure_kind
from semsplat.io import read_json, write_json
from semsplat.keys import GeometryKey
from tests.unit.data.scene_helpers import one_line_error
from tests.unit.figures.conftest import OPTIONS, RUNS, SETTINGS, texts


def draw(kind: str, runs: list[GeometryKey] = RUNS[:1], **options: Any) -> Path:
    module = figure_kind(kind)
    out = Path("paper_figures", f"{kind}.{module.EXTENSION}")
    module.draw(runs, module.Options.model_validate({**OPTIONS[kind], **options}), out)
    return out


def test_a_prompts_row_shows_where_it_was_clicked_and_another_view(
    results: Path, drawn: list[Figure]
) -> None:
    draw("clicks")
    said = texts(drawn[0])
    assert {"“lamp”", "“wall”", "left/a", "(a) flat", "(b) + coherent"} <= said
    # the lamp, clicked in left/a, is shown in another view; only left/a shows the wall's mask
    assert {"left/b", "c"} & said and "IoU 25.0%" in said
    assert "truth" in said and "click" in said


def test_prompts_of_all_settings_come_before_those_of_one(
    results: Path, drawn: list[Figure]
) -> None:
    folder = RUNS[0].setting_dir("coherent") / "predictions"
    for path in folder.glob("selections/**/*.npz"):
        with np.load(path) as stored:
            arrays = dict(stored)
        asked = arrays["points.prompts"] != "lamp"
        for key in ("prompts", "masks", "gaussians"):
            arrays[f"points.{key}"] = arrays[f"points.{key}"][asked]
        write_arrays(path, arrays)
    write_manifest(folder, {})
    draw("clicks", n_prompts=1)
    assert {"“wall”"} <= texts(drawn[0]) and "“lamp”" not in texts(drawn[0])


def test_a_setting_that_selects_nothing_has_an_empty_panel(
    results: Path, drawn: list[Figure]
) -> None:
    path = RUNS[0].setting_dir("coherent") / "predictions/grounding.json"
    grounding = read_json(path)
    write_json(path, {**grounding, "points": {**grounding["points"], "wall": {"missing": "x"}}})
    write_manifest(path.parent, {})
    draw("extraction")
    assert "no prediction" in texts(drawn[0])


def test_nothing_clicked_is_one_line(results: Path) -> None:
    with one_line_error("toys/shelf", "nothing was clicked by 'clicks'", "evaluate.clicks"):
        draw("clicks", grounder="clicks")
    with one_line_error("nothing was clicked"):
        draw("extraction", grounder="clicks")


def test_pictures_name_their_columns(results: Path, drawn: list[Figure]) -> None:
    draw("feature_colours")
    draw("clusters")
    for figure, first in zip(drawn, ("regions", "photograph"), strict=True):
        assert {first, *SETTINGS.values(), "left/a"} <= texts(figure)
    assert "2 regions, ARI 0.50" in texts(drawn[1])
