"""How good the embedded networks are, on procedural worlds that nothing was learnt from.

Everything goes through the public paths that the pipeline takes: open_clip's ``encode_image`` and
``encode_text``, segment_anything's ``SamPredictor`` and ``SamAutomaticMaskGenerator``.  In: two
weight files, ``params.yaml``'s section ``networks``.  Out: ``results/networks/quality.json``, a
provenance card whose ``numbers`` are the results.
"""
