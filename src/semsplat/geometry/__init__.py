"""Phase *geometry*: RGB-only Gaussian splatting, the one geometry under all methods.

In: a canonical scene.  Out: ``results/geometry/{dataset}/{scene}/{seed}/`` with
``point_cloud.ply`` (INRIA's layout), ``metrics.jsonl`` (training curves) and ``run.json`` (the
provenance card).  A killed run continues from ``scratch/geometry/{dataset}/{scene}/{seed}/``.
"""
