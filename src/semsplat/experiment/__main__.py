"""``python -m semsplat.experiment``: write the generated documentation and params.yaml's schema."""

from __future__ import annotations

from pathlib import Path

from semsplat.data.register import docs as register_docs
from semsplat.evaluate import protocol_docs
from semsplat.experiment.docs import markdown
from semsplat.experiment.editor import json_schema
from semsplat.figures.published import numbers

SCHEMA_PATH = Path("docs/params.schema.json")
DOCS_PATH = Path("docs/params.md")
PROTOCOLS_PATH = Path("docs/protocols.md")
PUBLISHED_PATH = Path("docs/published.md")
DATA_PATH = Path("docs/data.md")


def main() -> None:
    """Write all four files, and the register's part of a fifth."""
    SCHEMA_PATH.write_text(json_schema())
    DOCS_PATH.parent.mkdir(exist_ok=True)
    DOCS_PATH.write_text(markdown())
    PROTOCOLS_PATH.write_text(protocol_docs.markdown())
    PUBLISHED_PATH.write_text(numbers.markdown())
    DATA_PATH.write_text(register_docs.with_register(DATA_PATH.read_text()))


if __name__ == "__main__":
    main()
