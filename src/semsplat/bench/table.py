"""The page of benchmarks, ``docs/benchmarks.md``, as `make bench` writes it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

HEAD = """# Benchmarks of the rasteriser

Written by `make bench`; nothing here is typed by hand. {machine}, {threads}, commit {commit}.
Medians of {repeats} repetitions on a seeded cloud, in milliseconds; a case is
Gaussians@width x height x channels.
"""
OURS = """
*Plain* is the textbook kernel in Numba behind gsplat's projection in PyTorch: every pixel of a tile
walks through all Gaussians of the tile. *Share of peak*: 2 (16 + D) operations for each pixel of a
tile and each Gaussian it holds, in the forward pass, over the {peak} GFLOP/s of a matrix product on
the same threads; Gaussians smaller than a tile of 8 x 8 need less than is counted.
"""
BRUTE = """
Brute force, all Gaussians at all pixels in PyTorch, takes {other:.0f} ms in the case {size}, ours
{own:.1f} ms; image, alpha and gradients differ by at most {error:.0e} of their maximum.
"""
GROWTH = """
## Growth

Exponents of the time, forward and backward together, with each number alone; 1 is proportional.
"""


def page(report: dict[str, Any]) -> str:
    """Return the page of a `semsplat.bench.rasterize.benchmark`."""
    threads = report["torch_threads"]
    head = HEAD.format(
        machine=report["machine"]["cpu"],
        threads=f"{threads} thread{'s' if threads > 1 else ''}",
        commit=(report["git"]["commit"] or "unknown")[:10],
        repeats=report["cpu"][0]["repeats"],
    )
    brute = BRUTE.format(
        other=report["brute_force"]["total_ms"],
        own=report["ours_at_brute_force_size"]["total_ms"],
        size=report["brute_force"]["size"],
        error=max(report["parity_with_brute_force"].values()),
    )
    growth = _table(("number", "exponent"), report["growth"].items())
    parts = [head, _ours(report), OURS.format(peak=report["peak_gflops"]), brute]
    return "".join([*parts, *_cuda(report), GROWTH, growth])


def _ours(report: dict[str, Any]) -> str:
    heads = ("case", "forward", "backward", "plain forward", "plain backward", "times faster")
    rows = [
        (
            row["size"],
            *_times(row),
            *_times(plain),
            row["times_faster"],
            f"{100 * row['share_of_peak']:.0f} %",
        )
        for row, plain in zip(report["cpu"], report["straightforward"], strict=True)
    ]
    return _table((*heads, "share of peak"), rows)


def _cuda(report: dict[str, Any]) -> list[str]:
    """Return gsplat's times, and how far it is from ours, where there is a GPU."""
    if "cuda" not in report:
        return []
    differ = report["parity_with_gsplat"]
    rows = [
        (row["size"], *_times(row), f"{max(differ[row['size']].values()):.0e}")
        for row in report["cuda"]
    ]
    heads = ("case", "forward", "backward", "largest difference")
    return [f"\n## gsplat on {report['machine']['gpu']}\n", _table(heads, rows)]


def _times(row: dict[str, Any]) -> tuple[str, str]:
    return f"{row['forward_ms']:.1f}", f"{row['backward_ms']:.1f}"


def _table(heads: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> str:
    lines = [heads, ("---", *["---:"] * (len(heads) - 1)), *rows]
    return "\n" + "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)
