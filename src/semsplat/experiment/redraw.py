"""A table drawn once more from the results, and compared with the one that is there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from semsplat.experiment.runs import table_trainings
from semsplat.experiment.schema import Params
from semsplat.figures import TABLES, figure_kind

SUFFIXES = (".md", ".csv", ".tex")


def redrawn(table: Path, params: Params) -> Iterator[str]:
    """Yield which files of a table are not what the results give now; nothing where all are.

    Args:
        table: ``paper_figures/{suite}/{figure}.md``.
        params: of that suite.
    """
    figure = params.figures.get(table.stem)
    kind: Any = figure_kind(figure.kind) if figure else None
    if figure is None or kind.SCOPE not in TABLES:
        yield f"{table}: params.yaml has no such table, so it cannot be drawn again to compare"
        return
    with TemporaryDirectory() as folder:
        again = Path(folder, table.name)
        options = kind.Options.model_validate(figure.options)
        kind.draw(table_trainings(params, table.stem), options, again)
        for suffix in SUFFIXES:
            path = table.with_suffix(suffix)
            if not path.is_file() or path.read_bytes() != again.with_suffix(suffix).read_bytes():
                yield f"{path} is not what the results give; run snakemake to draw it again"
