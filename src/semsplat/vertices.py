"""The vertices of a PLY, read verified: points of scenes and Gaussians of trainings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from plyfile import PlyData, PlyElement, PlyParseError

from semsplat.errors import readable
from semsplat.verified import verified

MOST_HEADER = 2**16  # bytes


def read_vertices(path: Path) -> Any:
    """Return the element "vertex" of a PLY, at least one vertex.

    Raises a one-line `SemsplatError` for a file that is missing, changed, broken or empty.
    """
    with readable(path, "a readable PLY", "replace it, or run what writes it again"):
        _check_length(verified(path))
        try:
            vertex = PlyData.read(path)["vertex"]
        except PlyParseError as error:
            raise ValueError(str(error)) from None
        if not len(vertex.data):
            raise ValueError("it has no vertices")
        return vertex


def read_points(path: Path, advice: str) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Return the coloured points of a PLY: xyz float64 [N, 3], and rgb [N, 3] as it is stored.

    Raises a one-line `SemsplatError`, which ends in the advice, for a file that has no such points.
    """
    with readable(path, "a PLY with vertices x y z red green blue", advice):
        vertex = read_vertices(path)
        xyz = np.stack([vertex[key] for key in "xyz"], axis=1).astype(np.float64)
        return xyz, np.stack([vertex[key] for key in ("red", "green", "blue")], axis=1)


def _check_length(path: Path) -> None:
    """Raise unless a file is long enough for what its header promises, before it is made room for.

    Every value of a line takes two bytes or more as text; of a binary, plyfile asks itself.
    """
    with path.open("rb") as file:
        header = file.read(MOST_HEADER).split(b"end_header")[0]
    promised = sum(int(count) for count in re.findall(rb"element +\S+ +(\d+)", header))
    if promised > path.stat().st_size:
        raise ValueError(f"its header promises {promised} lines, too many for its length")


def write_points(path: Path, xyz: NDArray[np.float64], rgb: NDArray[np.uint8]) -> None:
    """Write positions [N, 3] and colours [N, 3] as PLY."""
    fields = [(key, "f4") for key in "xyz"] + [(c, "u1") for c in ("red", "green", "blue")]
    vertex = np.empty(len(xyz), dtype=fields)
    for (key, _), values in zip(fields, [*xyz.T, *rgb.T], strict=True):
        vertex[key] = values
    PlyData([PlyElement.describe(vertex, "vertex")], byte_order="<").write(str(path))
