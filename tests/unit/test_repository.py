"""What is in git: sources, tables and the pictures that README and docs/ show, nothing heavy."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MOST_BYTES = 2**20
WEIGHTS = "src/semsplat/features/embedded/weights/"
FIGURES = "paper_figures/"
TABLES = (".md", ".csv", ".tex")

pytestmark = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="needs the repository")


def tracked() -> list[str]:
    command = ["git", "ls-files", "-z"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in done.stdout.split("\0") if (ROOT / name).is_file()]


def linked(page: Path, link: str = r"\]\(([^)#:\s]+)[)#]") -> set[str]:
    """Return the files that a page links, as git names them."""
    there = {page.parent / name for name in re.findall(link, page.read_text())}
    return {path.resolve().relative_to(ROOT.resolve()).as_posix() for path in there}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_links_is_in_git(page: Path) -> None:
    assert linked(page) <= set(tracked())


def test_the_readme_leads_to_all_pages() -> None:
    assert {f"docs/{page.name}" for page in PAGES[1:]} <= linked(ROOT / "README.md")
    assert len(linked(ROOT / "docs/papers.md")) > 20


def test_of_figures_git_has_tables_and_what_pages_show() -> None:
    shown = set().union(*(linked(page, r"!\[[^]]+\]\(([^)]+)\)") for page in PAGES))
    figures = {name for name in tracked() if name.startswith(FIGURES)}
    assert shown and {name for name in figures if not name.endswith(TABLES)} == shown


def test_nothing_in_git_is_heavy_but_the_weights_of_the_embedded_networks() -> None:
    heavy = [name for name in tracked() if (ROOT / name).stat().st_size > MOST_BYTES]
    assert heavy and all(name.startswith(WEIGHTS) for name in heavy)


def test_what_is_in_git_is_not_ignored() -> None:
    command = ["git", "ls-files", "--cached", "--ignored", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == ""
