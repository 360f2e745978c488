"""``python -m semsplat.figures.page``: write a suite's page."""

from __future__ import annotations

from pathlib import Path

from semsplat.commands import run_command


def run(
    suite: str, files: list[Path], out: Path, alone: Path, trainings: tuple[str, ...] = ()
) -> None:
    """Write ``index.html``, and the same without what lies beside it.

    Args:
        suite: its name.
        files: the suite's other figures.
        out: the page.
        alone: the page for Snakemake's report.
        trainings: dataset/scene/setting/seed of those that the suite's tables show.
    """
    from semsplat.figures.page import write_page
    from semsplat.keys import parse_training

    write_page(suite, files, [parse_training(text) for text in trainings], out, alone)


if __name__ == "__main__":
    run_command(run)
