"""Phase *data*: any native layout in, one canonical scene out.

In: a download, a folder of photographs, or the procedural generator (`semsplat.data.world`).
Out: ``data/{dataset}/{scene}/``: nerfstudio's ``transforms.json`` beside ``images/``, optional
``depths/``, ``labels/``, ``instances/``, ``parts/``, ``annotations/``, ``points.ply``,
``semantics.json``, and ``manifest.json`` with the sha256 of every file.  One importer per file in
`datasets/`; everything downstream knows only `semsplat.data.scene`.
"""
