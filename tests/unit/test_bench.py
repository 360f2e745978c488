"""Benchmarks compare like with like."""

from __future__ import annotations

from semsplat.bench import contrast
from semsplat.bench.rasterize import Size, brute_force, measure, ours, parity, plain

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
