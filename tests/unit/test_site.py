"""The site builds without a warning, every link in it leads somewhere, and nothing is fetched."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parents[2]
ASSETS = {("script", "src"), ("link", "href"), ("img", "src"), ("iframe", "src")}
"""What a browser fetches by itself."""


class Page(HTMLParser):
    """What a page names, and what it can be asked for."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[tuple[str, str, str]] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for key, value in attrs:
            if key in ("id", "name") and value:
                self.anchors.add(value)
            if key in ("href", "src") and value:
                self.links.append((tag, key, value))


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Page]:
    """Build the site; all its pages but that of dead addresses, which names all from a server."""
    folder = tmp_path_factory.mktemp("site")
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and "WARNING" not in done.stderr, done.stderr
    found = {path: Page(path) for path in folder.rglob("*.html") if path.name != "404.html"}
    assert folder / "index.html" in found
    return found


def test_every_page_of_docs_is_there(pages: dict[Path, Page]) -> None:
    names = {path.stem for path in pages if "paper_figures" not in path.parts}
    assert {path.stem for path in (ROOT / "docs").glob("*.md")} <= names


def test_every_link_and_anchor_leads_somewhere(pages: dict[Path, Page]) -> None:
    dead, followed = [], 0
    for path, page in pages.items():
        for _, _, link in page.links:
            there = urlsplit(link)
            if there.scheme or there.netloc:
                continue
            target = (path.parent / unquote(there.path)).resolve() if there.path else path
            followed += 1
            anchors = pages[target].anchors | {""} if target in pages else {""}
            if not target.is_file() or unquote(there.fragment) not in anchors:
                dead.append(f"{path.name}: {link}")
    assert followed > 1000 and dead == []


def test_a_browser_fetches_nothing_from_elsewhere(pages: dict[Path, Page]) -> None:
    links = [(tag, key, link) for page in pages.values() for tag, key, link in page.links]
    fetched = {link for tag, key, link in links if (tag, key) in ASSETS}
    assert len(fetched) > 10
    assert {link for link in fetched if urlsplit(link).netloc} == set()


def test_numbers_are_those_that_the_workflow_wrote(pages: dict[Path, Page]) -> None:
    (papers,) = (path for path in pages if path.name == "papers.html")
    summary = (ROOT / "paper_figures/ablations/summary.md").read_text()
    cells = [cell.strip() for line in summary.splitlines() for cell in line.split("|")]
    numbers = [cell for cell in cells if re.fullmatch(r"\d+\.\d+( ± .*)?", cell)]
    assert len(numbers) > 10 and all(n in papers.read_text(encoding="utf-8") for n in numbers)


def test_the_reference_has_what_programs_need(pages: dict[Path, Page]) -> None:
    (reference,) = (page for path, page in pages.items() if path.name == "api.html")
    named = {anchor.rpartition("semsplat.")[2] for anchor in reference.anchors}
    wanted = {
        "field.field.Field.open",
        "field.field.Field.save_ply",
        "field.selection.Selection.mask",
        "data.scene.Scene.open",
        "data.scene.Viewpoint.K",
        "field.cameras.looking_at",
        "splat.rasterizer.rasterize",
    }
    assert wanted <= named
