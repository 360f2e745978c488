"""``python -m semsplat.params``: write the documentation and the editor schema of params.yaml."""

from __future__ import annotations

from pathlib import Path

from semsplat.params.docs import json_schema, markdown

SCHEMA_PATH = Path("rules/params.schema.json")
DOCS_PATH = Path("docs/params.md")


def main() -> None:
    """Write both files."""
    SCHEMA_PATH.write_text(json_schema())
    DOCS_PATH.parent.mkdir(exist_ok=True)
    DOCS_PATH.write_text(markdown())


if __name__ == "__main__":
    main()
