"""Benchmarks compare like with like."""

from __future__ import annotations

from semsplat.bench import contrast, rasterize
from semsplat.bench.rasterize import Size, brute_force, measure, ours, parity, plain
from semsplat.bench.table import page

TINY = Size(200, 48, 32, 6)


def test_all_yardsticks_render_the_same_image_and_gradients():
    for other in (plain, brute_force):
        errors = parity(ours, other, TINY, ("cpu", "cpu"))
        assert max(errors.values()) < 1e-4, (other.__name__, errors)


def test_a_row_names_its_size_and_adds_up():
    row = measure(ours, TINY, repeats=3)
    assert row["size"] == "0k@48x32x6" and row["total_ms"] > 0
    assert row["forward_ms"] < row["total_ms"] and row["backward_ms"] < row["total_ms"]


def test_the_contrastive_loss_is_the_same_in_three_ways() -> None:
    report = contrast.benchmark(24, 18, 7, 1, "cpu")
    assert report["n_masks"] >= 7 and report["losses_differ"] < 1e-4
    assert report["times_faster"].keys() == {"loop", "written_out"}
    assert len(contrast.grid(320, 240, 100).unique()) >= 100


def test_exponents_are_slopes(monkeypatch) -> None:
    totals = {1000: 2.0, 4000: 16.0}  # four times the Gaussians, eight times the milliseconds
    monkeypatch.setattr(
        rasterize, "measure", lambda _, size, __: {"total_ms": totals[size.n_gaussians]}
    )
    sizes = tuple(TINY._replace(n_gaussians=n) for n in totals)
    assert rasterize.growth(sizes, 1) == 1.5


def test_the_share_of_the_peak_counts_pixels_of_tiles() -> None:
    size = TINY._replace(channels=4)
    meta = rasterize.rasterize(**rasterize.random_scene(size))[2]
    pairs = len(meta["flatten_ids"][0])
    row = {"forward_ms": 1.0}  # for a peak of one operation per pair and pixel
    assert rasterize.share_of_peak(row, size, pairs * 64 * 1e-6) == 40


def test_the_page_shows_every_case() -> None:
    row = {"forward_ms": 1.24, "backward_ms": 2.0, "total_ms": 3.24, "repeats": 3}
    report = {
        "machine": {"cpu": "a CPU"}, "git": {"commit": "0123456789abcdef"}, "torch_threads": 1,
        "peak_gflops": 50.0,
        "cpu": [{**row, "size": "a", "times_faster": 3.0, "share_of_peak": 0.256}],
        "straightforward": [{**row, "size": "a", "forward_ms": 9.96}],
        "brute_force": {**row, "size": "b"}, "ours_at_brute_force_size": {**row, "size": "b"},
        "parity_with_brute_force": {"image": 1e-7, "alpha": 3e-6}, "growth": {"views": 1.01},
    }  # fmt: skip
    text = page(report)
    assert "a CPU, 1 thread, commit 0123456789." in text
    assert "| a | 1.2 | 2.0 | 10.0 | 2.0 | 3.0 | 26 % |" in text
    assert "| views | 1.01 |" in text and "at most 3e-06" in text
