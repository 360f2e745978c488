"""Measurements of speed: ratios within one run on one machine, never asserted in tests.

``python -m semsplat.bench rasterize`` prints a table and writes JSON with device, versions and
commit beside every number.  ``python -m semsplat.bench gpu`` asks first whether a GPU is right.
"""
