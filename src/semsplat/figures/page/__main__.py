"""``python -m semsplat.figures.page``: write a suite's page."""

from __future__ import annotations

import json
from pathlib import Path

from semsplat.commands import run_command


def run(
    suite: str,
    files: list[Path],
    out: Path,
    alone: Path,
    about: str,
    trainings: tuple[str, ...] = (),
) -> None:
    """Write ``index.html``, and the same without what lies beside it.

    Args:
        suite: its name.
        files: the suite's other figures.
        out: the page.
        alone: the page for Snakemake's report.
        about: what each figure shows, by its name, as JSON.
        trainings: dataset/scene/setting/seed of those that the suite's tables show.
    """
    from semsplat.figures.page import write_page
    from semsplat.keys import parse_training

    shown = [parse_training(text) for text in trainings]
    write_page(suite, files, shown, out, alone, json.loads(about))


if __name__ == "__main__":
    run_command(run)
