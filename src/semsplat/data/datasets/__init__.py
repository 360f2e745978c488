"""One importer per file: file name = importer name in ``params.yaml``.

Each file has ``Options`` (a pydantic model, what ``params.yaml`` may say), ``sources(options)``
(files the import reads) and ``import_scene(scene, options, out_dir)`` (writes a canonical scene).
"""

from __future__ import annotations

from semsplat.discovery import kinds_of

importer_names, importer = kinds_of(__name__, "importer", ("Options", "sources", "import_scene"))
