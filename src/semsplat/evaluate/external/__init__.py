"""What predictions made elsewhere may answer, one per file: file name = the answer's name.

A person's folder has ``{dataset}/{scene}/{seed}/{answer}/`` with what belongs to a view under the
view's name (docs/external.md).  Each file has

- ``SUFFIXES``: how names of files in there end;
- ``view_of(path)``: the name of the view to which a file belongs, by its path below the answer's
  folder;
- ``views(scene)``: the frames that need a prediction each;
- ``read(paths, frame, scene)``: what a view's files say, at least one, checked; raises a
  `SemsplatError` of one line;
- ``write(folder, frame, said)``: puts it among predictions as the answer's own ``predict`` does;
- ``give(predictions_dir, frame, scene, folder)``: the way back, one view of our predictions in
  this layout;

and where predictions have a file of the whole scene

- ``finish(folder, scene)``: writes it, after all views.
"""

from __future__ import annotations

from semsplat.discovery import kinds_of

external_names, external_answer = kinds_of(
    __name__,
    "answer for external predictions",
    ("SUFFIXES", "view_of", "views", "read", "write", "give"),
    ("given", "exchange"),
)
