"""The words the tiny CLIP learns: classes with synonyms, colours, parts, generic words."""

from __future__ import annotations

# All names of parts that the procedural worlds use; positions are ids in the training pictures.
PARTS = (
    "arm", "back", "band", "base", "boards", "body", "border", "button", "canvas", "ceiling",
    "cover", "field", "frame", "handle", "leaves", "leg", "lid", "pages", "panel", "pot", "seat",
    "shade", "skirting", "stand", "tape", "top",
)  # fmt: skip
