"""One row per setting: means over scenes and seeds, then every scene, as a Markdown table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from semsplat.figures import SETTING_FILES, SettingFigure

if TYPE_CHECKING:
    from semsplat.figures.style import FigureRun
    from semsplat.figures.tables import Column, Rows

SCOPE = "suite"
EXTENSION = "md"
NEEDS = SETTING_FILES


class Options(SettingFigure):
    """What the table shows."""


LESSONS = {"teacher `{}`, 2-D": "teacher_", "best vote of its regions, `{}`": "best_vote_"}
"""Rows about the lessons, and the prefixes of their scores."""


def columns() -> list[Column]:
    """Return the columns."""
    from semsplat.figures.tables import costs, metric, number, speed_of

    return [
        metric("PSNR", "psnr", factor=1.0),
        metric("mIoU", "miou"),
        metric("mAcc", "accuracy"),
        metric("pooled mIoU", "pooled_miou"),
        metric("class acc.", "class_accuracy"),
        metric("incons.", "inconsistency"),
        metric("train mIoU", "train_miou"),
        speed_of("FPS", "fps"),
        number("Gaussians", "n_gaussians"),
        *costs(),
    ]


def draw(runs: list[FigureRun], options: Options, out: Path) -> None:
    """Write the table of all scenes, one table per scene, and what the numbers need."""
    from semsplat.figures.tables import by_scene, read_rows
    from semsplat.io import atomic_path, read_json

    speed = read_json(Path("results/speed.json"))
    settings = list(options.settings)
    text = by_scene(runs, lambda members: _table(read_rows(members, settings, speed), options))
    notes = _notes(read_rows(runs, settings, speed), speed)
    with atomic_path(out) as partial:
        partial.write_text("\n\n".join([text, *notes]).lstrip() + "\n")


def _table(rows: Rows, options: Options) -> str:
    """Return a table with the lessons first, each kind of them once."""
    from semsplat.figures.tables import head, line, setting_lines

    shown = columns()
    lines = head(shown)
    taught = {results[0][1]["inputs"]["lessons"]: results for results in rows.values()}
    for results in taught.values():
        teacher = results[0][1]["config"]["options"]["teacher"]
        for label, prefix in LESSONS.items():
            lines.append(line(label.format(teacher), results, [_of(prefix, c) for c in shown]))
    return "\n".join([*lines, *setting_lines(options.settings, rows, shown)])


def _of(prefix: str, column: Column) -> Column:
    """Return a column's counterpart about the lessons; without one its cells stay empty."""
    name = None if column.metric is None else f"{prefix}{column.metric}"
    return column._replace(value=lambda result: result[0]["metrics"].get(name))


def _notes(rows: Rows, speed: Any) -> list[str]:
    """Return what a reader needs to know about the numbers."""
    from semsplat.figures.tables import conditions, measured_on

    results = [result for several in rows.values() for result in several]
    protocols = sorted({p for scores, _, _ in results for p in scores["protocols"].values()})
    mistakes = {f"`{card['config']['options']['teacher']}`" for _, card, _ in results}
    return [
        f"Held-out views; protocols {', '.join(protocols)}. mIoU, mAcc (pixel accuracy) and"
        " accuracies in percent; mean ± standard deviation over seeds, of means over scenes."
        f" Teachers: {', '.join(sorted(mistakes))}. Inconsistency and train mIoU: training views.",
        f"{conditions(rows)} FPS: colours and class map on {measured_on(speed)}, median of a run."
        " Training seconds are of one thread where there is no GPU, beside another training.",
    ]
