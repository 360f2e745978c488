"""The register: every file that comes from elsewhere, where it is had and where it belongs.

In: ``data.yaml`` and ``models.yaml`` beside this file, one entry a file; archives below
``downloads/``.  Out: unpacked folders below ``photos/``, models below ``downloads/models/``, and
receipts below ``downloads/receipts/``.  A receipt says that a file was checked, or an archive
unpacked; only what has one counts as finished.  ``NAME.part`` is the beginning of a file, and
``NAME.part.json`` says of which: the next download goes on from there.
"""
