"""IoU of every class per setting, beside what was taught: where a method gains and loses."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

from semsplat.figures import TRAINING_FILES
from semsplat.figures.paper_table import Options as Options
from semsplat.figures.published import load_table
from semsplat.figures.published.measure_models import Measure
from semsplat.figures.published.models import Table
from semsplat.figures.referee.cells import Cell, Group, cells_of_row, groups, rows_of
from semsplat.figures.referee.layout import write_table
from semsplat.figures.referee.trainings import Results
from semsplat.keys import TrainingKey

SCOPE = "trainings"
EXTENSION = "md"
NEEDS = TRAINING_FILES
PROTOCOL = "class_maps/pooled@1"
NOTE = (
    "IoU in percent over all pixels of the held-out views; classes from the most to the least"
    " frequent. Best vote: every region takes its most frequent true class."
)


def draw(trainings: list[TrainingKey], options: Options, out: Path) -> None:
    """Write the rows of a table, whose columns are the classes of each scene."""
    results = Results(trainings)
    table = load_table(options.table).model_copy(
        update={"paper": None, "title": "IoU of every class", "footnotes": [NOTE]}
    )
    scenes = [group for group in groups(table, results) if group.name in group.scenes]
    cells = {group.name: _cells(table, group, results) for group in scenes}
    bare = [f"{name}: no held-out view has a label map." for name in cells if not cells[name]]
    write_table(table, list(chain.from_iterable(cells.values())), bare, out)


def _cells(table: Table, group: Group, results: Results) -> list[Cell]:
    """Return the cells of one scene."""
    shown = table.model_copy(update={"measures": _measures(group.name, results)})
    return [
        cell
        for key, row in rows_of(table, results).items()
        for cell in cells_of_row(shown, key, row, [group], results)
    ]


def _measures(place: str, results: Results) -> dict[str, Measure]:
    """Return a measure per class of a scene, from the most frequent on."""
    first = next(training for training in results.trainings if training.place == place)
    shares = results.scores(first)["classes"].get("share", {})
    return {
        name: Measure(
            title=f"{name}<br>{100 * share:.1f} % of pixels",
            source="classes",
            name=f"iou:{name}",
            protocol=PROTOCOL,
            better="higher",
            factor=100,
            digits=1,
        )
        for name, share in sorted(shares.items(), key=lambda item: -item[1])
    }
