"""One row per setting: means over scenes and seeds, then every scene, as a Markdown table."""

from __future__ import annotations

from collections import defaultdict
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


Result = tuple[Any, Any, Any]
"""The scores, the card and the speed of one run."""


class Column(NamedTuple):
    """One column of numbers."""

    title: str
    digits: int
    value: Callable[[Result], float | None]
    factor: float = 1.0
    metric: str | None = None  # the lessons have it too


def _metric(title: str, name: str, digits: int = 2, factor: float = 100.0) -> Column:
    """Return a column of scores."""
    return Column(title, digits, lambda result: result[0]["metrics"].get(name), factor, name)


def _number(title: str, name: str, digits: int = 0) -> Column:
    """Return a column of what a card says."""
    return Column(title, digits, lambda result: result[1]["numbers"].get(name))


COLUMNS = (
    _metric("PSNR", "psnr", factor=1.0),
    _metric("mIoU", "miou"),
    _metric("mAcc", "accuracy"),
    _metric("pooled mIoU", "pooled_miou"),
    _metric("class acc.", "class_accuracy"),
    _metric("incons.", "inconsistency"),
    _metric("train mIoU", "train_miou"),
    Column("FPS", 1, lambda result: result[2]["fps"]),
    _number("Gaussians", "n_gaussians"),
    _number("semantics MB", "semantic_mb", digits=2),
    _number("training s", "train_s"),
    _number("peak RAM MB", "peak_ram_mb"),
)
LESSONS = {"teacher `{}`, 2-D": "teacher_", "best vote of its regions, `{}`": "best_vote_"}
"""Rows about the lessons, and the prefixes of their scores."""


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


Rows = dict[str, list[Result]]


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
    """Return a table with the lessons first, each kind of them once."""
    titles = ["", *(column.title for column in COLUMNS)]
    lines = [f"| {' | '.join(titles)} |", "|---|" + "---:|" * len(COLUMNS)]
    taught = {results[0][1]["inputs"]["lessons"]: results for results in rows.values()}
    for results in taught.values():
        teacher = results[0][1]["config"]["options"]["teacher"]
        for label, prefix in LESSONS.items():
            lines.append(_line(label.format(teacher), results, [_of(prefix, c) for c in COLUMNS]))
    for name, label in options.settings.items():
        lines.append(_line(label, rows[name], list(COLUMNS)))
    return "\n".join(lines)


def _of(prefix: str, column: Column) -> Column:
    """Return a column's counterpart about the lessons; without one its cells stay empty."""
    name = None if column.metric is None else f"{prefix}{column.metric}"
    return column._replace(value=lambda result: result[0]["metrics"].get(name))


def _line(label: str, results: list[Result], columns: list[Column]) -> str:
    """Return one row."""
    return f"| {' | '.join([label, *(_cell(results, column) for column in columns)])} |"


def _cell(results: list[Result], column: Column) -> str:
    """Return "mean ± sd" over seeds of the mean over scenes; "mean" of one seed.

    Nothing where any run has no number.
    """
    by_seed: dict[int, list[float]] = defaultdict(list)
    for result in results:
        value = column.value(result)
        if value is None:
            return ""
        by_seed[result[1]["config"]["seed"]].append(value * column.factor)
    means = [fmean(values) for values in by_seed.values()]
    mean = f"{fmean(means):.{column.digits}f}"
    return f"{mean} ± {stdev(means):.{column.digits}f}" if len(means) > 1 else mean


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
        " accuracies in percent; mean ± standard deviation over seeds, of means over scenes."
        f" Teachers: {', '.join(sorted(mistakes))}. Inconsistency and train mIoU: training views.",
        f"{', '.join(sizes)} pixels, {', '.join(map(str, steps))} steps, seeds"
        f" {', '.join(map(str, seeds))}. FPS: colours and class map on {device}, median of a run."
        " Training seconds are of one thread where there is no GPU, beside another training.",
    ]
