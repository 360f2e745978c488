"""Own photographs: from a folder of a person's images to what the importer ``colmap`` reads.

In: a folder of images.  Out: ``photos/{name}/`` with ``images/`` (upright copies), ``sparse/0/``
(COLMAP's model, as it was found: the importer undistorts) and ``photos.json``, which says how the
model was made and which images have no pose.
"""
