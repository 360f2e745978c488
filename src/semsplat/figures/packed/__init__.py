"""A scene's Gaussians and what they answer, small enough for a page: JSON with one packed blob.

- ``scene``, ``seed``, ``sources``: whose trainings, and their keys.
- ``cameras``: where one may begin, ``viewmat`` row by row, ``focal`` in heights of the picture,
  ``aspect``, ``distance`` of what is looked at; ``up`` of the scene, ``height`` in pixels of the
  views that were learned from.
- ``models``: one for each set of equal Gaussians: ``count``, ``of`` how many, the ranges ``low``
  and ``high`` of positions and ``scales`` of logarithms, and in ``at`` where its arrays begin.
- ``palettes``: ``colours`` [K, 3] and ``names``, or the ``low`` and ``high`` end of a scale.
- ``channels``: what can be shown: ``group``, ``whose`` answer, what was ``asked``, of which
  ``model``, where its array begins (``at``), its ``kind`` and a ``note``.
- ``bytes``: all arrays one after the other, zlib's stream in base64: ``positions`` uint16 [N, 3]
  little-endian, ``scales`` uint8 [N, 3], ``rotations`` int8 [N, 4] wxyz in 127ths, ``colours``
  uint8 [N, 4] with opacity; a channel's array is uint8 [N, 3] of kind ``rgb``, else uint8 [N]: rows
  of its palette, or 1 where Gaussians are selected.
"""
