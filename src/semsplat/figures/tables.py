"""What tables of settings share: columns, cells and one table per scene."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from semsplat.figures.referee.trainings import spread
from semsplat.figures.style import FigureRun
from semsplat.io import atomic_path, read_json

Result = tuple[Any, Any, Any]
"""The scores, the card and the speed of one run."""

Rows = dict[str, list[Result]]
"""The results of every setting, one per run."""


class Column(NamedTuple):
    """One column of numbers."""

    title: str
    digits: int
    value: Callable[[Result], float | None]
    factor: float = 1.0
    metric: str | None = None  # where it is one of the scores


def metric(title: str, name: str, digits: int = 2, factor: float = 100.0) -> Column:
    """Return a column of scores."""
    return Column(title, digits, lambda result: result[0]["metrics"].get(name), factor, name)


def number(title: str, name: str, digits: int = 0) -> Column:
    """Return a column of what a card says."""
    return Column(title, digits, lambda result: result[1]["numbers"].get(name))


def speed_of(title: str, name: str, digits: int = 1) -> Column:
    """Return a column of what was measured of speed."""
    return Column(title, digits, lambda result: result[2].get(name))


def costs() -> list[Column]:
    """Return the columns of what a training takes and leaves."""
    return [
        number("semantics MB", "semantic_mb", digits=2),
        number("training s", "train_s"),
        number("peak RAM MB", "peak_ram_mb"),
    ]


def measured_on(speed: Any) -> str:
    """Return the device, or the processor and its threads, on which speed was measured."""
    machine = speed["machine"]
    return machine["gpu"] or f"{machine['cpu']}, {speed['torch_threads']} threads"


def read_rows(runs: list[FigureRun], settings: Sequence[str], speed: Any) -> Rows:
    """Return per setting the scores, the card and, of ``results/speed.json``, the speed."""
    return {
        name: [
            (
                read_json(run.setting_dir(name) / "scores.json"),
                read_json(run.train_dir(name) / "run.json"),
                speed["runs"][f"{run.dataset}/{run.scene}/{name}/{run.seed}"],
            )
            for run in runs
        ]
        for name in settings
    }


def write_tables(
    runs: list[FigureRun],
    settings: Mapping[str, str],
    columns: Sequence[Column],
    notes_of: Callable[[Rows, Any], list[str]],
    out: Path,
) -> None:
    """Write the table of all scenes, one table per scene, and what the numbers need.

    Args:
        runs: scenes and seeds.
        settings: the rows and what they are called.
        columns: those without any number are left out.
        notes_of: makes paragraphs from all results and ``results/speed.json``.
        out: Markdown.
    """
    speed = read_json(Path("results/speed.json"))
    rows = read_rows(runs, list(settings), speed)
    results = [result for several in rows.values() for result in several]
    shown = [c for c in columns if any(c.value(result) is not None for result in results)]

    def table(members: list[FigureRun]) -> str:
        found = read_rows(members, list(settings), speed)
        return "\n".join([*head(shown), *setting_lines(settings, found, shown)])

    with atomic_path(out) as partial:
        text = "\n\n".join([by_scene(runs, table), *notes_of(rows, speed)])
        partial.write_text(text.lstrip() + "\n")


def by_scene(runs: list[FigureRun], table: Callable[[list[FigureRun]], str]) -> str:
    """Return the tables of all scenes together, where there are several, and of each."""
    scenes = list(dict.fromkeys((run.dataset, run.scene) for run in runs))
    groups = {"all scenes": runs} if len(scenes) > 1 else {}
    for place in scenes:
        groups["/".join(place)] = [run for run in runs if (run.dataset, run.scene) == place]
    return "\n\n".join(f"### {title}\n\n{table(members)}" for title, members in groups.items())


def head(columns: Sequence[Column]) -> list[str]:
    """Return the first two lines of a table whose rows have names."""
    titles = ["", *(column.title for column in columns)]
    return [f"| {' | '.join(titles)} |", "|---|" + "---:|" * len(columns)]


def setting_lines(settings: Mapping[str, str], rows: Rows, columns: Sequence[Column]) -> list[str]:
    """Return one row per setting under its label."""
    return [line(label, rows[name], columns) for name, label in settings.items()]


def line(label: str, results: list[Result], columns: Sequence[Column]) -> str:
    """Return one row."""
    return f"| {' | '.join([label, *(_cell(results, column) for column in columns)])} |"


def _cell(results: list[Result], column: Column) -> str:
    """Return "mean ± sd" over seeds of the mean over scenes; "mean" of one seed.

    Nothing where any run has no number.
    """
    found: list[tuple[int, float]] = []
    for result in results:
        value = column.value(result)
        if value is None:
            return ""
        found.append((result[1]["config"]["seed"], value * column.factor))
    return spread(found).text(column.digits)


def conditions(rows: Rows) -> str:
    """Return the sizes, steps and seeds of all runs."""
    results = [result for several in rows.values() for result in several]
    sizes = sorted({"x".join(map(str, scores["size_px"])) for scores, _, _ in results})
    steps = sorted({card["config"]["geometry"]["steps"] for _, card, _ in results})
    seeds = sorted({card["config"]["seed"] for _, card, _ in results})
    return (
        f"{', '.join(sizes)} pixels, {', '.join(map(str, steps))} steps, seeds"
        f" {', '.join(map(str, seeds))}."
    )
