"""A small Segment Anything Model (Kirillov et al. 2023) and its training.

In: training pictures with exact masks.  Out: weights that `model.load_sam` turns into a
``segment_anything.Sam``, to be used through ``SamPredictor`` and ``SamAutomaticMaskGenerator``.
"""
