"""``python -m semsplat.figures.page.readme``: put the suites' tables into README.md."""

from __future__ import annotations

import re
from pathlib import Path

from semsplat.commands import run_command
from semsplat.errors import SemsplatError
from semsplat.io import atomic_path

BLOCK = re.compile(r"<!-- begin (paper_figures/\S+\.md) -->\n.*?<!-- end -->", re.DOTALL)


def filled(text: str, root: Path) -> str:
    """Return a text with every block between ``<!-- begin FILE -->`` and ``<!-- end -->`` renewed.

    Raises:
        SemsplatError: a file that a block names is not there.
    """

    def block(match: re.Match[str]) -> str:
        path = root / match[1]
        if not path.is_file():
            raise SemsplatError(f"{path}: no such file; draw its suite first")
        return f"<!-- begin {match[1]} -->\n\n{path.read_text().strip()}\n\n<!-- end -->"

    return BLOCK.sub(block, text)


def run(readme: Path = Path("README.md")) -> None:
    """Renew the blocks of a text.

    Args:
        readme: the text, at the project's root.
    """
    text = filled(readme.read_text(), readme.parent)
    with atomic_path(readme) as partial:
        partial.write_text(text)


if __name__ == "__main__":
    run_command(run)
