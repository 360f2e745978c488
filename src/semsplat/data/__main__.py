"""``python -m semsplat.data draw|import``: make one canonical scene."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import tyro

from semsplat.data.datasets import importer
from semsplat.data.datasets.procedural import Options
from semsplat.data.datasets.procedural import draw as draw_world
from semsplat.errors import one_line_errors


def draw(out: Path, options: str) -> None:
    """Draw a procedural world in Replica's layout.

    Args:
        out: the native folder, data/native/{dataset}/{scene}.
        options: the scene's options, as JSON.
    """
    draw_world(Options.model_validate_json(options), out)


def import_scene(importer_name: str, out: Path, options: str) -> None:
    """Turn one native layout into a canonical scene.

    Args:
        importer_name: a file name in semsplat/data/datasets.
        out: the canonical scene, data/{dataset}/{scene}.
        options: the importer's options, as JSON.
    """
    module: Any = importer(importer_name)
    module.import_scene(out.name, module.Options.model_validate(json.loads(options)), out)


def main() -> None:
    """Run one of the two commands."""
    with one_line_errors():
        tyro.extras.subcommand_cli_from_dict({"draw": draw, "import": import_scene})


if __name__ == "__main__":
    main()
