"""One importer per file; the file name is the name used in ``params.yaml``.

Each has ``Options`` (a frozen pydantic model), ``sources(options)`` (the files it reads) and
``import_scene(scene, options, out_dir)`` (writes ``data/{dataset}/{scene}/``, all or nothing).
"""
