"""``python -m semsplat.data draw|import``: make one canonical scene."""

from __future__ import annotations

import json
from typing import Any

from semsplat.commands import OutFolder, run_one_of
from semsplat.data.datasets import importer
from semsplat.data.datasets.procedural import Options
from semsplat.data.datasets.procedural import draw as draw_world


def draw(out: OutFolder, options: str) -> None:
    """Draw a procedural world in Replica's layout.

    Args:
        out: the native folder, data/native/{dataset}/{scene}.
        options: the scene's options, as JSON.
    """
    draw_world(Options.model_validate_json(options), out)


def import_scene(importer_name: str, out: OutFolder, options: str) -> None:
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
    run_one_of({"draw": draw, "import": import_scene})


if __name__ == "__main__":
    main()
