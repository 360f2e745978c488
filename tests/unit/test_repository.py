"""What is in git: sources, tables and the pictures that the README shows, nothing heavy."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
LINKS = re.findall(r"\]\(([^)#:]+)\)", README)
MOST_BYTES = 2**20
WEIGHTS = "src/semsplat/features/embedded/weights/"
FIGURES = "paper_figures/"
TABLES = (".md", ".csv", ".tex")

pytestmark = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="needs the repository")


def tracked() -> list[str]:
    command = ["git", "ls-files", "-z"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in done.stdout.split("\0") if (ROOT / name).is_file()]


def test_what_the_readme_links_is_in_git() -> None:
    assert len(LINKS) > 10
    assert set(LINKS) <= set(tracked())


def test_of_figures_git_has_tables_and_what_the_readme_shows() -> None:
    shown = set(re.findall(r"!\[[^]]+\]\(([^)]+)\)", README))
    figures = {name for name in tracked() if name.startswith(FIGURES)}
    assert shown and {name for name in figures if not name.endswith(TABLES)} == shown


def test_nothing_in_git_is_heavy_but_the_weights_of_the_embedded_networks() -> None:
    heavy = [name for name in tracked() if (ROOT / name).stat().st_size > MOST_BYTES]
    assert heavy and all(name.startswith(WEIGHTS) for name in heavy)


def test_what_is_in_git_is_not_ignored() -> None:
    command = ["git", "ls-files", "--cached", "--ignored", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == ""
