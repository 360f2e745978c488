"""The embedded networks: a tiny CLIP and a tiny SAM, so that the demo needs no downloads.

Both are real: the CLIP is an open_clip model with its own config, the SAM is made of
segment_anything's classes, and both run through the very code that runs the big ones.  They learn
from procedural worlds (`pictures`) whose seeds no suite uses.  In: ``params.yaml``'s section
``networks``.  Out: ``results/networks/{clip,sam}/`` with weights, curves and run card, by
``snakemake retrain_demo_networks``.  What the package ships lies, with
the models themselves, in ``features/embedded/``.
"""
