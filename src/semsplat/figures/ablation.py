"""One row per setting: means over scenes and seeds, then every scene, as a Markdown table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import Field

from semsplat.params.base import Strict

if TYPE_CHECKING:
    from semsplat.figures.style import FigureRun

SCOPE = "suite"
EXTENSION = "md"
NEEDS = (
    "results/train/{dataset}/{scene}/{setting}/{seed}/run.json",
    "results/evaluate/{dataset}/{scene}/{setting}/{seed}/scores.json",
    "results/speed.json",
)


class Options(Strict):
    """What the table shows."""

    settings: dict[str, str] = Field(min_length=1)
    """setting: what its row is called, in the order of the rows"""
    datasets: list[str]
    """of the suite's scenes, those of these data sets; empty for all"""


class Column(NamedTuple):
    """One column of numbers."""

    title: str
    digits: int
    value: Callable[[Any, Any, Any], float | None]  # of scores, card and speed
    factor: float = 1.0


def _metric(name: str) -> Callable[[Any, Any, Any], float | None]:
    return lambda scores, card, speed: scores["metrics"].get(name)


def _number(name: str) -> Callable[[Any, Any, Any], float | None]:
    return lambda scores, card, speed: card["numbers"].get(name)


COLUMNS = (
    Column("PSNR", 2, _metric("psnr")),
    Column("mIoU", 2, _metric("miou"), 100),
    Column("mAcc", 2, _metric("accuracy"), 100),
    Column("pooled mIoU", 2, _metric("pooled_miou"), 100),
    Column("class acc.", 2, _metric("class_accuracy"), 100),
    Column("incons.", 2, _metric("inconsistency"), 100),
    Column("train mIoU", 2, _metric("train_miou"), 100),
    Column("FPS", 1, lambda scores, card, speed: speed["fps"]),
    Column("Gaussians", 0, _number("n_gaussians")),
    Column("semantics MB", 2, _number("semantic_mb")),
    Column("training s", 0, _number("train_s")),
    Column("peak RAM MB", 0, _number("peak_ram_mb")),
)
TEACHER = {
    "mIoU": "teacher_miou",
    "mAcc": "teacher_accuracy",
    "pooled mIoU": "teacher_pooled_miou",
    "class acc.": "teacher_class_accuracy",
    "incons.": "teacher_inconsistency",
    "train mIoU": "teacher_train_miou",
}
"""The columns in which the taught labels themselves have a number."""


def draw(runs: list[FigureRun], options: Options, out: Path) -> None:
    """Write the table of all scenes, one table per scene, and what the numbers need."""
    from semsplat.io import atomic_path, read_json

    speed = read_json(Path("results/speed.json"))
    scenes = list(dict.fromkeys((run.dataset, run.scene) for run in runs))
    groups = {"all scenes": runs} if len(scenes) > 1 else {}
    for place in scenes:
        groups["/".join(place)] = [run for run in runs if (run.dataset, run.scene) == place]
    text = "\n\n".join(
        f"### {title}\n\n{_table(_read(members, options, speed), options)}"
        for title, members in groups.items()
    )
    notes = _notes(_read(runs, options, speed), speed)
    with atomic_path(out) as partial:
        partial.write_text("\n\n".join([text, *notes]).lstrip() + "\n")


Rows = dict[str, list[tuple[Any, Any, Any]]]


def _read(runs: list[FigureRun], options: Options, speed: Any) -> Rows:
    """Return per setting the scores, the card and the speed of every run."""
    from semsplat.io import read_json

    return {
        name: [
            (
                read_json(run.setting_dir(name) / "scores.json"),
                read_json(run.train_dir(name) / "run.json"),
                speed["runs"][f"{run.dataset}/{run.scene}/{name}/{run.seed}"],
            )
            for run in runs
        ]
        for name in options.settings
    }


def _table(rows: Rows, options: Options) -> str:
    """Return a table with the taught labels first, each kind of them once."""
    titles = ["", *(column.title for column in COLUMNS)]
    lines = [f"| {' | '.join(titles)} |", "|---|" + "---:|" * len(COLUMNS)]
    taught = {results[0][1]["inputs"]["lessons"]: results for results in rows.values()}
    for results in taught.values():
        teacher = results[0][1]["config"]["options"]["teacher"]
        cells = [_cell([s["metrics"].get(TEACHER.get(c.title)) for s, _, _ in results], c)
                 for c in COLUMNS]  # fmt: skip
        lines.append(f"| teacher `{teacher}`, 2-D | {' | '.join(cells)} |")
    for name, label in options.settings.items():
        cells = [_cell([column.value(*result) for result in rows[name]], column)
                 for column in COLUMNS]  # fmt: skip
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(values: list[float | None], column: Column) -> str:
    """Return "mean ± sd" over runs, "mean" of a single one, or nothing where any has none."""
    present = [value * column.factor for value in values if value is not None]
    if len(present) < len(values):
        return ""
    mean = f"{fmean(present):.{column.digits}f}"
    return f"{mean} ± {stdev(present):.{column.digits}f}" if len(present) > 1 else mean


def _notes(rows: Rows, speed: Any) -> list[str]:
    """Return what a reader needs to know about the numbers."""
    results = [result for several in rows.values() for result in several]
    protocols = sorted({p for scores, _, _ in results for p in scores["protocols"].values()})
    sizes = sorted({"x".join(map(str, scores["size_px"])) for scores, _, _ in results})
    steps = sorted({card["config"]["geometry"]["steps"] for _, card, _ in results})
    seeds = sorted({card["config"]["seed"] for _, card, _ in results})
    machine = speed["machine"]
    device = machine["gpu"] or f"{machine['cpu']}, {speed['torch_threads']} threads"
    mistakes = {f"`{card['config']['options']['teacher']}`" for _, card, _ in results}
    return [
        f"Held-out views; protocols {', '.join(protocols)}. mIoU, mAcc (pixel accuracy) and"
        " accuracies in percent; mean ± standard deviation over runs."
        f" Teachers: {', '.join(sorted(mistakes))}. Inconsistency and train mIoU: training views.",
        f"{', '.join(sizes)} pixels, {', '.join(map(str, steps))} steps, seeds"
        f" {', '.join(map(str, seeds))}. FPS: colours and class map on {device}, median of a run."
        " Training seconds are of one thread where there is no GPU, beside another training.",
    ]
