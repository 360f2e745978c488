"""The table of held-out scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from semsplat.figures.scores import Options, draw
from semsplat.figures.style import FigureRun
from semsplat.io import read_json, write_json
from tests.unit.figures.conftest import RUNS


def table(runs: list[FigureRun] = RUNS, **digits: int) -> tuple[list[list[str]], str]:
    """Return the cells of every line, and the notes below."""
    draw(runs, Options.model_validate({"digits": digits}), Path("scores.md"))
    rows, notes = Path("scores.md").read_text().split("\n\n")
    return [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows.splitlines()], notes


def edit(path: Path, **changes: Any) -> None:
    write_json(path, {**read_json(path), **changes})


def test_a_cell_is_mean_and_standard_deviation_over_seeds(results: Path) -> None:
    rows, _ = table(psnr=2, ssim=4)
    assert rows[0][:3] == ["scene", "psnr", "ssim"]
    # psnr 21 and 22: mean 21.5, sample standard deviation sqrt(0.5)
    assert rows[2][:3] == ["toys/shelf", "21.50 ± 0.71", "0.8000 ± 0.0000"]
    assert [row[0] for row in rows[2:]] == ["toys/shelf", "toys/box"]


def test_one_seed_has_no_deviation(results: Path) -> None:
    rows, _ = table(RUNS[:1], psnr=3)
    assert rows[2][:2] == ["toys/shelf", "21.000"]


def test_columns_stand_in_the_order_of_the_options(results: Path) -> None:
    assert table(ssim=1, psnr=1)[0][0][:3] == ["scene", "ssim", "psnr"]
    assert table(psnr=1, ssim=1)[0][0][:3] == ["scene", "psnr", "ssim"]


def test_an_absent_metric_is_a_dash_with_its_reason(results: Path) -> None:
    rows, notes = table(psnr=2, lpips=3)
    assert [row[2] for row in rows[2:]] == ["-", "-"]
    assert notes.splitlines() == [
        "Protocol rgb/held_out@2; mean ± standard deviation over seeds.",
        "No lpips: alexnet.pth is not there.",
    ]


def test_a_metric_of_some_seeds_only_is_a_dash(results: Path) -> None:
    path = RUNS[1].evaluate_dir / "scores.json"
    edit(path, metrics={**read_json(path)["metrics"], "lpips": 0.2})
    rows, _ = table(lpips=3)
    assert rows[2][1] == "-"


def test_the_facts_that_a_number_needs_stand_beside_it(results: Path) -> None:
    rows, _ = table(psnr=2)
    facts = dict(zip(rows[0], rows[2], strict=True))
    assert facts == {
        "scene": "toys/shelf",
        "psnr": "21.50 ± 0.71",
        "views": "3",
        "pixels": "16x12",
        "Gaussians": "2000",
        "steps": "200",
        "seeds": "2",
        "device": "CPU, 2 threads",
    }
    assert rows[1] == ["---"] * len(rows[0])
    edit(RUNS[0].geometry_dir / "run.json", machine={"gpu": "NVIDIA L4", "threads": 8})
    assert table(RUNS[:1], psnr=2)[0][2][-1] == "NVIDIA L4"


def test_mixed_protocols_are_all_named(results: Path) -> None:
    edit(RUNS[3].evaluate_dir / "scores.json", protocol="rgb/held_out@3")
    assert table(psnr=2)[1].startswith("Protocol rgb/held_out@2, rgb/held_out@3;")
