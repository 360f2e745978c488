"""Phase *train*: Gaussians that know classes, one method per file in `methods/`.

In: a canonical scene, a teacher's lessons and, where the method wants them, 2-D features.  Out:
``results/train/{dataset}/{scene}/{setting}/{seed}/`` with ``point_cloud.ply`` (INRIA's layout, as
plain viewers read it), ``semantics.safetensors`` (what the method attached to each Gaussian, and
its decoder), ``metrics.jsonl`` and ``run.json``.  A *setting* is a method with a named diff of its
parameters.  A killed run continues from ``scratch/train/...``.
"""
