"""``python -m semsplat.bench rasterize|features|contrast|gpu``."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from semsplat.commands import run_one_of
from semsplat.errors import SemsplatError
from semsplat.gpu import claim_device
from semsplat.io import atomic_path, parse_yaml, write_json


def rasterize(
    out: Path = Path("results/benchmarks/rasterize.json"),
    table: Path = Path("docs/benchmarks.md"),
    repeats: int = 10,
) -> None:
    """Measure the rasteriser, and write JSON and a page of tables.

    Args:
        out: the JSON file.
        table: the page, Markdown.
        repeats: timed repetitions; the median counts.
    """
    from semsplat.bench.rasterize import benchmark
    from semsplat.bench.table import page

    report = benchmark(repeats)
    write_json(out, report)
    with atomic_path(table) as partial:
        partial.write_text(page(report))
    print(f"written to {out} and {table}")


def contrast(
    out: Path = Path("results/benchmarks/contrast.json"),
    width: int = 320,
    height: int = 240,
    masks: int = 100,
    repeats: int = 10,
) -> None:
    """Measure CGC's contrastive loss with and without a loop over clusters, and write JSON.

    Args:
        out: the JSON file.
        width: of the view, in pixels.
        height: of the view, in pixels.
        masks: of the view.
        repeats: timed repetitions; the median counts.
    """
    with claim_device() as device:
        from semsplat.bench.contrast import benchmark

        report = benchmark(width, height, masks, repeats, device)
    write_json(out, report)
    for way, ratio in report["times_faster"].items():
        print(f"{ratio} times faster than {way} over {report['n_masks']} masks on"
              f" {report['device']}: {report['vectorised_ms']:.1f} ms")  # fmt: skip
    print(f"written to {out}")


def features(
    runs: list[str] | None = None,
    out: Path = Path("results/benchmarks/features.json"),
    views: int = 5,
) -> None:
    """Measure how fast images become regions and vectors, and write JSON.

    Args:
        runs: dataset/scene/recipe/seed of extractions, all in place of a seed where they share
            one; all in results/features if none is named.
        out: the JSON file.
        views: timed views.
    """
    with claim_device() as device:
        from semsplat.bench.features import benchmark

        cards = sorted(Path("results/features").glob("*/*/*/*/run.json"))
        named = runs or ["/".join(card.parts[2:-1]) for card in cards]
        report = benchmark(named, views, device)
    write_json(out, report)
    for run, row in report["runs"].items():
        times = f"{row['batched_s']:.2f} s an image, {row['loop_s']:.2f} s one by one"
        print(f"{run:<32}{times}: {row['times_faster']} times faster on {report['device']},"
              f" {row['bytes_per_image']} bytes an image")  # fmt: skip
    print(f"written to {out}")


def gpu(
    out: Path = Path("results/benchmarks/gpu.json"),
    params: Path = Path("params.yaml"),
    size: Literal["full", "small"] = "full",
    only: list[str] | None = None,
    scene: Path | None = None,
    cpu_run: Path | None = None,
    cpu: bool = False,
) -> None:
    """Prove what is computed on this machine's GPU, and measure how fast, and write JSON.

    Args:
        out: the JSON file.
        params: what geometry and methods are told.
        size: full, for one big GPU; small, some seconds of anything.
        only: names of steps; all if none is named.
        scene: a canonical scene in the place of the demo's room, which is drawn at once.
        cpu_run: a geometry that a CPU finished, its folder; the GPU's has to end as it did.
        cpu: train every method on the CPU too, and compare the losses.
    """
    with claim_device() as device:
        from semsplat.bench.gpu.run import benchmark, chosen
        from semsplat.bench.gpu.steps import SIZES, Bench

        names = chosen(only)
        if device == "cpu":
            raise SemsplatError("no GPU is visible; semsplat doctor says what is lacking")
        if not params.is_file():
            raise SemsplatError(f"{params}: not there; name params.yaml by --params")
        told = parse_yaml(params.read_text())
        with TemporaryDirectory() as folder:
            bench = Bench(Path(folder), told, SIZES[size], scene, cpu_run, cpu, device)
            report = benchmark(bench, names)
    write_json(out, report)
    print(f"written to {out}")
    if failed := report["failed"]:
        raise SemsplatError(f"failed: {', '.join(failed)}; {out} says why")


if __name__ == "__main__":
    run_one_of(
        {
            "rasterize": rasterize,
            "features": features,
            "contrast": contrast,
            "gpu": gpu,
        }
    )
