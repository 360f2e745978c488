"""What the site shows and what does not lie in docs/: figures that its pages link."""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

FIGURE = re.compile(r"(?<=\]\()\.\./(paper_figures/[^)#\s]+)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the tables and pictures that pages link; a link to one that is not there stays dead."""
    root = Path(config.config_file_path).parent
    linked = {name for page in files.documentation_pages() for name in figures_of(page)}
    for name in sorted(linked):
        if (root / name).is_file():
            files.append(File(name, str(root), config.site_dir, config.use_directory_urls))
    return files


def figures_of(page: File) -> list[str]:
    """Return what a page links of paper_figures/."""
    return FIGURE.findall(page.content_string)


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Return a page whose links to figures are those of the site, whose root is docs/."""
    return FIGURE.sub(r"\1", markdown)
