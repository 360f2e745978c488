"""A small CLIP (Radford et al. 2021) built by open_clip, and its training on procedural crops.

In: training pictures with exact masks.  Out: weights that `load_clip` of
`semsplat.features.embedded.clip` turns into an open_clip model with the stock tokenizer.
"""
