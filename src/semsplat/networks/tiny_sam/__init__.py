"""A small Segment Anything Model (Kirillov et al. 2023) and its training.

In: training pictures with exact masks.  Out: weights that `load_sam` of
`semsplat.features.embedded.sam` turns into a ``segment_anything.Sam``, to be used through
``SamPredictor`` and ``SamAutomaticMaskGenerator``.
"""
