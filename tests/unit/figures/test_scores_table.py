"""The table of held-out scores."""

from __future__ import annotations

from pathlib import Path

import pytest

from semsplat.figures.referee.sheet import read_records
from semsplat.figures.scores import Options, draw
from semsplat.keys import TrainingKey
from tests.unit.figures.referee_helpers import MACHINE, edit, edit_metrics, write_geometry

SHELF, BOX = "toys/shelf", "toys/box"


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[TrainingKey]:
    """Two scenes with two seeds each; PSNR is 21, and 22 of the other seed."""
    monkeypatch.chdir(tmp_path)
    return [
        write_geometry(scene, seed, psnr=21.0 + seed, ssim=0.8)
        for scene in (SHELF, BOX)
        for seed in (0, 1)
    ]


def table(runs: list[TrainingKey], **digits: int) -> tuple[list[list[str]], str]:
    """Return the cells of every line, and the notes below."""
    draw(runs, Options.model_validate({"digits": digits}), Path("scores.md"))
    title, rows, *notes = Path("scores.md").read_text().split("\n\n")
    assert title == "### Held-out views"
    cells = [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows.splitlines()]
    return cells, "\n".join(notes)


def test_a_cell_is_mean_and_standard_deviation_over_seeds(runs: list[TrainingKey]) -> None:
    rows, _ = table(runs, psnr=2, ssim=4)
    assert rows[0][:3] == ["scene", "psnr", "ssim"]
    # psnr 21 and 22: mean 21.5, sample standard deviation sqrt(0.5)
    assert rows[2][:3] == ["toys/shelf", "21.50 ± 0.71", "0.8000 ± 0.0000"]
    assert [row[0] for row in rows[2:]] == ["toys/shelf", "toys/box"]


def test_one_seed_has_no_deviation(runs: list[TrainingKey]) -> None:
    rows, _ = table(runs[:1], psnr=3)
    assert rows[2][:2] == ["toys/shelf", "21.000"]


def test_columns_stand_in_the_order_of_the_options(runs: list[TrainingKey]) -> None:
    assert table(runs, ssim=1, psnr=1)[0][0][:3] == ["scene", "ssim", "psnr"]
    assert table(runs, psnr=1, ssim=1)[0][0][:3] == ["scene", "psnr", "ssim"]


def test_an_absent_metric_is_a_dash_with_its_reason(runs: list[TrainingKey]) -> None:
    rows, notes = table(runs, psnr=2, lpips=3)
    assert [row[2] for row in rows[2:]] == ["-", "-"]
    assert notes.splitlines() == [
        "Protocol rgb/held_out@2; mean ± standard deviation over seeds.",
        "No lpips: alexnet.pth is not there.",
    ]


def test_a_metric_of_some_seeds_only_is_a_dash(runs: list[TrainingKey]) -> None:
    edit_metrics(runs[1], lpips=0.2)
    rows, _ = table(runs, lpips=3)
    assert rows[2][1] == "-"


def test_the_facts_that_a_number_needs_stand_beside_it(runs: list[TrainingKey]) -> None:
    rows, _ = table(runs, psnr=2)
    facts = dict(zip(rows[0], rows[2], strict=True))
    assert facts == {
        "scene": "toys/shelf",
        "psnr": "21.50 ± 0.71",
        "views": "3",
        "pixels": "16x12",
        "Gaussians": "1000",
        "steps": "900",
        "seeds": "2",
        "device": "CPU, 2 threads",
    }
    edit(runs[0].card_path, machine={**MACHINE, "gpu": "NVIDIA L4"})
    assert table(runs[:1], psnr=2)[0][2][-1] == "NVIDIA L4"


def test_mixed_protocols_are_all_named(runs: list[TrainingKey]) -> None:
    edit(runs[3].scores_path, protocol="rgb/held_out@3")
    assert table(runs, psnr=2)[1].startswith("Protocol rgb/held_out@2, rgb/held_out@3;")


def test_every_number_names_its_geometries(runs: list[TrainingKey]) -> None:
    table(runs, psnr=2, lpips=3)
    psnr, lpips = read_records(Path("scores.csv"))[:2]
    assert (psnr["row"], psnr["column"], psnr["mean"]) == (SHELF, "psnr", "21.5")
    assert psnr["trainings"] == "toys/shelf/geometry/0 toys/shelf/geometry/1"
    assert (lpips["mean"], lpips["trainings"]) == ("", "")
    assert lpips["reason"] == "alexnet.pth is not there"
    assert "21.50 $\\pm$ 0.71" in Path("scores.tex").read_text()
