"""What ScanNet's point-wise benchmark needs of a scan: its labelled vertices, and lists of classes.

The lists are those of OpenGaussian's evaluation, as LUDVIG's (Naver) has them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from semsplat.errors import SemsplatError

VERTICES = "*_vh_clean_2.labels.ply"
NYU19 = {
    1: "wall",
    2: "floor",
    3: "cabinet",
    4: "bed",
    5: "chair",
    6: "sofa",
    7: "table",
    8: "door",
    9: "window",
    10: "bookshelf",
    11: "picture",
    12: "counter",
    14: "desk",
    16: "curtain",
    24: "refrigerator",
    28: "shower curtain",
    33: "toilet",
    34: "sink",
    36: "bathtub",
}
"""The classes of ScanNet's benchmark without other furniture, as OpenGaussian asks for them."""
LACKING: dict[str, set[int]] = {
    "nyu19": set(),
    "nyu15": {11, 24, 28, 36},
    "nyu10": {3, 11, 12, 14, 16, 24, 28, 34, 36},
}
"""{list: what it lacks of `NYU19`}."""


def vertices_of(root: Path) -> list[Path]:
    """Return the file of a scan's labelled vertices, in a list of one or none."""
    found = sorted(root.glob(VERTICES))
    if len(found) > 1:
        raise SemsplatError(f"{found[1]}: a second scan's vertices; keep one")
    return found


def asked_lists() -> dict[str, list[dict[str, Any]]]:
    """Return the lists of 19, 15 and 10 classes."""
    return {
        name: entries({key: value for key, value in NYU19.items() if key not in lacking})
        for name, lacking in LACKING.items()
    }


def entries(names: dict[int, str]) -> list[dict[str, Any]]:
    """Return {id: name} as ``semantics.json`` has classes."""
    return [{"id": key, "name": name} for key, name in names.items()]
