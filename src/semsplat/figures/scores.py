"""Held-out scores per scene: mean and standard deviation over seeds, as a Markdown table."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any, Literal

from semsplat.params.base import Count, Strict

if TYPE_CHECKING:
    from semsplat.figures.style import FigureRun

SCOPE = "suite"
EXTENSION = "md"
NEEDS = (
    "results/geometry/{dataset}/{scene}/{seed}/run.json",
    "results/evaluate/{dataset}/{scene}/geometry/{seed}/scores.json",
)


class Options(Strict):
    """What the table shows."""

    digits: dict[Literal["psnr", "ssim", "lpips"], Count]
    """metric: decimals; also the order of the columns"""


def draw(runs: list[FigureRun], options: Options, out: Path) -> None:
    """Write the table with everything a number needs: protocol, size, steps, seeds, device."""
    from semsplat.io import atomic_path, read_json

    groups: dict[str, list[tuple[Any, Any]]] = defaultdict(list)
    for run in runs:
        pair = read_json(run.evaluate_dir / "scores.json"), read_json(run.geometry_dir / "run.json")
        groups[f"{run.dataset}/{run.scene}"].append(pair)
    facts = ["scene", *options.digits, "views", "pixels", "Gaussians", "steps", "seeds", "device"]
    lines = [f"| {' | '.join(facts)} |", "|" + "---|" * len(facts)]
    lines += [_row(scene, pairs, options) for scene, pairs in groups.items()]
    protocols = sorted({score["protocol"] for pairs in groups.values() for score, _ in pairs})
    reasons = {r for pairs in groups.values() for s, _ in pairs for r in s["absent"].items()}
    notes = [f"Protocol {', '.join(protocols)}; mean ± standard deviation over seeds."]
    notes += [f"No {metric}: {reason}." for metric, reason in sorted(reasons)]
    with atomic_path(out) as partial:
        partial.write_text("\n".join([*lines, "", *notes]) + "\n")


def _row(scene: str, pairs: list[tuple[Any, Any]], options: Options) -> str:
    """Return one scene's line."""
    scores, cards = zip(*pairs, strict=True)
    cells: list[str | int] = [scene]
    for metric, digits in options.digits.items():
        cells.append(_cell([s["metrics"].get(metric) for s in scores], digits))
    width, height = scores[0]["size_px"]
    counts = [card["numbers"]["n_gaussians"] for card in cards]
    machine = cards[0]["machine"]
    device = machine["gpu"] or f"CPU, {machine['threads']} threads"
    steps = cards[0]["config"]["geometry"]["steps"]
    facts: list[object] = [
        scores[0]["n_views"],
        f"{width}x{height}",
        round(fmean(counts)),
        steps,
        len(pairs),
        device,
    ]
    return f"| {' | '.join(map(str, cells + facts))} |"


def _cell(values: list[float | None], digits: int) -> str:
    """Return "mean ± sd", "mean" for a single value, or a dash where any seed has none."""
    present = [value for value in values if value is not None]
    if len(present) < len(values):
        return "-"
    mean = f"{fmean(present):.{digits}f}"
    return f"{mean} ± {stdev(present):.{digits}f}" if len(present) > 1 else mean
