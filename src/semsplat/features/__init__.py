"""Phase *features*: images in, masks and CLIP vectors out; ground truth is never read.

In: the images of a canonical scene and a recipe of ``params.yaml``.  Out:
``results/features/{dataset}/{scene}/{recipe}/{seed or all}/``: per view id maps and half-precision
tables, with a manifest that names the models by hash; every seed has its own where prompts follow a
geometry.  What was computed once for an image is served from
``scratch/features/`` whenever image, model and parameters are the same.
"""
